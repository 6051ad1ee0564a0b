/** The door of the sparse index: exact inner products of sparse vectors, from lists of who has which index. One worker thread owns it.
 *
 *    terms: index ─► postings (places ascending, values)          places: 0, 1, 2 … in the order of adding, each with its label
 *
 *  Only points that share an index with the query are hits; higher is nearer. Labels are added in ascending order, may be removed once, and
 *  never come back. A removed place stays in the lists until there are as many as live ones; work() then takes them out, list by list.
 *  Invariant: a label is at one place at most; scores are sums over float64 in the order of the query's indices, the same on every node.
 *  Must not know: ids, payloads, storage, threads. */

import type { LabelFilter } from '../model/label-filter.js';
import { FIXED } from '../model/limits.js';
import type { SparseVector } from '../model/point.js';
import type { SparseModifier } from '../model/vector-spec.js';
import { GrowingUint32, PostingList } from './posting-list.js';
import { SparseScan } from './sparse-scan.js';
import { SumsPool } from './sparse-sums.js';

/** With fewer removed points than this nothing is swept. */
const SWEPT_MIN = 500;
/** Lists that are swept between two looks at the time. */
const SWEPT_AT_ONCE = 64;
/** Label, mark and map entry of a place; a map entry of a list. */
const PLACE_BYTES = 60;
const LIST_BYTES = 200;

export interface SparseStatus {
  readonly live: number;
  readonly tombstones: number;
  readonly memoryBytes: number;
}

export class SparseIndex {
  readonly #lists = new Map<number, PostingList>();
  readonly #placeOf = new Map<number, number>();
  readonly #labels = new GrowingUint32();
  readonly #pool = new SumsPool();
  /** By place: 1 where its label was removed. */
  #removed = new Uint8Array(64);
  #entries = 0;
  /** Removed places that the lists still hold. */
  #tombstones = 0;
  #sweep: { readonly lists: Iterator<[number, PostingList]>; readonly taken: number } | null = null;
  #nextLabel = 0;

  has(label: number): boolean {
    return this.#placeOf.has(label);
  }

  /** Adds a label and removes `replaces` in the same turn. @param label beyond every label before  @param vector as model/point.ts has it
   *  @throws RangeError on a label that is not beyond those before; nothing is done then */
  add(label: number, { indices, values }: SparseVector, replaces: number | null): void {
    if (!Number.isInteger(label) || label < this.#nextLabel || label > FIXED.labelMax)
      throw new RangeError(`label ${label} is not beyond those before`);
    this.#nextLabel = label + 1;
    const place = this.#labels.length;
    this.#labels.push(label);
    this.#placeOf.set(label, place);
    if (place >= this.#removed.length) {
      const larger = new Uint8Array(this.#removed.length * 2);
      larger.set(this.#removed);
      this.#removed = larger;
    }
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i] as number;
      let list = this.#lists.get(index);
      if (list === undefined) {
        list = new PostingList();
        this.#lists.set(index, list);
      }
      list.push(place, values[i] as number);
    }
    this.#entries += indices.length;
    if (replaces !== null) this.remove(replaces);
  }

  /** A label that is not inside is ignored. */
  remove(label: number): void {
    const place = this.#placeOf.get(label);
    if (place === undefined) return;
    this.#placeOf.delete(label);
    this.#removed[place] = 1;
    this.#tombstones += 1;
  }

  /** Ascending. */
  liveLabels(): Uint32Array {
    return Uint32Array.from(this.#placeOf.keys());
  }

  /** Begins a search. The index must not change before it is over.
   *  @param filter null: all. Cost: one product for each entry of the lists of the query's indices; with idf a look at each before. */
  scan(query: SparseVector, limit: number, filter: LabelFilter | null, modifier: SparseModifier | null): SparseScan {
    const lists = Array.from(query.indices, (index, i) => ({ list: this.#lists.get(index), weight: query.values[i] as number }));
    return new SparseScan({
      lists: lists.flatMap(({ list, weight }) => (list === undefined ? [] : [{ list, weight }])),
      limit,
      filter,
      labels: this.#labels.values,
      removed: this.#removed,
      places: this.#labels.length,
      pool: this.#pool,
      live: modifier === 'idf' ? this.#placeOf.size : null,
      hasRemoved: this.#tombstones > 0,
    });
  }

  /** Takes removed places out of the lists when there are many. @returns as VectorIndex.work */
  work(budgetMs: number): number | null {
    if (this.#sweep === null && this.#tombstones < Math.max(SWEPT_MIN, this.#placeOf.size)) return null;
    this.#sweep ??= { lists: this.#lists.entries(), taken: this.#tombstones };
    const untilMs = performance.now() + budgetMs;
    do {
      for (let i = 0; i < SWEPT_AT_ONCE; i++) {
        const next = this.#sweep.lists.next();
        if (next.done === true) return this.#swept(this.#sweep.taken);
        const [index, list] = next.value;
        this.#entries -= list.takeOut(this.#removed);
        if (list.length === 0) this.#lists.delete(index);
      }
    } while (performance.now() < untilMs);
    return 0;
  }

  /** What was removed meanwhile may still stand in lists that were swept before. */
  #swept(taken: number): null {
    this.#tombstones -= taken;
    this.#sweep = null;
    return null;
  }

  status(): SparseStatus {
    const places = this.#labels.length * PLACE_BYTES;
    const memoryBytes =
      this.#entries * 8 * PostingList.roomPerEntry + places + this.#lists.size * LIST_BYTES + this.#pool.memoryBytes;
    return { live: this.#placeOf.size, tombstones: this.#tombstones, memoryBytes: Math.round(memoryBytes) };
  }

  /** Every other call answers nothing from then on. */
  close(): void {
    this.#lists.clear();
    this.#placeOf.clear();
  }
}
