/** The engine's door: what HTTP, replication and embedding programs may ask of one node's data.
 *
 *  Writes go sequencer → applier → tail; nothing is acknowledged, visible or streamed before it is durable.
 *  Reads by id, scroll and count answer a durable state; searches answer the state of the index they ran on.
 *
 *  Must not know: HTTP, sockets, frames. */

import type { AccessKey } from '../model/access-key.js';
import type { AnswerBudget } from '../model/answer-budget.js';
import type { Cancellation } from '../model/cancellation.js';
import type { Declarations } from '../model/collection.js';
import type { FacetScalar, FacetValue } from '../model/facet.js';
import type { Filter } from '../model/filter.js';
import type { Fusion } from '../model/fusion.js';
import type { Idempotency, Operation, OperationResult } from '../model/operation.js';
import type { PointChange, PointId, QueryVector } from '../model/point.js';
import type { Position } from '../model/position.js';
import type { RankRule } from '../model/rank-rule.js';
import type { Role, Voter } from '../model/replication.js';
import type { StrictMode } from '../model/strict-mode.js';
import type { Span } from '../model/tracer.js';
import type { VectorSpec } from '../model/vector-spec.js';
import type { LineageRow, LogRow, StoreState } from '../storage/storage.js';

import type { ChangeLog } from './changes.js';
import type { CompareAnswers, CompareKind, CompareOf } from './compare.js';
import type { Correction } from './correct.js';
import type { EngineStatus } from './engine-status.js';
import type { ApplyFailure, EntryBatch, TracedEntry } from './entry-batch.js';
import type { FoundPoint, Selection } from './found-point.js';
import type { KeyOperation } from './key-operations.js';
import type { EngineProbes } from './probe-answers.js';
import type { RecallAnswer, RecallRequest } from './recall-request.js';
import type { Explanation, SearchWork } from './search-account.js';
import type { IndexLook, SearchMode } from './search-status.js';
import type { StoreCare } from './store-care.js';

export type { ScrubPlace } from './care-reads.js';
export type {
  Change,
  ChangeEvent,
  ChangeLog,
  ChangePage,
  ChangeSelection,
  ChangeStart,
} from './changes.js';
export type { CompareAnswers, CompareKind, CompareOf, CompareRequest } from './compare.js';
export type { CollectionCorrection, Correction } from './correct.js';
export type { EngineGuards } from './engine-guards.js';
export type { EngineStatus } from './engine-status.js';
export type { EngineWork } from './engine-work.js';
export type { ApplyFailure, EntryBatch, TracedEntry } from './entry-batch.js';
export type { FoundPoint, Selection } from './found-point.js';
export type { KeyOperation } from './key-operations.js';
export type { DigestProbe, EngineProbes, IndexProbe } from './probe-answers.js';
export type { RecallAnswer, RecallRequest } from './recall-request.js';
export type { Explanation, SearchWork } from './search-account.js';
export type {
  EndedSearch,
  GraphFigure,
  RecallStatus,
  SearchEngineStatus,
  SearchStatus,
} from './search-status.js';
export type { StartProgress } from './start-progress.js';
export type { StoreCare } from './store-care.js';
export type { LineageRow, Voter };

export type WaitLevel = 'indexed' | 'durable';

/** Work that may be given up: what was begun ends as soon as it can, and its promise rejects with Timeout. */
export interface Abandonable {
  readonly cancellation?: Cancellation;
}

/** A cancellation counts between the units of a write by filter; one unit is done as a whole. */
export interface WriteOptions extends Abandonable {
  readonly wait: WaitLevel;
  /** How long to wait for room and for `wait`, in milliseconds. By filter it is for all units together. */
  readonly timeoutMs: number;
  /** By filter: timeoutMs is for each unit anew, and all of them may take any time. */
  readonly eachUnitAnew?: true;
  readonly idempotency?: Idempotency;
  /** W3C traceparent to carry in the log, where no span says it. */
  readonly trace?: string;
  /** What the write is a part of. */
  readonly span?: Span;
}

