/** Where the archive stands against the log that runs: what of it continues this line of data, what the log must keep, what may go. Pure.
 *  Must not know: targets, clocks, when something is due. */

import type { BackupInfo } from '../model/backup.js';
import { historyEnd } from '../model/position.js';
import type { Listing } from './archive.js';
import type { BrokenBackup } from './damaged.js';
import { type BackupHead, type FullHead, type IncrementHead, plainBytesOf, storedBytesOf } from './head.js';
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

/** What is known of an archive. */
type Found = Pick<Listing, 'backups'> & Partial<Pick<Listing, 'damaged'>>;

export interface Standing {
  /** The newest backup of this line of data; null: there is none. */
  readonly newest: BackupHead | null;
  readonly full: FullHead | null;
  /** Behind the newest full one. */
  readonly increments: readonly IncrementHead[];
  /** Where the next increment begins: at the first seq of a unit that the log has and no increment of this line. Null: there is none. */
  readonly fromSeq: number | null;
  /** Where it ends at the latest: where a full one does, so that what follows that one is in increments of its own. Null: at the end of the log. */
  readonly toSeq: number | null;
  /** Would an increment that is made now be of use: is it there, and do the newest full one and increments lead to it without a gap? */
  readonly continued: boolean;
  /** Is something in no increment that is older than the newest, or that only a damaged one holds, or nothing at all of the history that runs? */
  readonly lacking: boolean;
}

/** An increment is made anew, longer, while it is smaller than this: so there is not one for each minute. */
export const MERGED_BYTES_MAX = 1024 * 1024;
/** Unpacked: far below what one may hold (writing.ts), so that each goes on behind the one before. */
const MERGED_PLAIN_BYTES_MAX = 64 * 1024 * 1024;

/** Clocks of nodes are as equal as this. */
export const CLOCKS_APART_MS_MAX = 60_000;

/** Increments are one line beside the full ones: they go on where the last one ended, whether full ones lie between or not. So every full one leads
 *  to the newest state, and every moment since the oldest can be restored. */
export function standingOf({ backups, damaged = [] }: Found, running: Running): Standing {
  const own = backups.filter(({ end }) => isOn(running, end));
  const newest = lastOf(own);
  const full = lastOf(own.filter((head): head is FullHead => head.kind === 'full'));
  const line = own.filter((head): head is IncrementHead => head.kind === 'incremental');
  const increments = line.filter(({ end }) => end.seq > (full?.end.seq ?? 0));
  const fromSeq = firstMissing(own, line, running.logMinSeq);
  const continued = full !== null && fromSeq !== null && reachOf(full, increments) >= fromSeq - 1;
  const isHole = fromSeq !== null && line.some(({ end }) => end.seq >= fromSeq);
  const toSeq = fromSeq === null ? null : firstFullEnd(own, fromSeq);
  const isBroken = newest !== null && damaged.some((one) => isMissed(one, newest, fromSeq, running));
  const lacking = isHole || isBroken || !holdsHistory(own, running);
  return { newest, full, increments, fromSeq, toSeq, continued, lacking };
}

/** Behind the end of one of them, which is the end of a unit, and not before the oldest full one. */
function firstMissing(own: readonly BackupHead[], line: readonly IncrementHead[], logMinSeq: number): number | null {
  const oldest = Math.min(...own.filter(({ kind }) => kind === 'full').map(({ end }) => end.seq));
  const byStart = [...line].sort((left, right) => left.fromSeq - right.fromSeq);
  const ends = own.map(({ end }) => end.seq).filter((seq) => seq >= oldest);
  const starts = ends.map((seq) => seq + 1).sort((left, right) => left - right);
  let [at, heldTo] = [0, 0];
  for (const start of starts) {
    for (let head = byStart[at]; head !== undefined && head.fromSeq <= start; head = byStart[++at])
      heldTo = Math.max(heldTo, head.end.seq);
    if (start >= logMinSeq && start > heldTo) return start;
  }
  return null;
}

/** Does the log have something of it that is in no increment? What cannot be read may hold all that was there when it was made. */
function isMissed({ id, end }: BrokenBackup, newest: BackupHead, fromSeq: number | null, running: Running): boolean {
  if (fromSeq === null || fromSeq > running.seq) return false;
  return end === null ? id > newest.id : end.seq >= fromSeq && isOn(running, end);
}

