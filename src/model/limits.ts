/** Every bound in one place: name, unit, default, and the relations between them.
 *
 *  The first group can be set by configuration (src/config); the second is fixed by formats or by design.
 *  Relations are asserted when the file is loaded, so a changed number cannot quietly break another. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** Bounds an operator may change. */
export interface Limits {
  readonly bodyBytesMax: number;
  readonly importLineBytesMax: number;
  readonly importChunkPoints: number;
  readonly importChunkBytes: number;
  readonly payloadBytesMax: number;
  readonly pointsPerRequestMax: number;
  readonly searchLimitMax: number;
  readonly efSearchMax: number;
  readonly searchBatchMax: number;
  readonly scrollLimitMax: number;
  readonly answerSliceBytes: number;
  readonly scrollBytesMax: number;
  readonly answerBytesMax: number;
  readonly waitMsMax: number;
  readonly writeQueueBytesMax: number;
  readonly writeQueueRequestsMax: number;
  readonly indexLagBytesMax: number;
  readonly searchQueueMax: number;
  readonly searchTimeoutMs: number;
  readonly searchEngineTimeoutMs: number;
  readonly searchBreakerFailuresMax: number;
  readonly searchBreakerResetMs: number;
  readonly queryCacheBytes: number;
  readonly connectionsMax: number;
  readonly bodyDeadlineMs: number;
  readonly streamIdleMs: number;
  readonly streamBytesPerSecondMin: number;
  readonly logRetentionMs: number;
  readonly logRetentionBytes: number;
  readonly logBytesHardMax: number;
  readonly diskFreeBytesMin: number;
  readonly idempotencyKeysMax: number;
  readonly idempotencyMs: number;
  readonly collectionsMax: number;
  readonly changeFeedsMax: number;
  readonly changeHeartbeatMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytesMax: 32 * MIB,
  importLineBytesMax: 16 * MIB,
  importChunkPoints: 1_000,
  importChunkBytes: 4 * MIB,
  payloadBytesMax: 1 * MIB,
  pointsPerRequestMax: 10_000,
  searchLimitMax: 10_000,
  efSearchMax: 10_000,
  searchBatchMax: 100,
  scrollLimitMax: 10_000,
  answerSliceBytes: 1 * MIB,
  scrollBytesMax: 32 * MIB,
  answerBytesMax: 64 * MIB,
  waitMsMax: 60_000,
  writeQueueBytesMax: 96 * MIB,
  writeQueueRequestsMax: 10_000,
  indexLagBytesMax: 8 * MIB,
  searchQueueMax: 1_000,
  searchTimeoutMs: 30_000,
  searchEngineTimeoutMs: 5_000,
  searchBreakerFailuresMax: 5,
  searchBreakerResetMs: 30_000,
  queryCacheBytes: 32 * MIB,
  connectionsMax: 4_096,
  bodyDeadlineMs: 30_000,
  streamIdleMs: 30_000,
  streamBytesPerSecondMin: 64,
  logRetentionMs: 3_600_000,
  logRetentionBytes: 1 * GIB,
  logBytesHardMax: 10 * GIB,
  diskFreeBytesMin: 256 * MIB,
  idempotencyKeysMax: 1_000_000,
  idempotencyMs: 86_400_000,
  collectionsMax: 10_000,
  changeFeedsMax: 100,
  changeHeartbeatMs: 15_000,
};

