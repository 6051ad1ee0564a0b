/** What crosses the border between the main thread and an index worker. Plain data only. */

import type { CollectionSpec } from '../model/collection.js';
import type { IndexStatus } from '../vector-index/vector-index.js';

export interface IndexWorkerData {
  readonly storePath: string;
  readonly cacheBytes: number;
}

/** What an index worker must know of a collection. */
export interface IndexedCollection {
  readonly uid: number;
  readonly labelGeneration: number;
  readonly spec: CollectionSpec;
  /** Where this collection's checkpoints are: <store>/checkpoints/<uid>/default. */
  readonly folder: string;
}

export type ToIndex =
  | { readonly kind: 'open'; readonly collection: IndexedCollection }
  | { readonly kind: 'close'; readonly uid: number }
  /** The store has durable changes for these collections. */
  | { readonly kind: 'advance'; readonly uids: readonly number[] }
  | {
      readonly kind: 'search';
      readonly id: number;
      readonly uid: number;
      readonly query: Float32Array;
      readonly limit: number;
      readonly ef: number;
    }
  | { readonly kind: 'checkpoint'; readonly uid: number }
  /** Rows of the collection were changed at a seq that the index may have passed. */
  | { readonly kind: 'settle'; readonly id: number; readonly uid: number }
  /** Saves what is worth saving and ends. */
  | { readonly kind: 'stop' };

export type IndexPhase = 'building' | 'ready';

export interface IndexReport {
  readonly uid: number;
  readonly phase: IndexPhase;
  /** Everything up to this seq is inside. */
  readonly seq: number;
  readonly nextLabel: number;
  readonly status: IndexStatus;
  /** Estimated milliseconds to replay what the newest checkpoint lacks. */
  readonly replayMs: number;
  /** Estimated milliseconds to build the graph of all live points. */
  readonly rebuildMs: number;
  readonly checkpointBytes: number;
  readonly saving: boolean;
  /** The newest checkpoint that was tried could not be written. */
  readonly saveFailed: boolean;
}

export type FromIndex =
  | { readonly kind: 'report'; readonly report: IndexReport }
  | {
      readonly kind: 'hits';
      readonly id: number;
      readonly seq: number;
      readonly labels: Uint32Array;
      readonly scores: Float64Array | null;
      readonly scanned: number;
      readonly live: number;
    }
  /** message null: the collection is not here (any more). */
  | { readonly kind: 'search_failed'; readonly id: number; readonly message: string | null }
  /** The index has what the store has, or is no more. */
  | { readonly kind: 'settled'; readonly id: number }
  | { readonly kind: 'note'; readonly event: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: 'stopped' };
