/** Exact nearest neighbours: every vector is offered once, the best `limit` stay.
 *
 *  Scores are those of model/distance.ts over the vectors as users gave them; equal scores are ordered by label, ascending,
 *  so the answer does not depend on the order of offers. Used by the flat index, and by whoever reads rows from storage.
 *  Must not know: where vectors come from. */

import { type Distance, passesThreshold, scorer } from '../model/distance.js';

export interface ScoredLabels {
  /** Best first. */
  readonly labels: Uint32Array;
  readonly scores: Float64Array;
}

const FIRST_CAPACITY = 64;

/** Keeps the best `limit` of all offered (label, score) pairs, in a heap whose root is the worst of them.
 *  Cost: one comparison for most offers, O(log limit) for the others; memory grows with what is kept, not with `limit`. */
export class TopK {
  readonly #limit: number;
  /** Scores are kept with lower as better, so that one comparison serves all distances. */
  readonly #sign: 1 | -1;
  #keys: Float64Array;
  #labels: Uint32Array;
  #count = 0;

  /** @param limit ≥ 1 */
  constructor(distance: Distance, limit: number) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`limit is ${limit}, not an integer from 1`);
    this.#limit = limit;
    this.#sign = distance === 'euclid' ? 1 : -1;
    this.#keys = new Float64Array(Math.min(limit, FIRST_CAPACITY));
    this.#labels = new Uint32Array(this.#keys.length);
  }

  get count(): number {
    return this.#count;
  }

  /** The worst score that is kept while `limit` are, else undefined: everything is taken. */
  get worst(): number | undefined {
    return this.#count < this.#limit ? undefined : (this.#keys[0] as number) * this.#sign;
  }

  offer(label: number, score: number): void {
    const key = score * this.#sign;
    if (this.#count < this.#limit) {
      if (this.#count === this.#keys.length) this.#grow();
      this.#siftUp(this.#count++, key, label);
    } else if (this.#worse(this.#keys[0] as number, this.#labels[0] as number, key, label)) {
      this.#siftDown(key, label);
    }
  }

  /** Hands out what was kept, best first, and leaves the collector empty. */
  finish(): ScoredLabels {
    const count = this.#count;
    const labels = new Uint32Array(count);
    const scores = new Float64Array(count);
    for (let place = count - 1; place >= 0; place--) {
      labels[place] = this.#labels[0] as number;
      scores[place] = (this.#keys[0] as number) * this.#sign;
      this.#count = place;
      if (place > 0) this.#siftDown(this.#keys[place] as number, this.#labels[place] as number);
    }
    return { labels, scores };
  }

  #worse(keyA: number, labelA: number, keyB: number, labelB: number): boolean {
    return keyA > keyB || (keyA === keyB && labelA > labelB);
  }

  #grow(): void {
    const capacity = Math.min(this.#limit, this.#keys.length * 2);
    const keys = new Float64Array(capacity);
    keys.set(this.#keys);
    this.#keys = keys;
    const labels = new Uint32Array(capacity);
    labels.set(this.#labels);
    this.#labels = labels;
  }

  #siftUp(from: number, key: number, label: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentKey = this.#keys[parent] as number;
      const parentLabel = this.#labels[parent] as number;
      if (!this.#worse(key, label, parentKey, parentLabel)) break;
      this.#keys[at] = parentKey;
      this.#labels[at] = parentLabel;
      at = parent;
    }
    this.#keys[at] = key;
    this.#labels[at] = label;
  }

  /** Replaces the root. */
  #siftDown(key: number, label: number): void {
    const count = this.#count;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= count) break;
      const right = child + 1;
      if (
        right < count &&
        this.#worse(
          this.#keys[right] as number,
          this.#labels[right] as number,
          this.#keys[child] as number,
          this.#labels[child] as number,
        )
      ) {
        child = right;
      }
      const childKey = this.#keys[child] as number;
      const childLabel = this.#labels[child] as number;
      if (!this.#worse(childKey, childLabel, key, label)) break;
      this.#keys[at] = childKey;
      this.#labels[at] = childLabel;
      at = child;
    }
    this.#keys[at] = key;
    this.#labels[at] = label;
  }
}

/** An exact search over vectors that arrive one by one. */
export interface ExactTopK {
  /** @param vector length = query.length, as given by the user; read during the call only */
  offer(label: number, vector: Float32Array): void;
  /** How many vectors were offered. */
  readonly scanned: number;
  /** What was kept, best first; call it once, at the end. */
  finish(): ScoredLabels;
}

/** @param threshold  a score that cuts in the better direction, the bound itself passes; leave out for no cut
 *  Cost: one distance computation per offer. */
export function exactTopK(distance: Distance, query: Float32Array, limit: number, threshold?: number): ExactTopK {
  const score = scorer(distance, query);
  const top = new TopK(distance, limit);
  let scanned = 0;
  return {
    offer(label, vector) {
      scanned += 1;
      const value = score(vector);
      if (threshold === undefined || passesThreshold(distance, value, threshold)) top.offer(label, value);
    },
    get scanned() {
      return scanned;
    },
    finish: () => top.finish(),
  };
}