/** A unit that is durable (and, if asked, indexed) here. */
export interface WriteReceipt {
  readonly results: readonly OperationResult[];
  readonly seq: number;
  readonly position: Position;
  readonly repeated: boolean;
}

export interface CollectionInfo extends Declarations, VectorSpec {
  readonly name: string;
  readonly uid: number;
  readonly ttlMs: number | null;
  readonly createdAtMs: number;
  readonly pointsCount: number;
  /** Points in the index of each named vector, by name; those of one that nobody has are left out. */
  readonly vectorCounts?: ReadonlyMap<string, number>;
  /** Points in the text index with a word that is no stop word; 0 without text fields. */
  readonly textCount?: number;
  readonly status: 'ready' | 'building' | 'rebuilding';
  /** 0 … 1; 1 when ready. */
  readonly progress: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly tombstoneRatio: number;
  /** What the newest look at its graph found; null before the first, and without a graph. */
  readonly indexHealth: IndexLook | null;
  readonly position: Position;
}

/** A collection whose strict mode is enabled, as far as requests are held against it. */
export interface Strictness {
  readonly uid: number;
  readonly mode: StrictMode;
  readonly payloadIndexes: Declarations['payloadIndexes'];
}

export interface ScrollRequest extends Selection, Abandonable {
  readonly filter?: Filter;
  readonly limit: number;
  /** The last id of the page before, or null. */
  readonly after: PointId | null;
}

export interface FacetRequest extends Abandonable {
  /** Dotted. */
  readonly path: string;
  readonly filter?: Filter;
  /** How many values at most. */
  readonly limit: number;
  /** False: values that no payload index counts may be left out, where the field has one. */
  readonly exact: boolean;
  /** As SearchRequest.notBeforeSeq. */
  readonly notBeforeSeq?: number;
  readonly span?: Span;
}

export interface FacetAnswer {
  /** Most frequent first, in the order of model/facet.ts. */
  readonly values: readonly FacetValue[];
  readonly exact: boolean;
  readonly position: Position;
}

/** A point, or a vector. */
export type Example = PointId | QueryVector;

export interface Examples {
  /** What hits are to be like: 1 … 100. */
  readonly positive: readonly Example[];
  /** What they are not to be like: 0 … 100. */
  readonly negative: readonly Example[];
}

/** What is near a vector (or a point, or examples), what a text finds, or both as one list: at least one of vector, id, examples and text,
 *  and only one of the first three. */
export interface SearchRequest extends Selection, Abandonable {
  /** Name of the vectors that are searched; left out: the default ones. */
  readonly using?: string;
  readonly vector?: QueryVector;
  /** The vector of this point, which is left out of the hits. */
  readonly id?: PointId;
  /** What they have in common is searched for (engine/search-target.ts); the points among them are left out of the hits. */
  readonly examples?: Examples;
  readonly text?: string;
  readonly filter?: Filter;
  /** Counts where vector (or id) and text are both given. */
  readonly fusion: Fusion;
  /** Hits taken from each engine before fusion. */
  readonly candidates?: number;
  /** May it be answered from what the same search found at the same position? */
  readonly cache: boolean;
  /** The answer is to show the state of this seq or of a later one; whoever asks has waited for it (Engine.waitFor). */
  readonly notBeforeSeq?: number;
  /** How long the search may take. */
  readonly timeoutMs?: number;
  readonly limit: number;
  readonly offset: number;
  readonly efSearch?: number;
  readonly exact: boolean;
  readonly scoreThreshold?: number;
  readonly explain: boolean;
  /** What the search is a part of; it has no part in the answer. */
  readonly span?: Span;
}

