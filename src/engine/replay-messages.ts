/** What crosses the border between whoever replays a log and the thread that does it. Plain data only. */

import type { Limits } from '../model/limits.js';
import type { StoreState } from '../storage/storage.js';
import type { CarriedOver } from './carried-over.js';
import type { ApplyFailure, EntryBatch } from './engine.js';

export interface ReplayTarget {
  /** The last unit that ends at or before this seq; null: no such bound. */
  readonly seq: number | null;
  /** The units before the first that is later than this instant, ms since 1970; null: no such bound. */
  readonly timeMs: number | null;
}

/** What the store is from now on. */
export interface ReplayEnding {
  readonly clusterId: string;
  readonly nodeId: string;
  /** Of the history that begins; later than every epoch of the store. */
  readonly historyId: string;
  readonly epoch: number;
  readonly carried: CarriedOver;
}

export interface ReplayState {
  readonly state: StoreState;
  /** Of the last entry; null when it is not known. */
  readonly timeMs: number | null;
  /** Nothing later is applied any more. */
  readonly reached: boolean;
}

export interface ReplayThreadData {
  readonly databasePath: string;
  readonly cacheBytes: number;
  readonly limits: Limits;
  readonly target: ReplayTarget;
  /** Of the entry at which the store stands; null when nobody knows. */
  readonly timeMs: number | null;
}

export type ToReplay =
  | { readonly kind: 'batch'; readonly batch: EntryBatch }
  | { readonly kind: 'finish'; readonly ending: ReplayEnding | null };

export type FromReplay =
  | { readonly kind: 'state'; readonly state: ReplayState }
  | { readonly kind: 'refused'; readonly failure: ApplyFailure }
  | { readonly kind: 'failed'; readonly full: boolean; readonly message: string };
