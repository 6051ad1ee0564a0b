/** Policy: whether a backup is due now, of which kind, and if not, when to ask again. Decisions only: it reads no clock and no log.
 *
 *  Due: so many operations, or so much time, since the newest backup; nothing is due while nothing was written. At once: one between is
 *  missing, or nothing is held of the history that runs, as behind a promotion and a restore. Full: there is none, the log does not
 *  continue them, the newest full one is old, or replaying what came after it would cost as much as it. Never before `minIntervalMs` after the last one ended; after failures the wait grows. What was due meanwhile is one backup. */

import { delayMs } from '../model/backoff.js';

export interface BackupSchedule {
  /** 0: not by operations. */
  readonly everyOperations: number;
  /** 0: not by time. */
  readonly intervalMs: number;
  /** From the end of one attempt to the next. */
  readonly minIntervalMs: number;
  readonly fullIntervalMs: number;
}

export interface BackupProgress {
  /** On a clock that is never set, as all instants here. */
  readonly nowMs: number;
  /** The newest backup that is whole, or null. */
  readonly newest: {
    readonly createdAtMs: number;
    /** Written, and in no increment. */
    readonly operationsSince: number;
    /** Does the log hold what comes next, in the same history, and do increments without a gap lead there? */
    readonly continued: boolean;
    /** Is something older in no increment, or nothing at all of the history that runs? */
    readonly lacking: boolean;
  } | null;
  /** The newest full backup that is good, with what came behind it, or null. */
  readonly full: {
    readonly createdAtMs: number;
    readonly bytes: number;
    readonly increments: number;
    readonly incrementBytes: number;
  } | null;
  /** When the last attempt ended, good or bad; null: none since the start. */
  readonly lastEndedAtMs: number | null;
  /** Attempts in a row that failed. */
  readonly failures: number;
}

export type FullReason = 'first' | 'not_continued' | 'full_interval' | 'increments_outweigh';
export type DueReason = 'first' | 'operations' | 'interval' | 'not_continued' | 'lacking';

export type BackupDue =
  /** @property askAgainMs  how long nothing can be due by time alone; null: only writes or settings can change it */
  | { readonly kind: 'none'; readonly askAgainMs: number | null }
  | { readonly kind: 'incremental'; readonly because: DueReason }
  | { readonly kind: 'full'; readonly because: DueReason; readonly fullBecause: FullReason };

/** Replaying goes over every increment: so many are as good as too many bytes. */
const INCREMENTS_MAX = 1_000;
const FAILURE_WAIT = { strategy: 'exponential', baseDelayMs: 10_000, maxDelayMs: 15 * 60_000, factor: 2 } as const;

export function backupDue(progress: BackupProgress, schedule: BackupSchedule): BackupDue {
  const because = dueReason(progress, schedule);
  const restMs = restLeftMs(progress, schedule);
  if (because === null) return { kind: 'none', askAgainMs: untilIntervalMs(progress, schedule, restMs) };
  if (restMs > 0) return { kind: 'none', askAgainMs: restMs };
  const fullBecause = fullReason(progress, schedule);
  return fullBecause === null ? { kind: 'incremental', because } : { kind: 'full', because, fullBecause };
}

/** Why the next backup must be a full one, whoever asks for it; null: an increment will do. */
export function fullReason({ nowMs, newest, full }: BackupProgress, schedule: BackupSchedule): FullReason | null {
  if (newest === null || full === null) return 'first';
  if (!newest.continued) return 'not_continued';
  if (elapsed(nowMs, full.createdAtMs) >= schedule.fullIntervalMs) return 'full_interval';
  return full.incrementBytes >= full.bytes || full.increments >= INCREMENTS_MAX ? 'increments_outweigh' : null;
}

function dueReason({ nowMs, newest, full }: BackupProgress, { everyOperations, intervalMs }: BackupSchedule): DueReason | null {
  if (everyOperations === 0 && intervalMs === 0) return null;
  if (newest === null || full === null) return 'first';
  // Another line of data, or a gap: what was written there is in no backup that can be used, however little it is.
  if (!newest.continued) return 'not_continued';
  if (newest.lacking) return 'lacking';
  if (newest.operationsSince === 0) return null;
  if (everyOperations > 0 && newest.operationsSince >= everyOperations) return 'operations';
  return intervalMs > 0 && elapsed(nowMs, newest.createdAtMs) >= intervalMs ? 'interval' : null;
}

function restLeftMs({ nowMs, lastEndedAtMs, failures }: BackupProgress, { minIntervalMs }: BackupSchedule): number {
  if (lastEndedAtMs === null) return 0;
  const waitMs = failures === 0 ? minIntervalMs : Math.max(minIntervalMs, delayMs(FAILURE_WAIT, failures));
  return Math.max(0, waitMs - elapsed(nowMs, lastEndedAtMs));
}

function untilIntervalMs({ nowMs, newest }: BackupProgress, { intervalMs }: BackupSchedule, restMs: number): number | null {
  if (newest === null || intervalMs === 0 || newest.operationsSince === 0) return null;
  return Math.max(1, restMs, intervalMs - elapsed(nowMs, newest.createdAtMs));
}

/** A clock that was set back makes nothing younger than now. */
function elapsed(nowMs: number, sinceMs: number): number {
  return Math.max(0, nowMs - sinceMs);
}