export interface SearchHit extends FoundPoint {
  readonly score: number;
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  readonly complete: boolean;
  readonly incompleteReason?: string;
  /** What answered. */
  readonly mode: SearchMode;
  /** An engine that was asked could not answer. */
  readonly degraded: boolean;
  readonly tookMs: number;
  readonly position: Position;
  /** It was computed for the same search before, at `position`; nothing of the collection has changed since. */
  readonly cached?: true;
  readonly work?: SearchWork;
  readonly explain?: Explanation;
}

/** Hits by the values of a payload field: the groups of the best hits, and the best hits of each. `limit` is how many groups. */
export interface GroupRequest extends Omit<SearchRequest, 'offset'> {
  /** Dotted. A point is in the group of each text, number and boolean there; points without any are in no group. */
  readonly groupBy: string;
  /** How many hits of a group at most. */
  readonly groupSize: number;
  /** Only texts and integers are groups; of a point with other values there nothing is grouped by them. */
  readonly keysOnly?: boolean;
}

export interface HitGroup {
  readonly value: FacetScalar;
  /** Best first. */
  readonly hits: readonly SearchHit[];
}

/** Not complete: there may be more groups, or more hits in one, than limit and groupSize left room for. */
export interface GroupAnswer extends Omit<SearchAnswer, 'hits' | 'cached'> {
  /** In the order of their best hits. */
  readonly groups: readonly HitGroup[];
}

/** Points in the order of a rule. */
export interface RankedRequest extends Selection, Abandonable {
  readonly rule: RankRule<QueryVector>;
  /** Name of the vectors that the rule compares; left out: the default ones. */
  readonly using?: string;
  readonly filter?: Filter;
  /** 1 … limits.searchLimitMax. */
  readonly limit: number;
  /** Hits of a vector rule with a lower score are left out. */
  readonly scoreMin?: number;
  /** How long it may take. */
  readonly timeoutMs?: number;
}

export interface RankedAnswer {
  /** Best first. The score of a field's order is the value that the point stands by, that of a draw means nothing. */
  readonly hits: readonly SearchHit[];
  readonly position: Position;
}

export interface AccessKeys {
  readonly count: number;
  find(id: string): AccessKey | undefined;
  /** By id. */
  all(): AccessKey[];
  /** Logs a change of keys; durable, and to be seen here, on return. One that changes nothing has the receipt of the state as it is.
   *  @throws KeyNotFound, AdminKeyRequired, Overloaded, DiskLimitExceeded, ShuttingDown, NotMaster */
  write(operation: KeyOperation): Promise<WriteReceipt>;
}

export interface Engine {
  /** Applies the operations as one atomic unit. Large vector and payload buffers are given away: do not use them afterwards.
   *  @throws any typed refusal (nothing happened) · Overloaded (nothing happened) · DiskLimitExceeded (nothing happened)
   *  · Timeout (durable, not yet indexed; or still queued: then it may still happen) · ShuttingDown (nothing happened)
   *  · Internal (the write thread ended: it may have happened) */
  write(operations: readonly Operation[], options: WriteOptions): Promise<WriteReceipt>;
  /** Deletes what matches, in units of up to 10,000 points or about 64 MiB of payloads; every unit is atomic. One result, of all units.
   *  @throws as write: what fails behind units that are durable says in its message and in `done` how far they came */
  deleteByFilter(collection: string, filter: Filter, options: WriteOptions): Promise<WriteReceipt>;
  /** Changes what matches, each point once, in units of up to 1,000 points or about 16 MiB of payloads; every unit is atomic, and a point that
   *  no longer matches when its unit runs is left alone. One result, of all units. @throws as deleteByFilter */
  patchByFilter(collection: string, filter: Filter, change: PointChange, options: WriteOptions): Promise<WriteReceipt>;

  /** The access keys of this data. */
  readonly keys: AccessKeys;

  collections(): CollectionInfo[];
  /** Every alias with its collection's name, by alias. */
  aliases(): { readonly alias: string; readonly collection: string }[];
  /** Here and in all reads: a collection's name, or an alias of it. @throws CollectionNotFound, InvalidCollectionName */
  collection(name: string): CollectionInfo;
  /** Null when there is none of this name. */
  findCollection(name: string): CollectionInfo | null;
  /** Null when there is none of this name, or its strict mode is not enabled. Cost: none; asked with every request. */
  strictness(name: string): Strictness | null;

