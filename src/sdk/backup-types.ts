/** What users of the client see of backups. Unknown is null, never 0; times are ISO 8601. */

export interface Backup {
  /** Its name. */
  readonly id: string;
  readonly kind: 'full' | 'incremental';
  readonly createdAt: string;
  /** First seq inside; null of a full one. */
  readonly fromSeq: number | null;
  readonly seq: number;
  /** Token of where the data stands at its end. */
  readonly position: string;
  readonly time: string | null;
  readonly bytes: number;
  readonly verifiedAt: string | null;
}

export interface BackupDrill {
  readonly ok: boolean;
  readonly problem: string | null;
  readonly backups: readonly string[];
  readonly startedAt: string;
  readonly tookMs: number;
  readonly seq: number | null;
  readonly points: number | null;
  readonly recall: number | null;
}

export interface BackupList {
  /** Where they are kept; null: nowhere, so there are none. */
  readonly target: string | null;
  readonly active: boolean;
  readonly running: { readonly kind: string; readonly since: string } | null;
  /** Newest first. */
  readonly backups: readonly Backup[];
  /** When the target was read for this; null: not since the server started, so that nothing is known of it. */
  readonly readAt: string | null;
  /** Why it cannot be read now, so that this is as it was at readAt; null: it was read. */
  readonly readFailure: string | null;
  readonly damaged: readonly { readonly id: string; readonly object: string; readonly problem: string }[];
  /** Every state from there to the newest backup of the data that runs can be restored; null: none can. */
  readonly restorableFrom: { readonly seq: number; readonly time: string | null } | null;
  readonly operationsSince: number | null;
  readonly lastVerifiedAt: string | null;
  readonly failuresInRow: number;
  readonly lastFailure: { readonly at: string; readonly message: string } | null;
  readonly lastDrill: BackupDrill | null;
}

export interface RestoreTarget {
  /** A full backup to begin from or an increment to end in; left out: whatever leads there. */
  readonly backup?: string;
  /** A position token, or a seq of the newest line of data. */
  readonly toPosition?: string | number;
  /** ISO 8601: the state before the first unit that is later. */
  readonly toTime?: string;
}

export interface Restore {
  readonly dryRun: boolean;
  readonly base: string;
  readonly increments: readonly string[];
  readonly seq: number;
  readonly time: string | null;
  readonly storedBytes: number;
  readonly plainBytes: number;
  readonly operationsLost: number | null;
  /** Null after a dry run. */
  readonly restoredPosition: string | null;
  readonly replacedPosition: string | null;
}
