/** BM25 in its plainest form: every document is looked at for every query, and nothing is kept.
 *
 *  What the text index answers is held against it. Must not know: how the index works. */

import { type LabelFilter, passesFilter } from '../../src/model/label-filter.js';

export interface PlainHits {
  readonly labels: readonly number[];
  readonly scores: readonly number[];
  readonly matched: number;
  readonly rejected: number;
}

/** @param documents the terms of every live document by label  @param query terms, repeated ones as often as they stand there */
export function plainBm25(
  documents: ReadonlyMap<number, readonly string[]>,
  query: readonly string[],
  { k1, b }: { readonly k1: number; readonly b: number },
  filter?: LabelFilter,
): PlainHits {
  const meanLength = [...documents.values()].reduce((sum, { length }) => sum + length, 0) / documents.size;
  const having = (term: string): number => [...documents.values()].filter((terms) => terms.includes(term)).length;
  const idfOf = new Map(query.map((term) => [term, Math.log(1 + (documents.size - having(term) + 0.5) / (having(term) + 0.5))]));
  const matched: { label: number; score: number }[] = [];
  for (const [label, terms] of documents) {
    if (!query.some((term) => terms.includes(term))) continue;
    let score = 0;
    for (const term of query) {
      const frequency = terms.filter((one) => one === term).length;
      const norm = k1 * (1 - b + (b * terms.length) / meanLength);
      if (frequency > 0) score += ((idfOf.get(term) ?? 0) * (k1 + 1) * frequency) / (frequency + norm);
    }
    matched.push({ label, score });
  }
  const passed = matched.filter(({ label }) => filter === undefined || passesFilter(filter, label));
  passed.sort((one, other) => other.score - one.score || one.label - other.label);
  return {
    labels: passed.map(({ label }) => label),
    scores: passed.map(({ score }) => score),
    matched: passed.length,
    rejected: matched.length - passed.length,
  };
}
