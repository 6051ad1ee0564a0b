/** What searches of one collection cost, by the key of their vectors: those of one name may be far longer than those of another, and each has
 *  its own graph. Must not know: who searches. */

import { targetsOf, type VectorSpec } from '../model/vector-spec.js';
import { learnCosts, type SearchCosts, type SearchObservation, typicalCosts } from '../search/costs.js';

const COMPONENT_BYTES = 4;

export class LearnedCosts {
  readonly #byKey = new Map<string, SearchCosts>();

  /** As seen so far, or as is typical. */
  of(spec: VectorSpec, key: string): SearchCosts {
    const target = targetsOf(spec).find((one) => one.key === key);
    return this.#byKey.get(key) ?? typicalCosts(COMPONENT_BYTES * (target?.kind === 'dense' ? target.dimension : 1));
  }

  learn(spec: VectorSpec, key: string, seen: SearchObservation): void {
    this.#byKey.set(key, learnCosts(this.of(spec, key), seen));
    const declared = targetsOf(spec);
    if (this.#byKey.size <= declared.length) return;
    for (const one of this.#byKey.keys()) if (!declared.some((target) => target.key === one)) this.#byKey.delete(one);
  }
}
