/** The door of the sparse index: exact inner products of sparse vectors, from lists of who has which index. One worker thread owns it.
 *
 *    lists: index ─► places ascending, values          places (sparse-places.ts): 0, 1, 2 … in the order of adding, each with its label
 *
 *  Only points that share an index with the query are hits; higher is nearer. Labels are added in ascending order, may be removed once, and
 *  never come back. Removed places stay in the lists until they are a quarter of the live ones; then work() gives those that live new places
 *  and takes the others out, list by list. So an index is never much larger than what is alive in it, however often points were written.
 *  Invariant: scores are sums over float64 in the order of the query's indices, the same on every node.
 *  Must not know: ids, payloads, storage, threads. */

import type { LabelFilter } from '../model/label-filter.js';
import { FIXED } from '../model/limits.js';
import type { SparseVector } from '../model/point.js';
import type { SparseModifier } from '../model/vector-spec.js';
import { PostingList } from './posting-list.js';
import { SparsePlaces } from './sparse-places.js';
import { SparseScan } from './sparse-scan.js';
import type { SumsPool } from './sparse-sums.js';

/** With fewer removed points than this, or than this share of the live ones, nothing is swept. */
const SWEPT_MIN = 500;
const SWEPT_SHARE = 1 / 4;
/** Lists, and entries of them, that are swept between two looks at the time: below a millisecond. */
const SWEPT_AT_ONCE = 64;
const SWEPT_ENTRIES_AT_ONCE = 65_536;
/** Removed points to swept ones from which on nothing more should come before the sweep is over. */
const CROWDED = 2;
/** A map entry, a list, its two columns: as measured (benches/sparse.ts). */
const LIST_BYTES = 400;

export interface SparseStatus {
  readonly live: number;
  readonly tombstones: number;
  readonly memoryBytes: number;
}

export class SparseIndex {
  readonly #lists = new Map<number, PostingList>();
  #places = new SparsePlaces();
  readonly #pool: SumsPool;
  #entries = 0;
  #sweep: Iterator<[number, PostingList]> | null = null;
  /** Of those that are taken out now. */
  #leaving = 0;
  #nextLabel = 0;

  /** @param pool of this thread */
  constructor(pool: SumsPool) {
    this.#pool = pool;
  }

  has(label: number): boolean {
    return this.#places.has(label);
  }

  /** Adds a label and removes `replaces` in the same turn. @param label beyond every label before  @param vector as model/point.ts has it
   *  @throws RangeError on a label that is not beyond those before; nothing is done then */
  add(label: number, { indices, values }: SparseVector, replaces: number | null): void {
    if (!Number.isInteger(label) || label < this.#nextLabel || label > FIXED.labelMax)
      throw new RangeError(`label ${label} is not beyond those before`);
    this.#nextLabel = label + 1;
    this.#places.add(label);
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i] as number;
      let list = this.#lists.get(index);
      if (list === undefined) {
        list = new PostingList(this.#places.round);
        this.#lists.set(index, list);
      }
      list.push(this.#places.newest(list.round), values[i] as number);
    }
    this.#entries += indices.length;
    if (replaces !== null) this.remove(replaces);
  }

  /** A label that is not inside is ignored. */
  remove(label: number): void {
    this.#places.remove(label);
  }

  /** Ascending. */
  liveLabels(): Uint32Array {
    return this.#places.liveLabels();
  }

  /** Begins a search, which is to be ended. The index must not change before.
   *  @param filter null: all. Cost: one product for each entry of the lists of the query's indices; with idf a look at each before. */
  scan(query: SparseVector, limit: number, filter: LabelFilter | null, modifier: SparseModifier | null): SparseScan {
    const lists = Array.from(query.indices, (index, i) => ({ list: this.#lists.get(index), weight: query.values[i] as number }));
    return new SparseScan({
      lists: lists.flatMap(({ list, weight }) => (list === undefined ? [] : [{ list, weight }])),
      limit,
      filter,
      places: this.#places,
      pool: this.#pool,
      idf: modifier === 'idf',
    });
  }

  /** From how many removed ones on they are swept. */
  get #sweptFrom(): number {
    return Math.max(SWEPT_MIN, this.#places.live * SWEPT_SHARE);
  }

  get #tombstones(): number {
    return this.#places.gone + this.#leaving;
  }

  /** Are so many removed that work() should go on before more comes? */
  get crowded(): boolean {
    return this.#tombstones >= CROWDED * this.#sweptFrom;
  }

  /** Takes removed places out of the lists when there are many. Cost of its beginning: a step for each place, in one piece (SparsePlaces.renumber).
   *  @returns as VectorIndex.work */
  work(budgetMs: number): number | null {
    if (this.#sweep === null) {
      if (this.#places.gone < this.#sweptFrom) return null;
      this.#leaving = this.#places.gone;
      this.#places.renumber();
      this.#sweep = this.#lists.entries();
    }
    const { round, before } = this.#places;
    const untilMs = performance.now() + budgetMs;
    do {
      if (before === null || !this.#sweepSome(this.#sweep, before, round)) return this.#swept();
    } while (performance.now() < untilMs);
    return 0;
  }

  /** @returns false when all lists follow the new numbering */
  #sweepSome(lists: Iterator<[number, PostingList]>, before: Uint32Array, round: number): boolean {
    let entries = 0;
    for (let i = 0; i < SWEPT_AT_ONCE && entries < SWEPT_ENTRIES_AT_ONCE; i++) {
      const next = lists.next();
      if (next.done === true) return false;
      const [index, list] = next.value;
      if (list.round === round) continue;
      entries += list.length;
      this.#entries -= list.renumber(before, round);
      if (list.length === 0) this.#lists.delete(index);
    }
    return true;
  }

  #swept(): number | null {
    this.#places.settle();
    this.#sweep = null;
    this.#leaving = 0;
    return this.#places.gone < this.#sweptFrom ? null : 0;
  }

  status(): SparseStatus {
    const lists = this.#entries * 8 * PostingList.roomPerEntry + this.#lists.size * LIST_BYTES;
    const memoryBytes = Math.round(lists + this.#places.memoryBytes);
    return { live: this.#places.live, tombstones: this.#tombstones, memoryBytes };
  }

  /** Forgets what is kept only to be faster. */
  relieve(): void {
    this.#pool.relieve();
  }

  /** Every other call answers nothing from then on. */
  close(): void {
    this.#lists.clear();
    this.#places = new SparsePlaces();
    this.#sweep = null;
  }
}