function firstFullEnd(own: readonly BackupHead[], fromSeq: number): number | null {
  const ends = own.filter(({ kind, end }) => kind === 'full' && end.seq >= fromSeq).map(({ end }) => end.seq);
  return ends.length === 0 ? null : Math.min(...ends);
}

/** A history begins with an entry of its own. */
function holdsHistory(own: readonly BackupHead[], { lineage, seq }: Running): boolean {
  const current = lineage.at(-1);
  return current === undefined || seq <= current.startSeq || own.some(({ end }) => end.historyId === current.historyId);
}

/** How far the increments lead on from the full one before something is missing: a restore gets no further. */
function reachOf(full: FullHead, increments: readonly IncrementHead[]): number {
  let reach = full.end.seq;
  for (const { fromSeq, end } of [...increments].sort((left, right) => left.fromSeq - right.fromSeq)) {
    if (fromSeq > reach + 1) break;
    reach = Math.max(reach, end.seq);
  }
  return reach;
}

/** From where on every state of this line can be restored, up to its newest backup: the end of the oldest full one from which increments and
 *  other full ones lead on without a gap. Null: from nowhere. */
export function restorableFrom(backups: readonly BackupHead[], running: Running): BackupHead['end'] | null {
  const own = backups.filter(({ end }) => isOn(running, end)).sort((left, right) => right.end.seq - left.end.seq);
  // Whoever gets there gets to every state behind it.
  let from = own[0]?.end.seq ?? 0;
  let oldest: FullHead | null = null;
  for (const head of own) {
    if (head.end.seq < from) break;
    if (head.kind === 'full') oldest = head;
    from = Math.min(from, head.kind === 'full' ? head.end.seq - 1 : head.fromSeq - 1);
  }
  return oldest?.end ?? null;
}

/** What this node has tried: the clock of the world may be set, the other one never is. */
export interface Attempts {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** When the last attempt ended, and the last full backup that came of one; monotonic. Null: none since the start. */
  readonly lastEndedAtMs: number | null;
  readonly lastFullAtMs: number | null;
  readonly failures: number;
}

/** Instants in it are on the monotonic clock: no clock that is set, forward or back, keeps a backup from being due. */
export function progressOf(standing: Standing, { seq }: Running, attempts: Attempts): BackupProgress {
  const { newest, full, increments, fromSeq, continued, lacking } = standing;
  const { monotonicMs, lastEndedAtMs, lastFullAtMs, failures } = attempts;
  return {
    ...{ nowMs: monotonicMs, lastEndedAtMs, failures },
    newest: newest && {
      createdAtMs: madeAtMs(newest, attempts, lastEndedAtMs),
      operationsSince: seq - (fromSeq === null ? newest.end.seq : fromSeq - 1),
      ...{ continued, lacking },
    },
    full: full && {
      createdAtMs: madeAtMs(full, attempts, lastFullAtMs),
      bytes: storedBytesOf(full),
      increments: increments.length,
      incrementBytes: increments.reduce((sum, head) => sum + storedBytesOf(head), 0),
    },
  };
}

/** One that is later than now was made before the clock was set back: it is as old as this node remembers, or of unknown age. */
function madeAtMs({ createdAtMs }: BackupHead, { wallMs, monotonicMs }: Attempts, rememberedMs: number | null): number {
  if (createdAtMs <= wallMs + CLOCKS_APART_MS_MAX) return monotonicMs - Math.max(0, wallMs - createdAtMs);
  return rememberedMs ?? Number.NEGATIVE_INFINITY;
}

/** One that hardly takes room may still be as long as any: anew it would end where it ended. */
function isSmall(head: IncrementHead): boolean {
  return storedBytesOf(head) < MERGED_BYTES_MAX && plainBytesOf(head) < MERGED_PLAIN_BYTES_MAX;
}

/** The next increment up to this seq, and the one that it takes the place of. Null: there is nothing for it. */
export function nextStretch(
  standing: Standing,
  running: Running,
  toSeq: number,
): { readonly fromSeq: number; readonly toSeq: number; readonly merged: IncrementHead | null } | null {
  const { fromSeq } = standing;
  if (fromSeq === null || fromSeq > toSeq) return null;
  const merged = mergeable(standing, running);
  return { fromSeq: merged?.fromSeq ?? fromSeq, toSeq: Math.min(toSeq, standing.toSeq ?? toSeq), merged };
}

