/** Reads rows from the store into indexes that their checkpoints have left behind the cursor of their collection, in slices.
 *  Must not know: what becomes of a row. */

import { decodeDefaultVector, decodeVectorSet, vectorCount } from '../codec/vector-set.js';
import { DEFAULT_VECTOR, type NamedVectors } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';

const PAGE_ROWS = 512;
const PAGE_BYTES = 2 * 1024 * 1024;

type TakeRow = (label: number, own: Float32Array | null, vectors: NamedVectors, from: ReadonlyMap<string, number>) => void;

const NO_VECTORS: NamedVectors = new Map();

export class VectorFill {
  readonly #reads: StoreReads;
  readonly #uid: number;
  /** From which label on each key lacks rows. */
  readonly #from: ReadonlyMap<string, number>;
  readonly #endLabel: number;
  #nextLabel: number;

  /** @param endLabel where the cursor stands */
  constructor(reads: StoreReads, uid: number, from: ReadonlyMap<string, number>, endLabel: number) {
    this.#reads = reads;
    this.#uid = uid;
    this.#from = from;
    this.#endLabel = endLabel;
    this.#nextLabel = Math.min(...from.values());
  }

  /** Reads on for about budgetMs; each row is handed over once, in the order of labels. @returns true when there is nothing more to read */
  work(budgetMs: number, take: TakeRow): boolean {
    const untilMs = performance.now() + budgetMs;
    do {
      const rows = this.#reads.labelsFrom(this.#uid, this.#nextLabel, PAGE_ROWS, PAGE_BYTES);
      for (const { label, vectorSet } of rows) {
        this.#nextLabel = label + 1;
        if (label >= this.#endLabel) return true;
        if (vectorCount(vectorSet) === 1) {
          const own = decodeDefaultVector(vectorSet);
          take(label, own, own === null ? decodeVectorSet(vectorSet) : NO_VECTORS, this.#from);
        } else {
          const vectors = decodeVectorSet(vectorSet);
          const own = vectors.get(DEFAULT_VECTOR);
          take(label, own?.kind === 'dense' ? own.values : null, vectors, this.#from);
        }
      }
      if (rows.length === 0) return true;
    } while (performance.now() < untilMs);
    return false;
  }
}