  /** @throws PayloadTooLarge when the points have more than limits.answerBytesMax */
  get(
    collection: string,
    ids: readonly PointId[],
    selection: Selection,
  ): Promise<{ points: FoundPoint[]; missing: PointId[]; position: Position }>;
  /** Stops early at limits.scrollBytesMax; next is the last id of the page when more may follow, else null. */
  scroll(collection: string, request: ScrollRequest): Promise<{ points: FoundPoint[]; next: PointId | null; position: Position }>;
  count(collection: string, filter?: Filter, cancellation?: Cancellation): Promise<{ count: number; position: Position }>;
  /** Points that have an indexed payload field, as far as its index knows: 0 before it answers filters. Cost: a question to the index, no rows but
   *  where it cannot answer at all. @throws CollectionNotFound */
  fieldCount(collection: string, path: string, cancellation?: Cancellation): Promise<number>;
  /** Counts the points that have each value of a payload field, each point once for each of its distinct values. From the payload index
   *  where that can tell alone, else row by row in the scan thread. @throws CollectionNotFound, Overloaded, CorruptData · PayloadTooLarge */
  facet(collection: string, request: FacetRequest): Promise<FacetAnswer>;
  /** The first points in the order of a rule, of a durable state: exactly, by looking at all that match, in the scan thread.
   *  @throws CollectionNotFound, DimensionMismatch, ZeroVector (examples), Overloaded, Timeout, CorruptData · PayloadTooLarge (the hits) */
  rank(collection: string, request: RankedRequest): Promise<RankedAnswer>;
  /** @param budget shared by searches that are answered together; alone it has limits.answerBytesMax
   *  @throws CollectionNotFound, InvalidRequest (a text without text fields), DimensionMismatch, ZeroVector, PointNotFound, InvalidVector (examples), Overloaded
   *  · PayloadTooLarge when the hits do not fit */
  search(collection: string, request: SearchRequest, budget?: AnswerBudget): Promise<SearchAnswer>;

  /** Looks on until there are `limit` groups with groupSize hits each, or all points that match were met. @throws as search */
  searchGroups(collection: string, request: GroupRequest): Promise<GroupAnswer>;
  /** Searches for stored points by their own vectors, as a client would and exactly, and says how much of the truth was found.
   *  @throws CollectionNotFound, InvalidFilter, Overloaded (one runs on the collection), Timeout (nothing was measured), SearchUnavailable */
  measureRecall(collection: string, request: RecallRequest): Promise<RecallAnswer>;

  /** The durable position. */
  position(): Position;
  /** Resolves when this node (its store, or its index of the collection too) is at least at `position`: at once for what lies in its
   *  past; a replica waits for what may still come. @throws PositionLost (of no history of this data, or beyond where one ended) · ReplicaBehind · IndexBehind when maxWaitMs passes first */
  waitFor(position: Position, level: WaitLevel, collection: string | null, maxWaitMs: number): Promise<void>;
  status(): EngineStatus;
  /** Small real questions, for whoever watches over the health of the parts. */
  readonly probes: EngineProbes;
  /** What happens to the data, for those who follow it. */
  readonly changes: ChangeLog;
}

/** Who may wish that the log is kept: replicas that follow, and backups that have not archived it yet. */
export type LogHolder = 'replicas' | 'backups';

