/** Facets: the values that points have at a path, and those that most points have.
 *
 *  Most frequent first; of equal counts booleans (false, true), then numbers by value, then texts by code units.
 *  Bounded: only as many as are asked for are kept. Must not know: where counts come from. */

import { SkeinError } from './errors.js';
import { FIXED } from './limits.js';
import { anyAt, anyElement } from './payload-path.js';
import type { JsonValue, Payload } from './point.js';

/** What can be counted and grouped by. 0 and −0 are one value. */
export type FacetScalar = string | number | boolean;

export interface FacetValue {
  readonly value: FacetScalar;
  /** Points that have it, each once. */
  readonly count: number;
}

/** The distinct values of a payload at a path, as they stand in it: of an array every element; null, objects and arrays inside arrays are
 *  none. Cost: the values at the path. */
export function scalarsAt(payload: Payload, path: readonly string[]): ReadonlySet<FacetScalar> {
  const found = new Set<FacetScalar>();
  const take = (value: JsonValue): boolean => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') found.add(value);
    return false;
  };
  anyAt(payload, path, (value) => anyElement(value, take));
  return found;
}

/** Is it as good as a name: a text, or an integer that keeps its digits? */
export function isKey(value: FacetScalar): boolean {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

/** About what a value takes in memory and in an answer, beside its text. */
const VALUE_BYTES = 64;

export function scalarBytes(value: FacetScalar): number {
  return VALUE_BYTES + (typeof value === 'string' ? value.length * 2 : 0);
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

  /** @throws PayloadTooLarge */
  values(): readonly FacetValue[] {
    const bytesMax = FIXED.facetAnswerBytesMax;
    if (this.#best.reduce((sum, { value }) => sum + scalarBytes(value), 0) <= bytesMax) return this.#best;
    throw new SkeinError('PayloadTooLarge', `The values have more than ${bytesMax} bytes: ask for fewer`, {
      limit_bytes: bytesMax,
    });
  }
}

function compare(a: FacetValue, b: FacetValue): number {
  if (a.count !== b.count) return b.count - a.count;
  if (typeof a.value !== typeof b.value) return typeof a.value < typeof b.value ? -1 : 1;
  return a.value < b.value ? -1 : 1;
}
