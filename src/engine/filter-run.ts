/** Filters, answered from the payload index of a worker as far as it can.
 *
 *  What it cannot tell alone is a superset; a small one is made exact here, row by row, a large one is given back to be narrowed
 *  elsewhere, because reading rows takes long. Must not know: vectors, texts, threads. */

import type { Filter } from '../model/filter.js';
import { type LabelFilter, labelFilterOf, labelsOf, passesFilter } from '../model/label-filter.js';
import type { ResolveIds } from '../payload-index/payload-index.js';
import { BoundReached, boundedReads } from './bounded-reads.js';
import { narrowLabels, rowTest } from './filter-rows.js';
import { IdLabels } from './id-labels.js';
import type { Among, FacetAsk, IndexAnswers, Narrow, Unindexed } from './index-asks.js';
import type { RunSurroundings } from './run-surroundings.js';
import type { ServedContent } from './served-content.js';

/** So many rows, and about so many bytes of them, are read here; it takes a few milliseconds. */
const NARROW_HERE_MAX = 256;
const NARROW_HERE_BYTES = 1024 * 1024;

/** Of one of the vectors of a collection. */
export interface IndexedLabels {
  /** Ascending. */
  liveLabels(): Uint32Array;
}

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
  const { seq } = around;
  const resolve = resolver(content, around);
  const estimated = content.payloads.index.estimate(filter, resolve).expected;
  const { labels, exact, unindexed } = content.payloads.index.match(filter, resolve);
  if (exact) return { labels, estimated, unindexed };
  const narrowed = labels.size > NARROW_HERE_MAX ? null : narrowedHere(around, labels, filter);
  if (narrowed === null) return { narrow: labels, estimated, unindexed, seq, nextLabel: around.nextLabel };
  return { labels: labelFilterOf(narrowed), estimated, unindexed };
}

/** Null: the rows are too long to be read here. */
function narrowedHere({ reads, collection }: RunSurroundings, labels: LabelFilter, filter: Filter): Uint32Array | null {
  try {
    return narrowLabels(boundedReads(reads, NARROW_HERE_BYTES), collection.uid, labels, rowTest(collection.spec, filter));
  } catch (error) {
    if (error instanceof BoundReached) return null;
    throw error;
  }
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

/** @param index of the vectors that those must have who are wanted; null: any */
export function runMatch(
  content: ServedContent,
  index: IndexedLabels | null,
  ask: Among,
  around: RunSurroundings,
): IndexAnswers['match'] {
  const allowed = allowedLabels(content, ask, around);
  if ('narrow' in allowed) return allowed;
  const { seq, nextLabel } = around;
  if (index === null) return { labels: allowed.labels ?? labelFilterOf(content.liveLabels()), seq, nextLabel };
  const { labels } = allowed;
  const having = index.liveLabels();
  return {
    labels: labelFilterOf(labels === null ? having : having.filter((label) => passesFilter(labels, label))),
    seq,
    nextLabel,
  };
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
