/** What crosses the border between the main thread and the write thread. Plain data only. */

import type { AccessKey, AccessKeyChange } from '../model/access-key.js';
import type { Alias, AliasChange } from '../model/alias.js';
import type { ErrorRecord } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import type { Role } from '../model/replication.js';
import type { ClusterRows, CollectionRow, StoreState } from '../storage/storage.js';
import type { Correction } from './correct.js';
import type { ApplyFailure, EntryBatch, TracedEntry } from './engine.js';
import type { WalCheckpoints } from './engine-work.js';
import type { Mending } from './mend.js';
import type { UnitOutcome, UnitRequest } from './unit-writer.js';

export interface WriterData {
  readonly dataDir: string;
  readonly storePath: string;
  readonly limits: Limits;
  readonly cacheBytes: number;
  readonly bootId: string;
  readonly role: Role;
  readonly ownFromEpoch: number;
}

export interface WriteMessage {
  readonly kind: 'write';
  readonly id: number;
  readonly bytes: number;
  readonly request: UnitRequest;
}

/** Takes effect when what was queued before is done. */
export interface RoleChange {
  readonly kind: 'role';
  readonly role: Role;
  /** As a master it writes by itself in this epoch and later ones; entries of earlier ones are another's to write. */
  readonly ownFromEpoch: number;
}

/** Answered as a write is; takes its place in the queue. */
export interface CorrectMessage {
  readonly kind: 'correct';
  readonly id: number;
  readonly correction: Correction;
}

/** Answered as a write is; takes its place in the queue. */
export interface MendMessage {
  readonly kind: 'mend';
  readonly id: number;
  readonly mending: Mending;
}

export type ToWriter =
  | WriteMessage
  | CorrectMessage
  | MendMessage
  | RoleChange
  /** Dead rows up to this seq are needed by nobody. */
  | { readonly kind: 'reap'; readonly throughSeq: number }
  /** What is left of earlier sessions is dropped. */
  | { readonly kind: 'session'; readonly session: number }
  | { readonly kind: 'batch'; readonly session: number; readonly batch: EntryBatch }
  /** The log is wanted from this seq on; null: no more. */
  | { readonly kind: 'keep_log'; readonly fromSeq: number | null }
  /** Runs what is queued, moves the WAL, marks a clean shutdown, ends. */
  | { readonly kind: 'stop' };

export type WriteReply =
  | { readonly id: number; readonly outcome: UnitOutcome }
  | { readonly id: number; readonly refused: ErrorRecord };

export interface StoreFigures {
  readonly walCheckpoints: WalCheckpoints;
  readonly databaseBytes: number;
  readonly walBytes: number;
  readonly logMinSeq: number;
  readonly logBytes: number;
}

/** Before the first were told. */
export const NO_FIGURES: StoreFigures = {
  databaseBytes: 0,
  walBytes: 0,
  walCheckpoints: { count: 0, totalMs: 0, lastMs: 0 },
  logMinSeq: 1,
  logBytes: 0,
};

/** What a write thread tells of its role and of what it applies. */
export type FollowerNews =
  | { readonly kind: 'role_changed'; readonly role: Role }
  /** The rest of the session is dropped. */
  | { readonly kind: 'apply_failed'; readonly session: number; readonly failure: ApplyFailure }
  /** Entries that carried a trace context are durable here. */
  | { readonly kind: 'traced'; readonly entries: readonly TracedEntry[] }
  /** So many bytes of batches are held no more. */
  | { readonly kind: 'apply_room'; readonly bytes: number };

export type FromWriter =
  | {
      readonly kind: 'opened';
      readonly state: StoreState;
      readonly collections: readonly CollectionRow[];
      readonly aliases: readonly Alias[];
      readonly accessKeys: readonly AccessKey[];
      readonly cluster: ClusterRows;
    }
  /** One durable group: the new state, what changed in the catalogue (droppedSeq set: gone) and of aliases and keys, and every answer. */
  | {
      readonly kind: 'committed';
      readonly state: StoreState;
      readonly changed: readonly CollectionRow[];
      readonly aliases: readonly AliasChange[];
      readonly accessKeys: readonly AccessKeyChange[];
      /** Null when it is as before. */
      readonly cluster: ClusterRows | null;
      readonly replies: readonly WriteReply[];
      readonly commitMs: number;
    }
  /** A sweep over what has expired was refused, as a whole or for one collection. */
  | { readonly kind: 'sweep_refused'; readonly record: ErrorRecord }
  | { readonly kind: 'refused'; readonly replies: readonly WriteReply[]; readonly full: boolean }
  | FollowerNews
  | { readonly kind: 'figures'; readonly figures: StoreFigures }
  | { readonly kind: 'fatal'; readonly message: string }
  | { readonly kind: 'stopped' };
