/** Keeps what one worker holds of a collection level with the store: a cursor over labels, deaths and changed payloads, in the order of
 *  the log.
 *
 *  What to do is read from rows, not from the log, so no checkpoint ever pins the log:
 *    adds     labels ≥ nextLabel in label order (= log order), each naming the label it superseded
 *    deaths   rows with seq < deadSeq ≤ the snapshot's seq
 *    changes  live rows whose payload was changed in place, with seq < version ≤ the snapshot's seq; read only where payloads are indexed
 *  All are merged by seq. A changed payload is read as it is now, which may be later than the seq; it is never earlier. What the cursor has
 *  passed is found by searches; its place in the graph it gets in the time that is left.
 *  A label whose successor stands in the same page is not added; what it superseded is then tombstoned when the
 *  last of them is added, in the same turn, so a search sees the old point or the new one, never neither, never both. Only within a page:
 *  a point that is written faster than the index comes along would otherwise hold the cursor back for ever.
 *  Must not know: threads, messages, ids, what an index makes of a row. */

import type { ChangedRow, LabelRow } from '../storage/storage.js';
import { type Death, deathsPage } from './deaths.js';
import type { IndexedContent } from './indexed-content.js';
import { type LateChange, LateChanges } from './late-changes.js';
import type { IndexReads } from './sound-reads.js';

const PAGE_ROWS_MAX = 512;
/** So many labels are looked at for whether they can be read by now. */
const LOOKED_AT_MAX = 1_000;
const PAGE_BYTES_MAX = 2 * 1024 * 1024;
const CHANGES_PER_PAGE_MAX = 512;

interface Page {
  readonly rows: readonly LabelRow[];
  readonly deaths: readonly Death[];
  readonly changes: readonly (ChangedRow | LateChange)[];
  /** Where the cursor stands once the page is done. */
  readonly throughSeq: number;
  /** Labels whose successor is in this page too. */
  readonly superseded: ReadonlySet<number | null>;
  nextRow: number;
  nextDeath: number;
  nextChange: number;
}

export class IndexUpkeep<Content extends IndexedContent = IndexedContent> {
  readonly content: Content;
  readonly #reads: IndexReads;
  readonly #uid: number;
  #nextLabel: number;
  #seq: number;
  #page: Page | null = null;
  readonly #late: LateChanges;
  /** Labels skipped because their successor follows → the label inside the index that still stands for their point. */
  readonly #standIns = new Map<number, number>();
  readonly #standing = new Set<number>();
  #level = false;
  #workMs = 0;
  #inserts = 0;

  /** While true nobody searches this index, and labels that are dead by now are passed over. */
  #building: boolean;
  readonly #buildTo: number;
  /** Complete from this seq on: what was passed over while building had its successor by then. */
  #soundSeq: number;

  /** @param nextLabel,seq what the index already holds: all labels below, all deaths up to
   *  @param buildTo until this label the index is being built and serves nobody */
  constructor(reads: IndexReads, uid: number, content: Content, nextLabel: number, seq: number, buildTo: number) {
    this.#reads = reads;
    this.#uid = uid;
    this.content = content;
    this.#late = new LateChanges(reads, uid, content);
    this.#nextLabel = nextLabel;
    this.#seq = seq;
    this.#buildTo = buildTo;
    this.#building = nextLabel < buildTo;
    this.#soundSeq = reads.state().seq;
  }

  /** May it serve? True once it holds all that the store held when this cursor was made. */
  get complete(): boolean {
    return !this.#building && this.#seq >= this.#soundSeq;
  }

  /** Live points that could not be read and are not inside. */
  get damaged(): number {
    return this.#reads.damagedLabels?.size ?? 0;
  }