export const FIXED = {
  idBytesMax: 256,
  integerIdMax: Number.MAX_SAFE_INTEGER,
  collectionNameLengthMax: 128,
  dimensionMax: 65_535,
  /** Named vectors of a collection, dense and sparse together; the byte form counts them in 8 bits. */
  namedVectorsMax: 64,
  vectorNameBytesMax: 200,
  /** Values of one sparse vector. */
  sparseValuesMax: 65_535,
  idempotencyKeyLengthMax: 128,
  jsonDepthMax: 64,
  requestIdLengthMax: 128,
  entryPointsMax: 1_000,
  entryBytesTarget: 1 * MIB,
  /** Labels are below 2^31, so that collection uid · 2^31 + label stays an exact integer. */
  labelMax: 2 ** 31 - 1,
  collectionUidMax: 2 ** 22 - 1,
  /** All aliases together; all are in memory and in one answer. */
  aliasesMax: 10_000,
  /** Access keys, likewise; patterns in the scope of one, how long its name may be, and how long the secret before a rotation may work. */
  accessKeysMax: 10_000,
  keyScopePatternsMax: 100,
  keyNameLengthMax: 128,
  keyGraceMsMax: 30 * 86_400_000,
  /** Requests a second, and at once, of a rate limit. */
  rateLimitMax: 1_000_000,
  digestBuckets: 4_096,
  digestBucketsPerPage: 64,
  deleteByFilterUnitPoints: 10_000,
  deleteByFilterUnitBytes: 64 * MIB,
  /** Less than a delete: whole points are written again. Their vectors count. */
  patchByFilterUnitPoints: 1_000,
  patchByFilterUnitBytes: 16 * MIB,
  expirySweepPoints: 1_000,
  expirySweepMs: 1_000,
  readTransactionMsMax: 1_000,
  walBytesCap: 64 * MIB,
  /** Up to this many live points, and this many bytes of vectors, a collection is searched exactly in memory. */
  flatPointsMax: 1_000,
  flatBytesMax: 16 * MIB,
  /** So many bytes of vectors may wait for their place in a graph, searched one by one meanwhile, before the index falls behind the log. */
  waitingBytesMax: 32 * MIB,
  /** A graph with fewer removed points than this is not rebuilt. */
  rebuildTombstonesMin: 500,
  /** How deep filters stand inside filters, how many conditions and how many listed values all of them have. Their texts together are as
   *  long as the text of a search (queryTextLengthMax). */
  filterDepthMax: 16,
  filterConditionsMax: 1_000,
  filterValuesMax: 20_000,
  /** What a collection declares. A path is as deep as payloads are (jsonDepthMax). */
  payloadIndexesMax: 64,
  textFieldsMax: 32,
  fieldPathBytesMax: 512,
  /** Empty places that a change may put behind the end of an array of a payload. */
  payloadArrayGrowthMax: 10_000,
  stopWordsMax: 10_000,
  stopWordLengthMax: 64,
  /** UTF-16 units: longer words of a text are cut. */
  wordLengthMax: 128,
  oversamplingMax: 100,
  /** What a search asks of its engines. */
  queryTextLengthMax: 10_000,
  searchCandidatesMax: 10_000,
  /** Stored points that one measurement of recall searches for. */
  recallSampleMax: 1_000,
  rrfKMax: 10_000,
  fusionWeightMax: 1_000_000,
  /** Hits of one group, and examples of either kind. */
  groupSizeMax: 100,
  examplesMax: 100,
  /** How many values a facet answers, what they take together, and what the distinct values take that are counted for it. */
  facetValuesMax: 10_000,
  facetAnswerBytesMax: 4 * MIB,
  facetCountedBytesMax: 128 * MIB,
  /** Answers of one payload index to filters that may come again. */
  filterAnswersBytesMax: 8 * MIB,
  /** Bodies above this are parsed off the main thread. */
  inlineBodyBytesMax: 256 * KIB,
  /** The body of a request that takes none: it is read so that its fields can be named. */
  needlessBodyBytesMax: 64 * KIB,
  /** Bodies on their way in, all together; what would exceed it is refused as Overloaded. */
  bodyBytesHeldMax: 256 * MIB,
  /** Answers on their way out, all together; what would exceed it is refused as Overloaded. Short ones do not count. */
  answerBytesHeldMax: 256 * MIB,
  shortAnswerBytesMax: 64 * KIB,
  /** Bodies that wait for the body thread. */
  bodyJobsMax: 64,
  bodyThreadIdleMs: 30_000,
  importChunksInFlightMax: 3,
  importFailedMax: 1_000,
  /** How long a refused body may go on arriving before its connection is cut. */
  refusedBodyDrainMs: 5_000,
} as const;

export function checkLimits(limits: Limits): void {
  const broken: string[] = [];
  const holds = (relation: boolean, text: string): void => {
    if (!relation) broken.push(text);
  };
  holds(limits.payloadBytesMax < limits.importLineBytesMax, 'payload_bytes_max < import_line_bytes_max');
  holds(limits.bodyBytesMax < limits.writeQueueBytesMax, 'body_bytes_max < write_queue_bytes_max');
  holds(limits.importLineBytesMax < limits.writeQueueBytesMax, 'import_line_bytes_max < write_queue_bytes_max');
  holds(limits.logRetentionBytes <= limits.logBytesHardMax, 'log_retention_bytes <= log_bytes_hard_max');
  holds(limits.importChunkPoints <= limits.pointsPerRequestMax, 'import_chunk_points <= points_per_request_max');
  holds(limits.payloadBytesMax < limits.bodyBytesMax, 'payload_bytes_max < body_bytes_max');
  const answerBytes = FIXED.answerBytesHeldMax / 2;
  holds(limits.answerBytesMax <= answerBytes, `answer_bytes_max <= ${answerBytes}`);
  holds(limits.scrollBytesMax <= answerBytes, `scroll_bytes_max <= ${answerBytes}`);
  if (broken.length > 0) throw new RangeError(`limits contradict each other: ${broken.join('; ')}`);
}

checkLimits(DEFAULT_LIMITS);