/** The increment that the next one takes the place of, or null: the last before it, while it is small and the log has all of it. */
export function mergeable({ increments, fromSeq }: Standing, { logMinSeq }: Running): IncrementHead | null {
  const last = lastOf(increments);
  if (last === null || fromSeq === null || last.end.seq !== fromSeq - 1 || !isSmall(last)) return null;
  return logMinSeq <= last.fromSeq ? last : null;
}

/** From where the log is to be kept: what is in no increment yet, and what the next one holds again.
 *  Without any backup of this line, all that is there: nobody knows yet what is needed. */
export function keepLogFrom(standing: Standing, running: Running): number {
  return mergeable(standing, running)?.fromSeq ?? standing.fromSeq ?? running.logMinSeq;
}

/** What the rules of retention look at. */
export function keptBackups({ backups, damaged }: Pick<Listing, 'backups' | 'damaged'>, running: Running): KeptBackup[] {
  const byEnd = [...backups].sort((left, right) => left.end.seq - right.end.seq);
  const sound = backups.map((head): KeptBackup => {
    const { id, kind, createdAtMs } = head;
    const isRunning = isOn(running, head.end);
    return { id, kind, createdAtMs, good: true, isRunning, continues: kind === 'full' ? [] : continuedBy(head, byEnd) };
  });
  // Nothing hangs on what is damaged; it goes when sound ones have taken its place.
  const broken = damaged.map(({ id }): KeptBackup => {
    const createdAtMs = readName(id)?.createdAtMs ?? 0;
    return { id, kind: 'full', createdAtMs, good: false, isRunning: false, continues: [] };
  });
  return [...sound, ...broken];
}

/** What it can be replayed after, the earliest end first.
 *  @param byEnd all backups; there may be thousands, so only the few that end in the right stretch are looked at */
export function continuedBy({ fromSeq, end, lineage }: IncrementHead, byEnd: readonly BackupHead[]): string[] {
  const found: string[] = [];
  for (let at = firstEndingAt(byEnd, fromSeq - 1); at < byEnd.length; at++) {
    const before = byEnd[at];
    if (before === undefined || before.end.seq >= end.seq) break;
    if (isOn({ lineage, seq: end.seq }, before.end)) found.push(before.id);
  }
  return found;
}

/** The index of the first that ends at this seq or later. */
function firstEndingAt(byEnd: readonly BackupHead[], seq: number): number {
  let [low, high] = [0, byEnd.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((byEnd[middle]?.end.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Increments in whose place a longer one was put: a kill or a failure kept them from being removed. */
export function replacedIncrements({ backups }: Pick<Listing, 'backups'>): string[] {
  const longest = new Map<number, IncrementHead[]>();
  const replaced: string[] = [];
  const increments = backups.filter((head): head is IncrementHead => head.kind === 'incremental');
  for (const head of increments.sort((left, right) => right.end.seq - left.end.seq || (left.id < right.id ? 1 : -1))) {
    const longer = longest.get(head.fromSeq) ?? [];
    if (longer.some((one) => replaces(one, head, backups))) replaced.push(head.id);
    else longest.set(head.fromSeq, [...longer, head]);
  }
  return replaced;
}

/** Does the longer one hold all that anybody needs of the other? It does not where another line of data, which a promotion or a restore has
 *  parted from this one, leads on from the other's end. Cost: a look at each backup. */
export function replaces(longer: IncrementHead, head: IncrementHead, backups: readonly BackupHead[]): boolean {
  if (longer.id === head.id || longer.fromSeq !== head.fromSeq || !leadsThrough(longer, head.end)) return false;
  return backups.every(
    (other) =>
      other.kind === 'full' ||
      other.end.seq <= head.end.seq ||
      !leadsThrough(other, head.end) ||
      leadsThrough(other, longer.end) ||
      leadsThrough(longer, other.end),
  );
}

function leadsThrough({ lineage, end }: BackupHead, place: BackupHead['end']): boolean {
  return isOn({ lineage, seq: end.seq }, place);
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
