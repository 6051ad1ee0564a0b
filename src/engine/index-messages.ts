/** What crosses the border between the main thread and an index worker. Plain data only. */

import type { CollectionSpec } from '../model/collection.js';
import type { ErrorRecord } from '../model/errors.js';
import type { IndexAnswers, IndexAsk, IndexAskKind } from './index-asks.js';

/** The two kinds of workers: one keeps vectors, one keeps texts. Each keeps payload indexes of its own, so that one can fail alone. */
export type EngineKind = 'vector' | 'text';
export const ENGINES: readonly EngineKind[] = ['vector', 'text'];

export interface IndexWorkerData {
  readonly storePath: string;
  readonly cacheBytes: number;
}

export interface IndexThreadData extends IndexWorkerData {
  readonly engine: EngineKind;
  /** The board of given-up.ts, for the questions of this pool. */
  readonly givenUp: SharedArrayBuffer;
}

/** What an index worker must know of a collection. */
export interface IndexedCollection {
  readonly uid: number;
  readonly labelGeneration: number;
  readonly spec: CollectionSpec;
  /** Where this worker's checkpoints of the collection are: <store>/checkpoints/<uid>/default or text. */
  readonly folder: string;
}

export type ToIndex =
  /** opening: of all that a pool opens, the number of this one, which its reports bear. */
  | { readonly kind: 'open'; readonly collection: IndexedCollection; readonly opening: number }
  | { readonly kind: 'close'; readonly uid: number }
  /** The collection's settings changed. */
  | { readonly kind: 'configure'; readonly collection: IndexedCollection }
  /** The store has durable changes for these collections. */
  | { readonly kind: 'advance'; readonly uids: readonly number[] }
  /** untilMs: Date.now() from which on nobody waits for the answer. */
  | { readonly kind: 'ask'; readonly id: number; readonly uid: number; readonly ask: IndexAsk; readonly untilMs: number }
  | { readonly kind: 'checkpoint'; readonly uid: number }
  /** The graph is to be left for a fresh one. */
  | { readonly kind: 'renew'; readonly uid: number }
  /** What is kept only to be faster is forgotten. */
  | { readonly kind: 'relieve' }
  /** Rows of the collection were changed at a seq that the index may have passed. */
  | { readonly kind: 'settle'; readonly id: number; readonly uid: number }
  /** Saves what is worth saving and ends. */
  | { readonly kind: 'stop' };

export type IndexPhase = 'building' | 'ready';

/** What the content of a worker says of itself; fields that one kind does not have are 0 or 1. */
export interface ContentStatus {
  readonly kind: 'flat' | 'graph' | 'text';
  readonly live: number;
  /** Of texts: live points with a word. */
  readonly worded?: number;
  readonly tombstones: number;
  readonly unranked: number;
  readonly memoryBytes: number;
  /** Live points that wait for their place in the graph. */
  readonly waiting: number;
  /** Points still to be moved while the graph is rebuilt. */
  readonly growing: number;
  readonly rebuilds: number;
  /** How far newly declared payload fields are read; 1 when they answer filters. */
  readonly payloadProgress: number;
  /** Live points that have a named vector, by its key. */
  readonly vectors?: ReadonlyMap<string, number>;
}

export interface IndexReport {
  readonly uid: number;
  readonly engine: EngineKind;
  readonly phase: IndexPhase;
  /** Everything up to this seq is inside. */
  readonly seq: number;
  readonly nextLabel: number;
  readonly status: ContentStatus;
  /** How far content with other settings is built beside the one that serves; 1: there is none. */
  readonly nextProgress: number;
  /** How often other settings came to be served. */
  readonly configurations: number;
  /** The settings that are served (index-settings.ts); declared payload fields may still be read for them. */
  readonly settings: string;
  /** Estimated milliseconds to replay what the newest checkpoint lacks. */
  readonly replayMs: number;
  /** Estimated milliseconds to build it anew from all live points. */
  readonly rebuildMs: number;
  readonly checkpointBytes: number;
  readonly saving: boolean;
  /** The newest checkpoint that was tried could not be written. */
  readonly saveFailed: boolean;
  /** Live points that could not be read and are not inside. */
  readonly damaged: number;
}

export type FromIndex =
  | { readonly kind: 'report'; readonly report: IndexReport; readonly opening: number }
  /** workMs: what it took without waiting. */
  | { readonly kind: 'answer'; readonly id: number; readonly answer: IndexAnswers[IndexAskKind]; readonly workMs: number }
  /** error null: the collection is not here (any more). */
  | { readonly kind: 'refused'; readonly id: number; readonly error: ErrorRecord | null; readonly workMs: number }
  /** The index has what the store has, or is no more. */
  | { readonly kind: 'settled'; readonly id: number }
  /** It is there, twice a second. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'note'; readonly event: string; readonly fields: Readonly<Record<string, unknown>> }
  /** It has heard that it must end, and saves. */
  | { readonly kind: 'stopping' }
  | { readonly kind: 'stopped' };
