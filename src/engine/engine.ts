/** The engine's door: what HTTP, replication and embedding programs may ask of one node's data.
 *
 *  Writes go sequencer → applier → tail; nothing is acknowledged, visible or streamed before it is durable.
 *  Reads by id, scroll and count answer a durable state; searches answer the state of the index they ran on.
 *
 *  Must not know: HTTP, sockets, frames. */

import type { AnswerBudget } from '../model/answer-budget.js';
import type { HnswParameters } from '../model/collection.js';
import type { Distance } from '../model/distance.js';
import type { ErrorRecord } from '../model/errors.js';
import type { Filter } from '../model/filter.js';
import type { Idempotency, Operation, OperationResult } from '../model/operation.js';
import type { PointId } from '../model/point.js';
import type { Position } from '../model/position.js';

export type WaitLevel = 'indexed' | 'durable';

export interface WriteOptions {
  readonly wait: WaitLevel;
  /** How long to wait for room and for `wait`, in milliseconds. */
  readonly timeoutMs: number;
  readonly idempotency?: Idempotency;
  /** W3C traceparent to carry in the log. */
  readonly trace?: string;
}

/** A unit that is durable (and, if asked, indexed) here. */
export interface WriteReceipt {
  readonly results: readonly OperationResult[];
  readonly seq: number;
  readonly position: Position;
  readonly repeated: boolean;
}

export interface CollectionInfo {
  readonly name: string;
  readonly uid: number;
  readonly dimension: number;
  readonly distance: Distance;
  readonly hnsw: HnswParameters;
  readonly ttlMs: number | null;
  readonly createdAtMs: number;
  readonly pointsCount: number;
  readonly status: 'ready' | 'building' | 'rebuilding';
  /** 0 … 1; 1 when ready. */
  readonly progress: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly tombstoneRatio: number;
  readonly position: Position;
}

/** A point as read; payload is UTF-8 JSON as stored (empty means `{}`), null when not asked for. */
export interface FoundPoint {
  readonly id: PointId;
  readonly version: number;
  readonly payload: Uint8Array | null;
  readonly vector: Float32Array | null;
}

export interface Selection {
  readonly withPayload: boolean;
  readonly withVector: boolean;
}

export interface ScrollRequest extends Selection {
  readonly filter?: Filter;
  readonly limit: number;
  /** The last id of the page before, or null. */
  readonly after: PointId | null;
}

export interface SearchRequest extends Selection {
  readonly target: { readonly vector: Float32Array } | { readonly id: PointId };
  readonly limit: number;
  readonly offset: number;
  readonly efSearch?: number;
  readonly exact: boolean;
  readonly scoreThreshold?: number;
  readonly explain: boolean;
}

export interface SearchHit extends FoundPoint {
  readonly score: number;
}

export interface Explanation {
  readonly plan: string;
  readonly reason: string;
  readonly cardinality: { readonly estimated: number; readonly actual: number };
  readonly visited: number;
  readonly rejected: number;
  readonly steps: readonly { readonly name: string; readonly tookMs: number }[];
  readonly engines: { readonly vector: Readonly<Record<string, unknown>> };
  readonly advice: readonly string[];
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  readonly complete: boolean;
  readonly incompleteReason?: string;
  readonly mode: 'vector' | 'exact';
  readonly tookMs: number;
  readonly position: Position;
  readonly explain?: Explanation;
}

/** Numbers for /metrics and /health, plain data, taken at once. */
export interface EngineStatus {
  readonly position: Position;
  readonly indexedSeq: number;
  readonly collections: number;
  readonly points: number;
  readonly writeQueue: { readonly requests: number; readonly bytes: number };
  readonly commits: { readonly count: number; readonly units: number; readonly lastMs: number };
  readonly index: {
    readonly building: number;
    readonly lagBytes: number;
    readonly searchesWaiting: number;
    readonly rebuilds: number;
  };
  readonly log: { readonly minSeq: number; readonly bytes: number };
  readonly storage: {
    readonly databaseBytes: number;
    readonly walBytes: number;
    readonly diskFreeBytes: number;
    /** Writes are refused for want of room. */
    readonly full: boolean;
    /** Writes are refused because the data folder cannot be written. */
    readonly readOnly: boolean;
  };
  readonly nativeBuild: string;
}

export interface ScrubReport {
  readonly rows: number;
  /** CorruptData records, at most 1,000. */
  readonly damaged: readonly ErrorRecord[];
}

export interface Engine {
  /** Applies the operations as one atomic unit. Large vector and payload buffers are given away: do not use them afterwards.
   *  @throws any typed refusal (nothing happened) · Overloaded (nothing happened) · DiskLimitExceeded (nothing happened)
   *  · Timeout (durable, not yet indexed; or still queued: then it may still happen) · ShuttingDown (nothing happened)
   *  · Internal (the write thread ended: it may have happened) */
  write(operations: readonly Operation[], options: WriteOptions): Promise<WriteReceipt>;
  /** Deletes what matches, in units of up to 10,000 points or about 64 MiB of payloads; every unit is atomic. */
  deleteByFilter(collection: string, filter: Filter, options: WriteOptions): Promise<WriteReceipt & { readonly units: number }>;

  collections(): CollectionInfo[];
  /** @throws CollectionNotFound, InvalidCollectionName */
  collection(name: string): CollectionInfo;
  /** Null when there is none of this name. */
  findCollection(name: string): CollectionInfo | null;

  /** @throws PayloadTooLarge when the points have more than limits.answerBytesMax */
  get(
    collection: string,
    ids: readonly PointId[],
    selection: Selection,
  ): Promise<{ points: FoundPoint[]; missing: PointId[]; position: Position }>;
  /** Stops early at limits.scrollBytesMax; next is the last id of the page when more may follow, else null. */
  scroll(collection: string, request: ScrollRequest): Promise<{ points: FoundPoint[]; next: PointId | null; position: Position }>;
  count(collection: string, filter?: Filter): Promise<{ count: number; position: Position }>;
  /** @param budget shared by searches that are answered together; alone it has limits.answerBytesMax
   *  @throws CollectionNotFound, DimensionMismatch, ZeroVector, PointNotFound, Overloaded · PayloadTooLarge when the hits do not fit */
  search(collection: string, request: SearchRequest, budget?: AnswerBudget): Promise<SearchAnswer>;

  /** The durable position. */
  position(): Position;
  /** Resolves when this node (its store, or its index of the collection too) is at least at `position`.
   *  @throws PositionLost · ReplicaBehind · IndexBehind when maxWaitMs passes first */
  waitFor(position: Position, level: WaitLevel, collection: string | null, maxWaitMs: number): Promise<void>;
  status(): EngineStatus;
  /** Reads every row once for its checksum, a page at a time, beside the normal work. */
  scrub(): Promise<ScrubReport>;
}

/** An engine with its owner's side. */
export interface RunningEngine extends Engine {
  /** Finishes what was accepted, saves the indexes, closes the store. */
  stop(): Promise<void>;
}

/** How far a start is. */
export interface StartProgress {
  readonly step: 'lock' | 'verify' | 'open' | 'indexes' | 'ready';
  /** 0 … 1 within the step. */
  readonly progress: number;
  readonly etaMs: number | null;
  readonly message: string;
}