/** The log as replication needs it: read on a master, applied on a replica. */
export interface ReplicatedLog {
  /** As of the last commit that was told (the tail). Cost: none. */
  state(): StoreState;
  /** Oldest first. */
  lineage(): readonly LineageRow[];
  /** By node id. The very same list until a commit may have changed it. */
  voters(): readonly Voter[];
  /** Log rows from fromSeq on (a later one when that was pruned), durable ones only, never beyond state().seq, at most `limit` and about
   *  bytesMax. Runs on the main thread: keep bytesMax ≤ 1 MiB. @throws CorruptData */
  read(fromSeq: number, limit: number, bytesMax: number): LogRow[];
  /** Chain hash at seq, or null when the log no longer (or not yet) has it; logMinSeq − 1 is still known. @throws CorruptData */
  chainHashAt(seq: number): Uint8Array | null;
  /** Bytes of the entries with seq > afterSeq. Cost: a scan in the scan thread. @throws as the scans of Engine */
  bytesAfter(afterSeq: number): Promise<number>;
  /** The listener is called after each commit has moved the tail, with the bytes of the entries that it added. @returns how to end it */
  onCommit(listener: (state: StoreState, bytes: number) => void): () => void;
  /** The listener is called with what a batch brought and now is durable here, where its request was traced. @returns how to end it */
  onTraced(listener: (entry: TracedEntry) => void): () => void;
  /** The log keeps what is from this seq on, up to its hard bound, for each holder by itself; null: it wishes nothing any more. */
  keepFrom(holder: LogHolder, seq: number | null): void;

  /** From now on writes are taken (master), or refused with NotMaster while batches are taken (replica). Resolves when the write thread
   *  has changed over; what was queued before is done first. @param ownFromEpoch a master of an epoch that has not begun takes nothing but
   *  its beginHistory until that is logged @throws ShuttingDown */
  setRole(role: Role, ownFromEpoch: number): Promise<void>;
  /** Begins a session of batches: what is left of an earlier one is dropped, an earlier failure forgotten. */
  beginApply(onFailure: (failure: ApplyFailure) => void): void;
  /** Hands a batch to the write thread; resolves when there is room for the next (bounded in bytes, and by the lag of the indexes).
   *  Durability is told by onCommit. Entries that are here already are passed over. After a failure the rest of the session is dropped.
   *  @throws ShuttingDown */
  apply(batch: EntryBatch): Promise<void>;
  /** Logs begin_history as a unit of its own. @throws as Engine.write · NotMaster · NotPromotable (the epoch is not later) */
  beginHistory(next: { readonly historyId: string; readonly epoch: number; readonly nodeId: string }): Promise<WriteReceipt>;
  /** Voters that are known at their address are no change: without one the receipt has the newest seq. @throws as Engine.write · NotMaster */
  registerVoters(voters: readonly Voter[]): Promise<WriteReceipt>;
  /** @returns null when there was none  @throws as Engine.write · NotMaster */
  removeVoter(nodeId: string): Promise<WriteReceipt | null>;
}

/** An engine with its owner's side. */
export interface RunningEngine extends Engine {
  readonly log: ReplicatedLog;
  readonly care: StoreCare;
  /** Everything up to this seq is in all indexes. Cost: one look at each collection. */
  indexedSeq(): number;
  /** Reads for a comparison with another node, in the scan thread. @throws as the scans of Engine */
  compare<K extends CompareKind>(request: CompareOf<K>): Promise<CompareAnswers[K]>;
  /** Makes rows of a replica what its master has; resolves when they are durable, and searches show them.
   *  @throws NotRepairable (nothing happened), DiskLimitExceeded (nothing happened), ShuttingDown, Internal (it may have happened) */
  correct(correction: Correction): Promise<void>;
  /** Brings the checkpoints of the indexes up to date for somebody who will load them, as far as timeoutMs allow. */
  saveIndexes(timeoutMs: number): Promise<void>;
  /** Forgets what is kept only to be faster: answers of searches and filters, threads that are idle. */
  relieve(): void;
  /** Would a search be refused now, because those that wait do so for too long? Cost: a look at two numbers. */
  readonly searchesAreFull: boolean;
  /** Closes the write thread for good: nothing more is written or applied, reads go on. */
  freeze(): Promise<void>;
  /** Finishes what was accepted, saves the indexes, closes the store. */
  stop(): Promise<void>;
}
