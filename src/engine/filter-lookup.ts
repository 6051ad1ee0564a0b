/** What an index knows of a filter, for reads of rows: so that they need not look at every row.
 *
 *  An index that is behind helps as well: whoever reads sees to the rows that changed since (matching-rows.ts).
 *  A filter that no index can help with, or an index that cannot answer, costs nothing but the question. Must not know: rows, HTTP. */

import type { Filter } from '../model/filter.js';
import type { CatalogueEntry } from './catalogue.js';
import type { EngineCalls } from './engine-calls.js';
import { checkFilterTexts } from './filter-texts.js';
import type { RowFilter } from './matching-rows.js';

export class FilterLookup {
  readonly #calls: EngineCalls;
  readonly #timeoutMs: number;

  constructor(calls: EngineCalls, timeoutMs: number) {
    this.#calls = calls;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws InvalidFilter */
  async rowFilter(entry: CatalogueEntry, filter: Filter): Promise<RowFilter> {
    const { spec } = entry.row;
    checkFilterTexts(spec, filter);
    const among = await this.#calls.matches(entry, filter, this.#timeoutMs).catch(() => null);
    // What an index passed over it does not know to match or not; it says so before it answers.
    return { filter, spec, among: (entry.vector.report?.damaged ?? 0) > 0 ? null : among };
  }
}
