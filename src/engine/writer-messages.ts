/** What crosses the border between the main thread and the write thread. Plain data only. */

import type { ErrorRecord } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import type { CollectionRow, StoreState } from '../storage/storage.js';
import type { UnitOutcome, UnitRequest } from './unit-writer.js';

export interface WriterData {
  readonly dataDir: string;
  readonly storePath: string;
  readonly limits: Limits;
  readonly cacheBytes: number;
  readonly bootId: string;
}

export type ToWriter =
  | { readonly kind: 'write'; readonly id: number; readonly bytes: number; readonly request: UnitRequest }
  /** Dead rows up to this seq are needed by nobody. */
  | { readonly kind: 'reap'; readonly throughSeq: number }
  /** Runs what is queued, moves the WAL, marks a clean shutdown, ends. */
  | { readonly kind: 'stop' };

export type WriteReply =
  | { readonly id: number; readonly outcome: UnitOutcome }
  | { readonly id: number; readonly refused: ErrorRecord };

export interface StoreFigures {
  readonly databaseBytes: number;
  readonly walBytes: number;
  readonly logMinSeq: number;
  readonly logBytes: number;
}

export type FromWriter =
  | { readonly kind: 'opened'; readonly state: StoreState; readonly collections: readonly CollectionRow[] }
  /** One durable group: the new state, what changed in the catalogue (droppedSeq set: gone), and every answer. */
  | {
      readonly kind: 'committed';
      readonly state: StoreState;
      readonly changed: readonly CollectionRow[];
      readonly replies: readonly WriteReply[];
      readonly commitMs: number;
    }
  | { readonly kind: 'refused'; readonly replies: readonly WriteReply[]; readonly full: boolean }
  | { readonly kind: 'figures'; readonly figures: StoreFigures }
  | { readonly kind: 'fatal'; readonly message: string }
  | { readonly kind: 'stopped' };
