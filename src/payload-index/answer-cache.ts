/** Answers to filters that come again, until the index changes; bounded in bytes. A filter that names ids is not kept, because which label
 *  an id has is not the index's to know. Must not know: how filters are answered. */

import { LRUCache } from 'lru-cache';
import type { Condition, Filter } from '../model/filter.js';
import { FIXED } from '../model/limits.js';
import type { FilterMatch } from './payload-index.js';

const ENTRY_BYTES = 500;

export class AnswerCache {
  readonly #answers = new LRUCache<string, FilterMatch>({
    maxSize: FIXED.filterAnswersBytesMax,
    sizeCalculation: ({ labels }, key) => ENTRY_BYTES + key.length * 2 + labels.bits.byteLength + labels.pageOf.byteLength,
  });

  get(filter: Filter): FilterMatch | undefined {
    return this.#answers.size === 0 ? undefined : this.#answers.get(JSON.stringify(filter));
  }

  set(filter: Filter, answer: FilterMatch): void {
    if (!namesIds(filter)) this.#answers.set(JSON.stringify(filter), answer);
  }

  /** The index has changed: no answer holds any more. */
  clear(): void {
    if (this.#answers.size > 0) this.#answers.clear();
  }

  get memoryBytes(): number {
    return this.#answers.calculatedSize;
  }
}

function namesIds({ must = [], should = [], mustNot = [], minShould }: Filter): boolean {
  const names = (condition: Condition): boolean => {
    if (condition.kind === 'filter' || condition.kind === 'nested') return namesIds(condition.filter);
    return condition.kind === 'has_id';
  };
  return [must, should, mustNot, minShould?.conditions ?? []].some((list) => list.some(names));
}
