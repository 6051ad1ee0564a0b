/** The plan of a restore: from which full backup, through which increments, to which state. Pure.
 *
 *    target (position, seq, instant, or the newest) ─► a line of data ─► newest full backup on it at or before ─► increments without a gap
 *
 *  Two backups are of one line where the same history wrote the same seq: a history has one writer, so equal positions are equal data. What
 *  lies beyond the fork of an older history is of another line, and a position there is never passed off as one of the newer.
 *  Invariant: no gap is passed over, and no damaged backup that may hold later writes: both are refusals that name them.
 *  Must not know: targets, bytes. */

import type { RestoreWish } from '../model/backup.js';
import { SkeinError } from '../model/errors.js';
import { positionAt } from '../model/position.js';
import { type BrokenBackup, backupDamaged } from './damaged.js';
import type { BackupEnd, BackupHead, FullHead, IncrementHead } from './head.js';
import { readName } from './names.js';
import { isOn as isOnLine, type Running } from './standing.js';

export interface RestorePlan {
  readonly full: FullHead;
  /** In their order; none when the full backup is enough. The last may be needed in part. */
  readonly increments: readonly IncrementHead[];
  /** Units that end behind it are not applied; null: no bound. */
  readonly seq: number | null;
  readonly timeMs: number | null;
}

/** What there is to plan with. */
export interface Known {
  readonly backups: readonly BackupHead[];
  readonly damaged: readonly BrokenBackup[];
}

type Line = Pick<Running, 'lineage' | 'seq'>;
type Bound = Pick<RestorePlan, 'seq' | 'timeMs'>;

export const NEWEST: RestoreWish = { backup: null, position: null, seq: null, timeMs: null };

/** @param running the line that is followed where the wish names none: of a data folder that is there; null: the newest of the archive
 *  @throws BackupNotFound (nothing leads there) · PositionLost (no backup is of this position's line) · BackupDamaged (one that is in the way) */
