/** Backups as they are told: to clients, metrics and health. Plain data. Must not know: targets, how backups are made. */

import type { Position } from './position.js';

export type BackupKind = 'full' | 'incremental';

export interface BackupInfo {
  /** Its name. */
  readonly id: string;
  readonly kind: BackupKind;
  readonly createdAtMs: number;
  /** First seq inside; null of a full one. */
  readonly fromSeq: number | null;
  /** Where the data stands at its end. */
  readonly end: { readonly historyId: string; readonly epoch: number; readonly seq: number };
  /** Of the last entry; null when nobody knew it. */
  readonly timeMs: number | null;
  /** As stored. */
  readonly bytes: number;
  /** When it was last restored for a check and found to be right; null: never. */
  readonly verifiedAtMs: number | null;
}

/** One that is not what it was. */
export interface DamagedBackup {
  readonly id: string;
  /** The key of what is wrong. */
  readonly object: string;
  readonly problem: string;
}

/** Every state from there to the newest backup of the data that runs can be restored; null: none can, or it is not known. */
export interface RestorableFrom {
  readonly seq: number;
  /** Of the last entry that it has; null when nobody knew it. */
  readonly timeMs: number | null;
}

export interface BackupList {
  /** Newest first. */
  readonly backups: readonly BackupInfo[];
  readonly damaged: readonly DamagedBackup[];
  readonly restorableFrom: RestorableFrom | null;
  /** When the place was read; null: it was not yet, so that nothing is known of it. */
  readonly readAtMs: number | null;
  /** Why it could not be read now, so that this is as it was at readAtMs; null: it was read. */
  readonly readFailure: string | null;
}

export interface RestoreWish {
  /** The backup to begin from (a full one) or to end in (an increment); null: whatever leads there. */
  readonly backup: string | null;
  /** A position of a client, or a seq of the newest line of data; null: no such bound. */
  readonly position: Position | null;
  readonly seq: number | null;
  /** The state before the first unit that is later, ms since 1970; null: no such bound. */
  readonly timeMs: number | null;
}

export interface RestoreReceipt {
  /** Where the restored data begins its history. */
  readonly position: Position;
  /** Where the data ended that it took the place of; all of it is in the archive. */
  readonly replaced: Position;
}

/** What a restore does, or would do. */
export interface RestoreForecast {
  /** The full backup that it begins with, and the increments that follow. */
  readonly base: string;
  readonly increments: readonly string[];
  /** The last unit that it has, and when that was written. */
  readonly seq: number;
  readonly timeMs: number | null;
  readonly historyId: string;
  readonly epoch: number;
  /** To be fetched, and what that is unpacked. */
  readonly storedBytes: number;
  readonly plainBytes: number;
  /** Operations of the running data that the restored state does not have; null when it is of another line, or there is none. */
  readonly operationsLost: number | null;
}

export interface DrillReport {
  /** The backups that were restored: a full one and what follows it. */
  readonly backups: readonly string[];
  readonly startedAtMs: number;
  readonly tookMs: number;
  readonly ok: boolean;
  /** Why it failed; null when it did not. */
  readonly problem: string | null;
  readonly seq: number | null;
  readonly points: number | null;
  /** The least recall of its collections, measured on a sample; null when none could be searched. */
  readonly recall: number | null;
}

/** A job, or none: they run one at a time. */
export interface BackupActivity {
  readonly kind: BackupKind | 'drill' | 'restore' | 'removal';
  readonly sinceMs: number;
}

export interface BackupStatus {
  /** What the target is, without secrets; null: none is configured. */
  readonly target: string | null;
  readonly running: BackupActivity | null;
  /** Is it this node that makes backups now? */
  readonly active: boolean;
  /** Null: the target has not been read yet. */
  readonly stored: {
    readonly fulls: number;
    readonly increments: number;
    readonly damaged: number;
    readonly bytes: number;
    readonly newestAtMs: number | null;
    readonly newestBytes: number | null;
    readonly restorableFrom: RestorableFrom | null;
    /** Written since the newest backup; null when there is none of this line. */
    readonly operationsSince: number | null;
    readonly lastVerifiedAtMs: number | null;
  } | null;
  /** Since the start. */
  readonly made: Readonly<Record<BackupKind, number>>;
  readonly failed: number;
  readonly failuresInRow: number;
  readonly lastFailure: { readonly atMs: number; readonly message: string } | null;
  /** How long the newest backup took that this node made. */
  readonly lastTookMs: number | null;
  readonly drill: DrillReport | null;
  readonly drillsFailed: number;
}
