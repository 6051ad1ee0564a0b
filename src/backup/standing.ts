/** Where the archive stands against the log that runs: what of it continues this line of data, what the log must keep, what may go. Pure.
 *  Must not know: targets, clocks, when something is due. */

import type { BackupInfo } from '../model/backup.js';
import { historyEnd } from '../model/position.js';
import type { Listing } from './archive.js';
import { type BackupHead, type FullHead, type IncrementHead, storedBytesOf } from './head.js';
import { readName } from './names.js';
import type { BackupProgress } from './policy.js';
import type { KeptBackup } from './retention.js';

/** The log as it runs. */
export interface Running {
  readonly seq: number;
  readonly logMinSeq: number;
  /** Oldest first. */
  readonly lineage: readonly { readonly historyId: string; readonly startSeq: number }[];
}

export interface Standing {
  /** The newest backup of this line of data; null: there is none. */
  readonly newest: BackupHead | null;
  readonly full: FullHead | null;
  /** Behind the newest full one. */
  readonly increments: readonly IncrementHead[];
  /** Does the log still have what follows the newest? */
  readonly continued: boolean;
}

/** An increment is made anew, longer, while it is smaller than this: so there is not one for each minute. */
export const MERGED_BYTES_MAX = 1024 * 1024;

export function standingOf({ backups }: Pick<Listing, 'backups'>, running: Running): Standing {
  const own = backups.filter(({ end }) => isOn(running, end));
  const newest = lastOf(own);
  const full = lastOf(own.filter((head): head is FullHead => head.kind === 'full'));
  const increments = own.filter(
    (head): head is IncrementHead => head.kind === 'incremental' && head.end.seq > (full?.end.seq ?? 0),
  );
  const continued = newest !== null && running.logMinSeq <= newest.end.seq + 1;
  return { newest, full, increments, continued };
}

export function progressOf(
  standing: Standing,
  { seq }: Running,
  attempts: Pick<BackupProgress, 'nowMs' | 'lastEndedAtMs' | 'failures'>,
): BackupProgress {
  const { newest, full, increments, continued } = standing;
  return {
    ...attempts,
    newest: newest && { createdAtMs: newest.createdAtMs, operationsSince: seq - newest.end.seq, continued },
    full: full && {
      createdAtMs: full.createdAtMs,
      bytes: storedBytesOf(full),
      increments: increments.length,
      incrementBytes: increments.reduce((sum, head) => sum + storedBytesOf(head), 0),
    },
  };
}

/** The increment that the next one takes the place of, or null: the newest backup, while it is small and the log has all of it. */
export function mergeable({ newest }: Standing, { logMinSeq }: Running): IncrementHead | null {
  if (newest?.kind !== 'incremental' || storedBytesOf(newest) >= MERGED_BYTES_MAX) return null;
  return logMinSeq <= newest.fromSeq ? newest : null;
}

/** From where the log is to be kept: what is in no backup yet, and what the next increment holds again.
 *  Without any backup of this line, all that is there: nobody knows yet what is needed. */
export function keepLogFrom(standing: Standing, running: Running): number {
  const { newest } = standing;
  if (newest === null) return running.logMinSeq;
  return mergeable(standing, running)?.fromSeq ?? newest.end.seq + 1;
}

/** What the rules of retention look at. */
export function keptBackups({ backups, damaged }: Pick<Listing, 'backups' | 'damaged'>): KeptBackup[] {
  const sound = backups.map((head): KeptBackup => {
    const { id, kind, createdAtMs } = head;
    return { id, kind, createdAtMs, good: true, continues: kind === 'full' ? [] : continuedBy(head, backups) };
  });
  // Nothing hangs on what is damaged; it goes when sound ones have taken its place.
  const broken = damaged.map(({ id }): KeptBackup => {
    const createdAtMs = readName(id)?.createdAtMs ?? 0;
    return { id, kind: 'full', createdAtMs, good: false, continues: [] };
  });
  return [...sound, ...broken];
}

function continuedBy(head: IncrementHead, backups: readonly BackupHead[]): string[] {
  return backups
    .filter((before) => before.id !== head.id && head.fromSeq <= before.end.seq + 1 && before.end.seq < head.end.seq)
    .filter((before) => isOn({ lineage: head.lineage, seq: head.end.seq }, before.end))
    .map(({ id }) => id);
}

export function infoOf(head: BackupHead, verified: ReadonlyMap<string, number>): BackupInfo {
  const { id, kind, createdAtMs, end } = head;
  const { historyId, epoch, seq, timeMs } = end;
  const fromSeq = head.kind === 'full' ? null : head.fromSeq;
  const verifiedAtMs = verified.get(id) ?? null;
  return { id, kind, createdAtMs, fromSeq, end: { historyId, epoch, seq }, timeMs, bytes: storedBytesOf(head), verifiedAtMs };
}

/** Did this line of data go through the place? */
export function isOn(
  { lineage, seq }: Pick<Running, 'lineage' | 'seq'>,
  place: { readonly historyId: string; readonly seq: number },
): boolean {
  const last = historyEnd(lineage, place.historyId, seq);
  return last !== null && place.seq <= last;
}

function lastOf<T extends BackupHead>(heads: readonly T[]): T | null {
  let last: T | null = null;
  for (const head of heads) {
    if (last === null || head.end.seq > last.end.seq || (head.end.seq === last.end.seq && head.id > last.id)) last = head;
  }
  return last;
}
