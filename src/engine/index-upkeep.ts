/** Keeps one collection's index level with the store: a cursor over labels and deaths, in the order of the log.
 *
 *  What to do is read from rows, not from the log, so no checkpoint ever pins the log:
 *    adds    labels ≥ nextLabel in label order (= log order), each naming the label it superseded
 *    deaths  rows with seq < deadSeq ≤ the snapshot's seq
 *  Both are merged by seq. A label that is dead already is not added; what it superseded is then tombstoned when its last successor is
 *  added, in the same turn, so a search sees the old point or the new one, never neither, never both.
 *  Must not know: threads, messages, ids, payloads. */

import { decodeDefaultVector } from '../codec/vector-set.js';
import type { LabelRow, StoreReads } from '../storage/storage.js';
import type { VectorIndex } from '../vector-index/vector-index.js';

const PAGE_ROWS_MAX = 512;
const PAGE_BYTES_MAX = 2 * 1024 * 1024;
const DEATHS_PER_PAGE_MAX = 4_096;

interface Page {
  readonly rows: readonly LabelRow[];
  readonly deaths: readonly { readonly label: number; readonly deadSeq: number }[];
  /** Where the cursor stands once the page is done. */
  readonly throughSeq: number;
  nextRow: number;
  nextDeath: number;
}

export class IndexUpkeep {
  readonly index: VectorIndex;
  readonly #reads: StoreReads;
  readonly #uid: number;
  #nextLabel: number;
  #seq: number;
  #page: Page | null = null;
  /** Labels skipped because they were dead → the label inside the index that still stands for their point. */
  readonly #standIns = new Map<number, number>();
  readonly #standing = new Set<number>();
  #heldSeq = 0;
  #addMs = 0;
  #adds = 0;

  /** @param nextLabel,seq what the index already holds: all labels below, all deaths up to */
  constructor(reads: StoreReads, uid: number, index: VectorIndex, nextLabel: number, seq: number) {
    this.#reads = reads;
    this.#uid = uid;
    this.index = index;
    this.#nextLabel = nextLabel;
    this.#seq = seq;
  }

  /** Everything up to this seq is inside. Held back while a superseded label still stands for a newer version of its point. */
  get seq(): number {
    return this.#standing.size === 0 ? this.#seq : Math.min(this.#seq, this.#heldSeq);
  }

  get nextLabel(): number {
    return this.#nextLabel;
  }

  /** Mean milliseconds of one add so far; 0 before the first. */
  get msPerAdd(): number {
    return this.#adds === 0 ? 0 : this.#addMs / this.#adds;
  }

  get adds(): number {
    return this.#adds;
  }

  /** Works for about budgetMs. @returns true when more is left */
  advance(budgetMs: number): boolean {
    const until = performance.now() + budgetMs;
    do {
      this.#page ??= this.#read();
      if (!this.#work(this.#page, until)) return true;
      this.#seq = this.#page.throughSeq;
      const emptied = this.#page.rows.length === 0 && this.#page.deaths.length === 0;
      this.#page = null;
      if (emptied) return this.index.work(Math.max(0, until - performance.now()));
    } while (performance.now() < until);
    return true;
  }

  #read(): Page {
    return this.#reads.snapshot(() => {
      const { seq } = this.#reads.state();
      const rows = this.#reads.labelsFrom(this.#uid, this.#nextLabel, PAGE_ROWS_MAX, PAGE_BYTES_MAX);
      const last = rows.at(-1);
      const throughRows = last === undefined ? seq : Math.min(seq, last.labelSeq - 1);
      const deaths = this.#reads.deadBetween(this.#uid, this.#seq, throughRows, DEATHS_PER_PAGE_MAX);
      // A full page of deaths stops short of its last seq, which may have more; adds and deaths stop at the same seq.
      const full = deaths.length === DEATHS_PER_PAGE_MAX;
      const throughSeq = Math.max(this.#seq, full ? (deaths.at(-1)?.deadSeq ?? 0) - 1 : throughRows);
      if (!full) return { rows, deaths, throughSeq, nextRow: 0, nextDeath: 0 };
      const rowsThrough = rows.filter((row) => row.labelSeq <= throughSeq);
      const deathsThrough = deaths.filter((death) => death.deadSeq <= throughSeq);
      return { rows: rowsThrough, deaths: deathsThrough, throughSeq, nextRow: 0, nextDeath: 0 };
    });
  }

  #work(page: Page, until: number): boolean {
    for (;;) {
      const row = page.rows[page.nextRow];
      const death = page.deaths[page.nextDeath];
      if (row === undefined && death === undefined) return true;
      if (death !== undefined && (row === undefined || death.deadSeq < row.labelSeq)) {
        this.#bury(death.label);
        page.nextDeath += 1;
      } else if (row !== undefined) {
        this.#add(row);
        page.nextRow += 1;
        this.#nextLabel = row.label + 1;
      }
      if (performance.now() >= until) return page.nextRow === page.rows.length && page.nextDeath === page.deaths.length;
    }
  }

  #add(row: LabelRow): void {
    const before = row.prevLabel === null ? null : (this.#standIns.get(row.prevLabel) ?? row.prevLabel);
    if (row.prevLabel !== null) this.#standIns.delete(row.prevLabel);
    const inside = before !== null && this.index.has(before) ? before : null;
    if (row.deadSeq !== null) {
      if (inside === null) return;
      if (this.#standing.size === 0) this.#heldSeq = row.labelSeq - 1;
      this.#standIns.set(row.label, inside);
      this.#standing.add(inside);
      return;
    }
    const vector = decodeDefaultVector(row.vectorSet);
    if (vector === null) {
      if (inside !== null) this.index.remove(inside);
      return;
    }
    const startMs = performance.now();
    this.index.add(row.label, vector, inside);
    this.#addMs += performance.now() - startMs;
    this.#adds += 1;
    if (inside !== null) this.#standing.delete(inside);
  }

  #bury(label: number): void {
    const standIn = this.#standIns.get(label);
    if (standIn !== undefined) {
      this.#standIns.delete(label);
      this.#standing.delete(standIn);
      this.index.remove(standIn);
    } else if (!this.#standing.has(label)) {
      this.index.remove(label);
    }
  }
}

/** Tombstones what a loaded checkpoint holds but the store no longer does.
 *  @returns why the checkpoint cannot be used (the store has a live label below its nextLabel that it lacks), or null */
export function reconcile(reads: StoreReads, uid: number, index: VectorIndex, nextLabel: number): string | null {
  const live = reads.liveLabels(uid, nextLabel);
  const inside = index.liveLabels();
  let at = 0;
  const dead: number[] = [];
  for (const label of inside) {
    if (live[at] === label) at += 1;
    else if (live[at] === undefined || (live[at] as number) > label) dead.push(label);
    else return `label ${live[at]} is alive in the store and not in the checkpoint`;
  }
  if (at < live.length) return `label ${live[at]} is alive in the store and not in the checkpoint`;
  for (const label of dead) index.remove(label);
  return null;
}
