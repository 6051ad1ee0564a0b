/** The values of a field that most points have, most frequent first, then in order: numbers by value, texts by code units, false before
 *  true. Bounded: only as many as are asked for are kept. Must not know: where counts come from. */

export type FacetScalar = string | number | boolean;

export interface FacetValue {
  readonly value: FacetScalar;
  /** Points that have it, each once. */
  readonly count: number;
}

export class FacetCounts {
  readonly #limit: number;
  readonly #best: FacetValue[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Cost: one comparison for most values, when there are many more than the limit. */
  add(value: FacetScalar, count: number): void {
    if (count === 0 || this.#limit === 0) return;
    const one = { value, count };
    const last = this.#best.at(-1);
    if (this.#best.length === this.#limit && last !== undefined && compare(last, one) < 0) return;
    let low = 0;
    let high = this.#best.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#best[middle] as FacetValue, one) < 0) low = middle + 1;
      else high = middle;
    }
    this.#best.splice(low, 0, one);
    if (this.#best.length > this.#limit) this.#best.pop();
  }

  get values(): readonly FacetValue[] {
    return this.#best;
  }
}

function compare(a: FacetValue, b: FacetValue): number {
  if (a.count !== b.count) return b.count - a.count;
  if (typeof a.value !== typeof b.value) return typeof a.value < typeof b.value ? -1 : 1;
  return a.value < b.value ? -1 : 1;
}
