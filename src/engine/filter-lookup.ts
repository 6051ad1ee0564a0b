/** What an index knows of a filter, for reads of rows: so that they need not look at every row.
 *
 *  Only asked while the index is level with the collection, and of use only while nothing of it changes (reads.ts sees to that).
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
    const { lastSeq } = entry.row;
    if (entry.vector.indexed.seq < lastSeq) return { filter, spec, among: null };
    const among = await this.#calls.matches(entry, filter, this.#timeoutMs).catch(() => null);
    return { filter, spec, among: among === null || among.seq < lastSeq ? null : among };
  }
}
