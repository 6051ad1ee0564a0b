/** The limits an operator may change: one field for every member of model/limits.ts Limits (the compiler holds it).
 *  Defaults are the model's; relations between limits are checked in config.ts. */

import { DEFAULT_LIMITS, type Limits } from '../model/limits.js';
import type { NumberField } from './field.js';

const KIB = 1024;
const COUNT_MAX = 1_000_000_000;
/** A reader that is gone, or whose key is, is noticed with a sign of life at the latest. */
const CHANGE_HEARTBEAT_MS_MAX = 300_000;

function count(
  key: keyof Limits,
  unit: string,
  min: number,
  doc: string,
  max = COUNT_MAX,
): NumberField & { readonly default: number } {
  return { kind: 'integer', unit, min, max, default: DEFAULT_LIMITS[key], doc };
}
function bytes(key: keyof Limits, min: number, doc: string): NumberField & { readonly default: number } {
  return { kind: 'bytes', min, default: DEFAULT_LIMITS[key], doc };
}
function duration(key: keyof Limits, min: number, doc: string, max?: number): NumberField & { readonly default: number } {
  return { kind: 'duration', min, ...(max === undefined ? {} : { max }), default: DEFAULT_LIMITS[key], doc };
}

export const LIMIT_FIELDS = {
  bodyBytesMax: bytes('bodyBytesMax', 64 * KIB, 'Largest request body; import streams have no such bound.'),
  importLineBytesMax: bytes('importLineBytesMax', 64 * KIB, 'Longest line of an import stream, its end not counted.'),
  importChunkPoints: count('importChunkPoints', 'points', 1, 'Points that an import stream commits as one atomic chunk.'),
  importChunkBytes: bytes('importChunkBytes', 64 * KIB, 'Bytes after which an import stream commits a chunk.'),
  payloadBytesMax: bytes('payloadBytesMax', KIB, 'Largest payload of one point.'),
  pointsPerRequestMax: count('pointsPerRequestMax', 'points', 1, 'Most points in one request.'),
  searchLimitMax: count('searchLimitMax', 'hits', 1, 'Largest limit + offset of a search.'),
  efSearchMax: count('efSearchMax', 'candidates', 1, 'Largest ef_search, of a search or of a collection.'),
  searchBatchMax: count('searchBatchMax', 'searches', 1, 'Most searches in one batch.'),
  scrollLimitMax: count('scrollLimitMax', 'points', 1, 'Largest page of a scroll.'),
  answerSliceBytes: bytes('answerSliceBytes', 16 * KIB, 'Answers larger than this are written in slices of about this size.'),
  scrollBytesMax: bytes('scrollBytesMax', 64 * KIB, 'A scroll page ends early, with a cursor, at about this size.'),
  answerBytesMax: bytes(
    'answerBytesMax',
    64 * KIB,
    'Payloads and vectors of the points in one answer, other than a scroll; what would be more is refused with PayloadTooLarge.',
  ),
  waitMsMax: duration('waitMsMax', 1, 'Longest wait a request may ask for (timeout_ms, max_wait_ms).'),
  writeQueueBytesMax: bytes(
    'writeQueueBytesMax',
    64 * KIB,
    'Bytes of writes that may wait for the writer; beyond it they are refused with Overloaded. Also the most that the points of a patch may have.',
  ),
  writeQueueRequestsMax: count('writeQueueRequestsMax', 'requests', 1, 'Writes that may wait for the writer.'),
  indexLagBytesMax: bytes(
    'indexLagBytesMax',
    64 * KIB,
    'How much may be durable and without a place in its graph before new writes wait; searches compare it one by one.',
  ),
  searchQueueMax: count('searchQueueMax', 'searches', 1, 'Searches that may wait for an index worker.'),
  searchTimeoutMs: duration('searchTimeoutMs', 10, 'How long a search may take that does not say so itself.'),
  searchEngineTimeoutMs: duration(
    'searchEngineTimeoutMs',
    10,
    'How long a hybrid search waits for one of its indexes, at most half of its own time; then the other answers alone.',
  ),
  searchBreakerFailuresMax: count(
    'searchBreakerFailuresMax',
    'failures',
    1,
    'Failures in a row after which an index is not asked for a while.',
  ),
  searchBreakerResetMs: duration('searchBreakerResetMs', 10, 'How long it is not asked; then one search tries.'),
  queryCacheBytes: bytes('queryCacheBytes', 0, 'Answers of searches that are kept until their collection changes; 0 keeps none.'),
  connectionsMax: count('connectionsMax', 'connections', 1, 'Open client connections.', 1_000_000),
  bodyDeadlineMs: duration('bodyDeadlineMs', 100, 'Time for an ordinary request body to arrive.'),
  streamIdleMs: duration('streamIdleMs', 100, 'Longest silence in an import stream.'),
  streamBytesPerSecondMin: count('streamBytesPerSecondMin', 'bytes per second', 0, 'Slowest import stream that is kept open.'),
  logRetentionMs: duration(
    'logRetentionMs',
    0,
    'Entries of the operation log are kept at least this long, while the log is within its hard limit.',
  ),
  logRetentionBytes: bytes('logRetentionBytes', 0, 'The newest entries up to this size are kept however old they are.'),
  logBytesHardMax: bytes(
    'logBytesHardMax',
    1024 * KIB,
    'Hard limit of the operation log; the oldest entries go when it is reached.',
  ),
  diskFreeBytesMin: bytes('diskFreeBytesMin', 0, 'Writes are refused with DiskLimitExceeded while less than this is free.'),
  idempotencyKeysMax: count('idempotencyKeysMax', 'keys', 1, 'Idempotency keys that are remembered.'),
  idempotencyMs: duration('idempotencyMs', 1_000, 'How long an idempotency key is remembered.'),
  collectionsMax: count('collectionsMax', 'collections', 1, 'Most collections of a server.', 4_000_000),
  changeFeedsMax: count('changeFeedsMax', 'feeds', 0, 'Change feeds that may be open at once; 0: none.'),
  changeHeartbeatMs: duration(
    'changeHeartbeatMs',
    100,
    'How often a change feed that has nothing to tell gives a sign of life, with its place.',
    CHANGE_HEARTBEAT_MS_MAX,
  ),
} as const satisfies { readonly [Key in keyof Limits]: NumberField & { readonly default: number } };