export function planRestore(known: Known, wish: RestoreWish, running: Line | null = null): RestorePlan {
  const asked = askedFor(known, wish.backup);
  let refusal: unknown;
  for (const line of linesOf(known.backups, wish, asked, running)) {
    try {
      return planOn({ line, running }, known, wish, asked);
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal;
}

type Followed = Pick<Way, 'line' | 'running'>;

function planOn({ line, running }: Followed, known: Known, wish: RestoreWish, asked: BackupHead | null): RestorePlan {
  const bound = boundOf(wish, asked, line);
  const onLine = known.backups.filter(({ end }) => isOn(line, end));
  const fulls = onLine.filter((head): head is FullHead => head.kind === 'full' && isEarlyEnough(head.end, bound));
  const base = asked?.kind === 'full' ? fulls.find(({ id }) => id === asked.id) : furthest(fulls);
  if (base === undefined) throw withoutBase(known, wish);
  const increments = onLine.filter((head): head is IncrementHead => head.kind === 'incremental');
  const chain = chainFrom(base, increments, bound);
  const isOpen = wish.position === null && wish.seq === null && (asked === null || wish.timeMs !== null);
  mustLeadTo(chain.at(-1) ?? base, { line, running, bound, isOpen, increments, known });
  return { full: base, increments: chain, ...bound };
}

/** The history in which a plan ends. */
export function placeOf({ full, increments }: RestorePlan, seq: number): { readonly historyId: string; readonly epoch: number } {
  const { lineage, end } = increments.at(-1) ?? full;
  return lineage.findLast(({ startSeq }) => startSeq < seq) ?? lineage[0] ?? end;
}

function askedFor({ backups, damaged }: Known, id: string | null): BackupHead | null {
  if (id === null) return null;
  const broken = damaged.find((one) => one.id === id);
  if (broken !== undefined) throw backupDamaged(broken);
  const found = backups.find((head) => head.id === id);
  if (found === undefined) throw notFound(`There is no backup ${id}`);
  return found;
}

/** The backups whose lines may be followed, best first: those that hold the position, or the newest of all. @throws PositionLost, BackupNotFound */
function linesOf(
  backups: readonly BackupHead[],
  { position, seq }: RestoreWish,
  asked: BackupHead | null,
  running: Line | null,
): readonly BackupHead[] {
  if (position !== null) {
    const held = holding(backups, position);
    if (held.length > 0) return held;
    const why = 'No backup holds this position: it lies behind the newest one, or on a line of data that ended before it';
    throw new SkeinError('PositionLost', why, { seq: position.seq });
  }
  // A full backup that was asked for is where it begins; what it leads to is the newest of its line.
  const own = running === null ? backups : backups.filter(({ end }) => isOnLine(running, end));
  const line = asked?.kind === 'full' ? furthest(backups.filter((head) => isOn(head, asked.end))) : (asked ?? furthest(own));
  if (line === undefined)
    throw notFound(backups.length === 0 ? 'There is no backup' : 'There is no backup of the data that runs here');
  // What another line has in common with this one may be in its increments alone: of a master that was further than the one that came after it.
  return seq === null || seq > line.end.seq ? [line] : [line, ...holding(backups, positionAt(line.lineage, seq, line.end))];
}

/** Furthest first. */
function holding(backups: readonly BackupHead[], place: Pick<BackupEnd, 'historyId' | 'seq'>): BackupHead[] {
  return backups.filter((head) => isOn(head, place)).sort((left, right) => (isFurther(left, right) ? -1 : 1));
}

/** A position, a seq or an instant; else the end of what was asked for, or of the line. */
function boundOf({ position, seq, timeMs }: RestoreWish, asked: BackupHead | null, line: BackupHead): Bound {
  const last = position?.seq ?? seq;
  if (last !== null || timeMs !== null) return { seq: last, timeMs };
  return { seq: (asked ?? line).end.seq, timeMs: null };
}

function isEarlyEnough(end: BackupEnd, { seq, timeMs }: Bound): boolean {
  if (seq !== null && end.seq > seq) return false;
  return timeMs === null || end.seq === 0 || (end.timeMs !== null && end.timeMs <= timeMs);
}

/** Did the line go through this place? */
function isOn({ lineage, end }: BackupHead, place: Pick<BackupEnd, 'historyId' | 'seq'>): boolean {
  return isOnLine({ lineage, seq: end.seq }, place);
}

/** Increments that follow each other without a gap, each as far as there is one, until the bound is inside. */
function chainFrom(base: FullHead, increments: readonly IncrementHead[], bound: Bound): IncrementHead[] {
  const chain: IncrementHead[] = [];
  // There may be thousands: those that begin too late are not looked at yet, and those that end too early not again.
  const later = [...increments].sort((left, right) => right.fromSeq - left.fromSeq);
  let near: IncrementHead[] = [];
  for (let { seq } = base.end; bound.seq === null || seq < bound.seq; ) {
    for (let head = later.at(-1); head !== undefined && head.fromSeq <= seq + 1; head = later.at(-1)) {
      near.push(head);
      later.pop();
    }
    near = near.filter((head) => continues(head, seq));
    const next = furthest(near.filter((head) => isWanted(head, seq, bound)));
    if (next === undefined) break;
    chain.push(next);
    ({ seq } = next.end);
  }
  return chain;
}

function continues({ fromSeq, end }: IncrementHead, seq: number): boolean {
  return fromSeq <= seq + 1 && end.seq > seq;
}

/** Not one of which everything is too late. */
function isWanted({ fromSeq, firstTimeMs }: IncrementHead, seq: number, { timeMs }: Bound): boolean {
  return timeMs === null || firstTimeMs <= timeMs || fromSeq <= seq;
}

interface Way {
  readonly line: BackupHead;
  readonly running: Line | null;
  readonly bound: Bound;
  /** It ends with whatever is the newest, not at a place that was named. */
  readonly isOpen: boolean;
  readonly increments: readonly IncrementHead[];
  readonly known: Known;
}

/** @param last of the chain @throws BackupNotFound, BackupDamaged when something is missing between it and what is wanted */
function mustLeadTo(last: BackupHead, { line, running, bound, isOpen, increments, known }: Way): void {
  const { seq, timeMs } = last.end;
  const isPast = bound.timeMs !== null && timeMs !== null && timeMs > bound.timeMs;
  const isThere = bound.seq === null ? isPast : seq >= bound.seq;
  const isClosed = isThere || increments.some((head) => continues(head, seq) && !isWanted(head, seq, bound));
  if (!isClosed && seq < line.end.seq) {
    const broken = known.damaged.find(({ id }) => holds(id, seq + 1));
    if (broken !== undefined) throw backupDamaged(broken);
    throw notFound(`No backup leads on from seq ${seq}: what follows ${last.id} is missing`, { seq });
  }
  if (!isClosed && bound.seq !== null) throw notFound(`The backups lead to seq ${seq}, and not to ${bound.seq}`, { seq });
  if (!isOpen || isPast || seq < line.end.seq) return;
  const later = known.damaged.find((broken) => mayLeadOn(broken, last, running));
  if (later !== undefined) throw backupDamaged(later);
}

/** May it hold more than what leads to this one? Nothing is later than the data that runs. Names tell when one was made, which is no proof: a hole
 *  may be filled later than what follows it was made. */
function mayLeadOn({ id, end }: BrokenBackup, last: BackupHead, running: Line | null): boolean {
  const own = running !== null && isOnLine(running, last.end) ? running : null;
  if (own !== null && last.end.seq >= own.seq) return false;
  if (end !== null && own !== null) return isOnLine(own, end) && end.seq > last.end.seq;
  if (end !== null) return isLater(end, last.end);
  return id > last.id || holds(id, last.end.seq + 1);
}

function holds(id: string, seq: number): boolean {
  const range = readName(id)?.range ?? null;
  return range !== null && range.fromSeq <= seq && seq <= range.toSeq;
}

function withoutBase({ damaged }: Known, wish: RestoreWish): SkeinError {
  const broken = damaged.find(({ id }) => readName(id)?.range === null);
  return broken === undefined ? notFound(`No full backup is as old as ${describe(wish)}`) : backupDamaged(broken);
}

/** Of the latest epoch, and there of the greatest seq; among equals the one that was made last. */
function furthest<T extends BackupHead>(heads: readonly T[]): T | undefined {
  let best: T | undefined;
  for (const head of heads) if (best === undefined || isFurther(head, best)) best = head;
  return best;
}

function isFurther(left: BackupHead, right: BackupHead): boolean {
  return isLater(left.end, right.end) || (!isLater(right.end, left.end) && left.id > right.id);
}

function isLater(left: BackupEnd, right: BackupEnd): boolean {
  return left.epoch === right.epoch ? left.seq > right.seq : left.epoch > right.epoch;
}

function describe({ position, seq, timeMs }: RestoreWish): string {
  if (position !== null || seq !== null) return `seq ${position?.seq ?? seq}`;
  return timeMs === null ? 'the newest backup' : new Date(timeMs).toISOString();
}

function notFound(message: string, details: Readonly<Record<string, unknown>> = {}): SkeinError {
  return new SkeinError('BackupNotFound', message, details);
}
