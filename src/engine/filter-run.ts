/** Filters, answered from the payload index of a worker as far as it can.
 *
 *  What it cannot tell alone is a superset; a small one is made exact here, row by row, a large one is given back to be narrowed
 *  elsewhere, because reading rows takes long. Must not know: vectors, texts, threads. */

import { type LabelFilter, labelFilterOf, labelsOf } from '../model/label-filter.js';
import type { ResolveIds } from '../payload-index/payload-index.js';
import { narrowLabels, rowTest } from './filter-rows.js';
import { IdLabels } from './id-labels.js';
import type { Among, FacetAsk, IndexAnswers, Narrow, Unindexed } from './index-asks.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { ServedContent } from './served-content.js';

/** So many rows are read here; it takes a few milliseconds. */
const NARROW_HERE_MAX = 256;

export interface Allowed {
  /** Null: all. */
  readonly labels: LabelFilter | null;
  /** As estimated before anything was counted. */
  readonly estimated: number | null;
  readonly unindexed: Unindexed;
}

/** The labels that may be answered, or those whose rows must be read first. */
export function allowedLabels(content: ServedContent, ask: Among, around: RunSurroundings): Allowed | Narrow {
  const { filter } = ask;
  if (ask.labels !== null)
    return { labels: withLater(content, ask, ask.labels, around), estimated: ask.estimated ?? null, unindexed: [] };
  if (filter === null) return { labels: null, estimated: null, unindexed: [] };
  const { reads, collection, seq } = around;
  const resolve = resolver(content, around);
  const estimated = content.payloads.index.estimate(filter, resolve).expected;
  const { labels, exact, unindexed } = content.payloads.index.match(filter, resolve);
  if (exact) return { labels, estimated, unindexed };
  if (labels.size > NARROW_HERE_MAX) return { narrow: labels, estimated, unindexed, seq, nextLabel: around.nextLabel };
  const narrowed = narrowLabels(reads, collection.uid, labels, rowTest(collection.spec, filter));
  return { labels: labelFilterOf(narrowed), estimated, unindexed };
}

/** What was narrowed elsewhere, and what has come since: a point that was replaced meanwhile stands under a later label. */
function withLater(
  content: ServedContent,
  { filter, sinceLabel }: Among,
  labels: LabelFilter,
  around: RunSurroundings,
): LabelFilter {
  if (filter === null || sinceLabel === undefined || sinceLabel >= around.nextLabel) return labels;
  const later = content.liveLabels().filter((label) => label >= sinceLabel);
  if (later.length === 0) return labels;
  const { reads, collection } = around;
  const passing = narrowLabels(reads, collection.uid, labelFilterOf(later), rowTest(collection.spec, filter));
  const all = new Uint32Array(labels.size + passing.length);
  all.set(labelsOf(labels));
  all.set(passing, labels.size);
  return labelFilterOf(all);
}

/** For one question: whatever is asked for again is known. */
function resolver(content: ServedContent, { reads, collection, seq }: RunSurroundings): ResolveIds {
  const labels = new IdLabels(reads, collection.uid, { seq, isInside: (label) => content.has(label) });
  return (ids) => labels.of(ids);
}

export function runMatch(content: ServedContent, ask: Among, around: RunSurroundings): IndexAnswers['match'] {
  const allowed = allowedLabels(content, ask, around);
  if ('narrow' in allowed) return allowed;
  return { labels: allowed.labels ?? labelFilterOf(content.liveLabels()), seq: around.seq };
}

/** A filter that takes rows is not narrowed here: whoever reads the rows can count their values as well, of one state. Nor is a part of a
 *  unit counted. */
export function runFacet(content: ServedContent, ask: FacetAsk, around: RunSurroundings): IndexAnswers['facet'] {
  const { index } = content.payloads;
  const { seq, level } = around;
  if (!level) return { takesRows: true, seq };
  const matched = ask.filter === null ? null : index.match(ask.filter, resolver(content, around));
  if (matched?.exact === false) return { takesRows: true, seq };
  const facet = index.facet(ask.path, matched?.labels ?? null, ask.limit);
  return facet === null ? { takesRows: true, seq } : { ...facet, seq };
}
