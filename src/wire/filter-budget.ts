/** How much a whole filter may have: conditions, listed values and texts are counted over all depths, before anything is built.
 *  Must not know: what conditions mean. */

import { invalidFilter as invalid } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import { list } from './filter-fields.js';

export class FilterBudget {
  #conditions = 0;
  #values = 0;
  #textLength = 0;

  /** @param depth of a filter, from 1 @throws InvalidFilter */
  depth(depth: number, path: string): void {
    if (depth > FIXED.filterDepthMax)
      throw invalid(path, `filters stand at most ${FIXED.filterDepthMax} deep inside each other`, FIXED.filterDepthMax);
  }

  /** @throws InvalidFilter */
  conditions(count: number, path: string): void {
    this.#conditions += count;
    within(path, this.#conditions, FIXED.filterConditionsMax, 'conditions');
  }

  /** Reads a list of values. @throws InvalidFilter */
  values<Value>(value: unknown, path: string, read: (item: unknown, path: string) => Value): Value[] {
    const items = list(value, path);
    this.#values += items.length;
    within(path, this.#values, FIXED.filterValuesMax, 'values in lists');
    return items.map((item, place) => read(item, `${path}[${place}]`));
  }

  /** @throws InvalidFilter */
  text(text: unknown, path: string): string {
    if (typeof text !== 'string') throw invalid(path, 'must be a string');
    this.#textLength += text.length;
    within(path, this.#textLength, FIXED.queryTextLengthMax, 'characters of text');
    return text;
  }
}

/** @param count of the whole filter so far */
function within(path: string, count: number, most: number, what: string): void {
  if (count > most) throw invalid(path, `goes beyond the ${most} ${what} that a whole filter may have`, most);
}