  /** Is one of them whole by now, or gone? Cost: a read of each, up to a bound. */
  couldReadMore(): boolean {
    const labels = [...(this.#reads.damagedLabels ?? [])].slice(0, LOOKED_AT_MAX);
    return labels.some((label) => this.#reads.lookAtLabel(this.#uid, label)?.dead ?? true);
  }

  /** Everything up to this seq is inside. It moves at the end of a page, when no label stands for another. */
  get seq(): number {
    return this.#seq;
  }

  get nextLabel(): number {
    return this.#nextLabel;
  }

  /** Has the cursor found nothing more to read when it last looked? Then what is inside is a state that the store had, no unit by half. */
  get level(): boolean {
    return this.#level;
  }

  /** Mean milliseconds of one insert into a graph so far; 0 before the first. */
  get msPerInsert(): number {
    return this.#inserts === 0 ? 0 : this.#workMs / this.#inserts;
  }

  /** Works for about budgetMs: first the cursor, then what waits for its place in the graph.
   *  @returns milliseconds until it should be called again (0: more is left), or null: not before the next change */
  advance(budgetMs: number): number | null {
    const until = performance.now() + budgetMs;
    if (!this.comeLevel(until)) return 0;
    const nextMs = this.#fill(Math.max(0, until - performance.now()));
    // Where there was no room for rows, there is by now, or will be.
    return nextMs ?? (this.#level ? null : 0);
  }

  /** The cursor alone. @returns false when time was over before there was nothing more to read, or no room for it */
  comeLevel(until: number): boolean {
    this.#level = false;
    while (!this.content.crowded) {
      this.#page ??= this.#read(until);
      if (this.#page === null || !this.#work(this.#page, until)) return false;
      this.#seq = this.#page.throughSeq;
      this.#level = this.#page.rows.length + this.#page.deaths.length + this.#page.changes.length === 0;
      this.#page = null;
      if (this.#level) break;
      if (performance.now() >= until) return false;
    }
    return true;
  }

  #fill(budgetMs: number): number | null {
    const startMs = performance.now();
    const insertsBefore = this.content.inserts;
    const nextMs = this.content.work(budgetMs);
    const inserts = this.content.inserts - insertsBefore;
    if (inserts > 0) this.#workMs += performance.now() - startMs;
    this.#inserts += inserts;
    return nextMs;
  }

  /** Takes out what died at a seq that the cursor had passed. @returns false: not yet, the cursor is not level */
  settle(): boolean {
    if (this.#page !== null) return false;
    return this.#reads.snapshot(() => {
      if (this.#reads.labelsFrom(this.#uid, this.#nextLabel, 1, 1).length > 0) return false;
      const reason = reconcile(this.#reads, this.#uid, this.content, this.#nextLabel);
      if (reason !== null) throw new Error(reason);
      return true;
    });
  }

  /** @returns null when time was over before it was known what the page must hold */
  #read(until: number): Page | null {
    if (!this.#late.goOn(until)) return null;
    return this.#reads.snapshot(() => {
      const { seq } = this.#reads.state();
      if (this.#building) this.#soundSeq = seq;
      if (this.#nextLabel >= this.#buildTo) this.#building = false;
      const { needsPayload } = this.content;
      const rows = this.#reads.labelsFrom(this.#uid, this.#nextLabel, PAGE_ROWS_MAX, PAGE_BYTES_MAX, needsPayload);
      const last = rows.at(-1);
      // The newest labels may be removed by now, or damaged.
      if (last === undefined) this.#building = false;
      const labelledThrough = last === undefined ? seq : Math.min(seq, last.labelSeq - 1);
      // Adds, deaths and changes stop at the same seq.
      const died = deathsPage(this.#reads, this.#uid, this.#seq, labelledThrough);
      let { throughSeq } = died;
      // Also changes beyond: a later one may stand where one up to throughSeq stood.
      const changed = needsPayload
        ? this.#reads.changedBetween(this.#uid, this.#seq, seq, CHANGES_PER_PAGE_MAX, PAGE_BYTES_MAX)
        : null;
      const full = throughSeq < labelledThrough || (changed !== null && changed.throughSeq < throughSeq);
      throughSeq = Math.min(throughSeq, changed?.throughSeq ?? seq);
      throughSeq = Math.max(this.#seq, throughSeq);
      if (needsPayload && throughSeq < seq && !this.#late.look(this.#seq, seq, until)) return null;
      const rowsThrough = full ? rows.filter((row) => row.labelSeq <= throughSeq) : rows;
      return {
        rows: rowsThrough,
        deaths: died.deaths.filter((death) => death.deadSeq <= throughSeq),
        changes: [...this.#late.take(), ...(changed?.rows ?? [])],
        throughSeq,
        superseded: new Set(rowsThrough.map((row) => row.prevLabel)),
        nextRow: 0,
        nextDeath: 0,
        nextChange: 0,
      };
    });
  }

  /** @returns false when time was over before the page was done */
  #work(page: Page, until: number): boolean {
    while (this.#step(page)) if (performance.now() >= until) return isDone(page);
    return true;
  }

  /** What comes first in the log; of one seq what dies, what changes, what is new. @returns false: nothing is left */
  #step(page: Page): boolean {
    const row = page.rows[page.nextRow];
    const death = page.deaths[page.nextDeath];
    const change = page.changes[page.nextChange];
    const addSeq = row?.labelSeq ?? Number.POSITIVE_INFINITY;
    const changeSeq = change?.version ?? Number.POSITIVE_INFINITY;
    if (death !== undefined && death.deadSeq < addSeq && death.deadSeq <= changeSeq) {
      this.#bury(death.label);
      page.nextDeath += 1;
    } else if (change !== undefined && changeSeq < addSeq) {
      this.#update(change);
      page.nextChange += 1;
    } else if (row !== undefined) {
      this.#add(row, page);
      page.nextRow += 1;
      this.#nextLabel = row.label + 1;
    } else {
      return false;
    }
    return true;
  }

  #update(change: ChangedRow | LateChange): void {
    const { label } = change;
    if (!this.content.has(label)) return;
    const row = 'payload' in change ? change : this.#reads.pointByLabel(this.#uid, label);
    if (row !== undefined) this.content.update(label, row.payload);
  }

  #add(row: LabelRow, page: Page): void {
    const before = row.prevLabel === null ? null : (this.#standIns.get(row.prevLabel) ?? row.prevLabel);
    if (row.prevLabel !== null) this.#standIns.delete(row.prevLabel);
    const inside = before !== null && this.content.has(before) ? before : null;
    if (row.deadSeq !== null && this.#building) return;
    if (page.superseded.has(row.label)) {
      if (inside === null) return;
      this.#standIns.set(row.label, inside);
      this.#standing.add(inside);
      return;
    }
    // A new point that is gone before the page ends was never there for a search that starts after it.
    if (inside === null && row.deadSeq !== null && row.deadSeq <= page.throughSeq) return;
    this.content.add(row, inside);
    if (inside !== null) this.#standing.delete(inside);
  }

  #bury(label: number): void {
    const standIn = this.#standIns.get(label);
    if (standIn !== undefined) {
      this.#standIns.delete(label);
      this.#standing.delete(standIn);
      this.content.remove(standIn);
    } else if (!this.#standing.has(label)) {
      this.content.remove(label);
    }
  }
}

function isDone(page: Page): boolean {
  return page.nextRow === page.rows.length && page.nextDeath === page.deaths.length && page.nextChange === page.changes.length;
}

/** Tombstones what an index, such as a loaded checkpoint, holds but the store no longer does.
 *  @returns why the checkpoint cannot be used (the store has a live label below its nextLabel that it lacks), or null */
export function reconcile(reads: IndexReads, uid: number, content: IndexedContent, nextLabel: number): string | null {
  const { damagedLabels } = reads;
  const inReach = reads.liveLabels(uid, nextLabel);
  const isInside = (label: number): boolean => damagedLabels?.has(label) !== true || content.has(label);
  const live = (damagedLabels?.size ?? 0) === 0 ? inReach : inReach.filter(isInside);
  const inside = content.liveLabels();
  let at = 0;
  const dead: number[] = [];
  for (const label of inside) {
    if (live[at] === label) at += 1;
    else if (live[at] === undefined || (live[at] as number) > label) dead.push(label);
    else return `label ${live[at]} is alive in the store and not in the checkpoint`;
  }
  if (at < live.length) return `label ${live[at]} is alive in the store and not in the checkpoint`;
  for (const label of dead) content.remove(label);
  return null;
}
