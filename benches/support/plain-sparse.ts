/** Exact search of sparse vectors without lists, for reference: every document is read, entry by entry. */

import type { SparseVector } from '../../src/model/point.js';

export interface PlainHits {
  readonly ids: readonly number[];
  readonly scores: readonly number[];
}

export class PlainSparse {
  readonly #ends: number[] = [];
  readonly #indices: Uint32Array;
  readonly #values: Float32Array;
  /** By index: how many documents have it. */
  readonly #documentsWith: Uint32Array;
  readonly #weights: Float64Array;

  /** @param words indices are below */
  constructor(documents: readonly SparseVector[], words: number) {
    const entries = documents.reduce((sum, { indices }) => sum + indices.length, 0);
    this.#indices = new Uint32Array(entries);
    this.#values = new Float32Array(entries);
    this.#documentsWith = new Uint32Array(words);
    this.#weights = new Float64Array(words);
    let end = 0;
    for (const { indices, values } of documents) {
      this.#indices.set(indices, end);
      this.#values.set(values, end);
      for (const index of indices) this.#documentsWith[index] = (this.#documentsWith[index] as number) + 1;
      end += indices.length;
      this.#ends.push(end);
    }
  }

  get documents(): number {
    return this.#ends.length;
  }

  get entries(): number {
    return this.#indices.length;
  }

  /** Weighted by idf; ties by number. @param passes which documents may be answered */
  search(query: SparseVector, limit: number, passes: (id: number) => boolean): PlainHits {
    const count = this.#ends.length;
    for (const [i, index] of query.indices.entries()) {
      const n = this.#documentsWith[index] as number;
      this.#weights[index] = (query.values[i] as number) * Math.log((count - n + 0.5) / (n + 0.5) + 1);
    }
    const best: { readonly id: number; readonly score: number }[] = [];
    for (let id = 0, at = 0; id < count; id += 1) {
      const end = this.#ends[id] as number;
      let score = 0;
      for (; at < end; at += 1) score += (this.#weights[this.#indices[at] as number] as number) * (this.#values[at] as number);
      if (score <= (best.length < limit ? 0 : (best.at(-1)?.score ?? 0)) || !passes(id)) continue;
      const place = best.findIndex((other) => other.score < score);
      best.splice(place < 0 ? best.length : place, 0, { id, score });
      if (best.length > limit) best.pop();
    }
    for (const index of query.indices) this.#weights[index] = 0;
    return { ids: best.map(({ id }) => id), scores: best.map(({ score }) => score) };
  }
}
