/** Vectors as users gave them, row after row in one Float32Array, searched exactly.
 *
 *  Rows are in the order of their adding. A removed row becomes a hole; holes are closed (order kept) when they are half of the rows.
 *  Labels are unique. Scores equal model/distance.ts bit for bit. Must not know: graphs, files. */

import { type Distance, dot, norm, squaredEuclid } from '../model/distance.js';
import { type LabelFilter, passesFilter } from '../model/label-filter.js';
import { type ScoredLabels, TopK } from './exact-scan.js';

const FIRST_CAPACITY = 4;
const HOLE = -1;
const HOLES_MIN = 32;
/** Rows whose memory stays when all are gone. */
const KEPT_CAPACITY = 64;
/** Label, norm, view object and map entry of one row. */
const ROW_OVERHEAD_BYTES = 220;

export interface RowHits extends ScoredLabels {
  /** Rows that were compared. */
  readonly scanned: number;
}

export class FlatRows {
  readonly #dimension: number;
  readonly #distance: Distance;
  readonly #rowOf = new Map<number, number>();
  /** capacity × dimension */
  #values: Float32Array = new Float32Array(0);
  /** One view per row over #values, so that a scan allocates nothing. */
  #views: Float32Array[] = [];
  #labels: Int32Array = new Int32Array(0);
  #norms: Float64Array = new Float64Array(0);
  /** Rows in use, holes included; those below #first are holes. */
  #rows = 0;
  #first = 0;

  constructor(dimension: number, distance: Distance) {
    this.#dimension = dimension;
    this.#distance = distance;
  }

  /** Live labels. */
  get size(): number {
    return this.#rowOf.size;
  }

  get memoryBytes(): number {
    return this.#labels.length * (this.#dimension * 4 + ROW_OVERHEAD_BYTES);
  }

  has(label: number): boolean {
    return this.#rowOf.has(label);
  }

  /** @param label not inside  @param vector length = dimension; a copy is kept. Cost: one copy; doubling now and then. */
  add(label: number, vector: Float32Array): void {
    if (this.#rows === this.#labels.length) this.#grow();
    const row = this.#rows++;
    const view = this.#views[row] as Float32Array;
    view.set(vector);
    this.#labels[row] = label;
    this.#norms[row] = norm(view);
    this.#rowOf.set(label, row);
  }

  /** @returns false when the label was not inside */
  remove(label: number): boolean {
    const row = this.#rowOf.get(label);
    if (row === undefined) return false;
    this.#rowOf.delete(label);
    this.#labels[row] = HOLE;
    this.#closeHoles();
    return true;
  }

  /** The label that has been inside for longest, or null. */
  oldest(): number | null {
    while (this.#first < this.#rows) {
      const label = this.#labels[this.#first] as number;
      if (label !== HOLE) return label;
      this.#first += 1;
    }
    return null;
  }

  /** A view of the vector, valid until the next add or remove. @throws RangeError when the label is not inside */
  vectorOf(label: number): Float32Array {
    const row = this.#rowOf.get(label);
    if (row === undefined) throw new RangeError(`label ${label} is not inside`);
    return this.#views[row] as Float32Array;
  }

  /** Ascending. */
  liveLabels(): Uint32Array {
    return Uint32Array.from(this.#rowOf.keys()).sort();
  }

  /** The exact best `limit` that pass, ties by label. @param filter null: all. Cost: one distance per row that passes. */
  search(query: Float32Array, limit: number, filter: LabelFilter | null): RowHits {
    const top = new TopK(this.#distance, limit);
    const queryNorm = this.#distance === 'cosine' ? norm(query) : 0;
    let scanned = 0;
    for (let row = 0; row < this.#rows; row++) {
      const label = this.#labels[row] as number;
      if (label === HOLE || (filter !== null && !passesFilter(filter, label))) continue;
      scanned += 1;
      top.offer(label, this.#score(query, queryNorm, row));
    }
    return { ...top.finish(), scanned };
  }

  /** The same arithmetic as model/distance.ts scorer, with the stored norm taken from memory. */
  #score(query: Float32Array, queryNorm: number, row: number): number {
    const stored = this.#views[row] as Float32Array;
    if (this.#distance === 'dot') return dot(query, stored);
    if (this.#distance === 'euclid') return Math.sqrt(squaredEuclid(query, stored));
    const product = queryNorm * (this.#norms[row] as number);
    if (product === 0) return 0;
    const cosine = dot(query, stored) / product;
    return Math.max(-1, Math.min(1, cosine));
  }

  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, this.#labels.length * 2);
    const values = new Float32Array(capacity * this.#dimension);
    values.set(this.#values);
    this.#values = values;
    this.#views = Array.from({ length: capacity }, (_, row) =>
      values.subarray(row * this.#dimension, (row + 1) * this.#dimension),
    );
    const labels = new Int32Array(capacity);
    labels.set(this.#labels);
    this.#labels = labels;
    const norms = new Float64Array(capacity);
    norms.set(this.#norms);
    this.#norms = norms;
  }

  #closeHoles(): void {
    const holes = this.#rows - this.#rowOf.size;
    if (this.#rowOf.size === 0) return this.#clear();
    if (holes < HOLES_MIN || holes * 2 < this.#rows) return;
    let to = 0;
    for (let from = 0; from < this.#rows; from++) {
      const label = this.#labels[from] as number;
      if (label === HOLE) continue;
      if (to !== from) {
        (this.#views[to] as Float32Array).set(this.#views[from] as Float32Array);
        this.#labels[to] = label;
        this.#norms[to] = this.#norms[from] as number;
        this.#rowOf.set(label, to);
      }
      to += 1;
    }
    this.#rows = to;
    this.#first = 0;
  }

  /** Nothing is inside any more: memory for many rows is given back. */
  #clear(): void {
    this.#rows = 0;
    this.#first = 0;
    if (this.#labels.length <= KEPT_CAPACITY) return;
    this.#values = new Float32Array(0);
    this.#views = [];
    this.#labels = new Int32Array(0);
    this.#norms = new Float64Array(0);
  }
}
