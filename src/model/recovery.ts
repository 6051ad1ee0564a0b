/** What a node says about damage in its store and about its repair, as plain data: shared by the room that repairs and the rooms that show.
 *
 *  Times of day are milliseconds since 1970; unknown is null. */

import type { Damage } from './damage.js';

/** log              what stood there is read from the own operation log
 *  master, replica  it is fetched from another node
 *  backup           it is taken from the backups
 *  recount          sums are counted anew from the points
 *  snapshot         a replica takes all data from its master again */
export const WAYS = ['log', 'master', 'replica', 'backup', 'recount', 'snapshot'] as const;
export type Way = (typeof WAYS)[number];

/** repaired   it is what was written
 *  begun      the snapshot was asked for
 *  absent     the other side does not have it (as it was)
 *  unproven   what came cannot be proven to be what stood there
 *  failed     nothing came, or it could not be written */
export const OUTCOMES = ['repaired', 'begun', 'absent', 'unproven', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface RecoveryAttempt {
  readonly atMs: number;
  readonly way: Way;
  readonly outcome: Outcome;
  readonly damage: Damage;
  /** Why it did not work, or null. */
  readonly error: string | null;
}

/** Damage that is known and not repaired. */
export interface KnownDamage {
  readonly damage: Damage;
  /** The collection's name, or null. */
  readonly collection: string | null;
  readonly foundAtMs: number;
  readonly attempts: number;
  /** Nobody could help: it stays unreadable. */
  readonly quarantined: boolean;
}

export interface ScrubStatus {
  /** False: switched off. */
  readonly on: boolean;
  readonly running: boolean;
  readonly rowsTotal: number;
  readonly bytesTotal: number;
  /** When every row had been read last, by a pass or by the start; null: neither did since the start. */
  readonly lastCompletedAtMs: number | null;
}

export interface RecoveryStatus {
  readonly scrub: ScrubStatus;
  readonly damaged: number;
  readonly quarantined: number;
  /** The first ones that were found, at most 100. */
  readonly known: readonly KnownDamage[];
  /** Of the process, by way and outcome. */
  readonly counts: readonly { readonly way: Way; readonly outcome: Outcome; readonly count: number }[];
  /** Newest first, at most 100. */
  readonly attempts: readonly RecoveryAttempt[];
  /** What lies in quarantine/ of the data folder. */
  readonly quarantineBytes: number;
}
