/** The points that a filter lets pass, met row by row in scroll order: all rows, or only those that an index named.
 *
 *  Pages are read one after the other, so what lives unchanged from start to end is met exactly once. What an index named counts only while
 *  nothing of the collection was changed since. Must not know: what is done with the points, threads. */

import type { CollectionSpec } from '../model/collection.js';
import type { Filter } from '../model/filter.js';
import { type LabelFilter, labelsOf, passesFilter } from '../model/label-filter.js';
import { comparePointIds, type PointId } from '../model/point.js';
import type { PointHead, PointRow, StoreReads } from '../storage/storage.js';
import { rowTest } from './filter-rows.js';
import { payloadOf } from './stored-payload.js';

const SCAN_PAGE_ROWS = 1_000;
const PAGE_BYTES = 8 * 1024 * 1024;
/** Fewer matches than this share of all are read one by one and sorted; more are met in scroll order. */
const SPARSE_SHARE = 0.2;

/** A filter, and what an index knows of its matches. */
export interface RowFilter {
  readonly filter: Filter;
  /** For text conditions: how texts are analysed. */
  readonly spec: CollectionSpec;
  /** Null: every row is looked at. */
  readonly among: {
    /** Labels that match, or may match. */
    readonly labels: LabelFilter;
    readonly exact: boolean;
    /** Nothing of the collection was changed after this seq when it was asked for. */
    readonly seq: number;
  } | null;
}

/** Rows in scroll order behind `after`, a page per read transaction. */
export function* rowsAfter<Row extends PointHead>(
  after: PointId | null,
  pageAfter: (from: PointId | null) => readonly Row[],
): Generator<Row> {
  let from = after;
  for (;;) {
    const rows = pageAfter(from);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined) return;
    from = last.id;
  }
}

/** All points, in scroll order. */
export function everyRow(reads: StoreReads, uid: number): Generator<PointRow> {
  return rowsAfter(null, (from) => reads.pointsAfter(uid, from, SCAN_PAGE_ROWS, PAGE_BYTES));
}

/** The points that match, in scroll order behind `after`. @param wanted about how many of them will be taken */
export function* matching(
  reads: StoreReads,
  uid: number,
  { filter, spec, among }: RowFilter,
  after: PointId | null,
  wanted = Number.POSITIVE_INFINITY,
): Generator<PointRow> {
  const passes = rowTest(spec, filter);
  const collection = reads.collection(uid);
  if (among === null || collection === undefined || collection.lastSeq > among.seq) {
    const rows = rowsAfter(after, (from) => reads.pointsAfter(uid, from, SCAN_PAGE_ROWS, PAGE_BYTES));
    for (const row of rows) if (passes(row.id, payloadOf(row))) yield row;
    return;
  }
  const { labels, exact, seq } = among;
  const { pointsCount } = collection;
  // Whoever takes a few of many walks past pointsCount / labels.size rows for each of them, and need not read all that match first.
  const sparse = labels.size < SPARSE_SHARE * pointsCount && labels.size ** 2 <= wanted * pointsCount;
  const heads = sparse
    ? headsOf(reads, uid, labels, after)
    : rowsAfter(after, (from) => reads.headsAfter(uid, from, SCAN_PAGE_ROWS));
  for (const head of heads) {
    if (!passesFilter(labels, head.label)) continue;
    const row = reads.pointById(uid, head.id);
    if (row !== undefined && ((exact && row.version <= seq) || passes(row.id, payloadOf(row)))) yield row;
  }
}

/** The points of these labels behind `after`, in scroll order. Cost: a row each, and a sort. */
function headsOf(reads: StoreReads, uid: number, labels: LabelFilter, after: PointId | null): PointHead[] {
  const heads: PointHead[] = [];
  for (const label of labelsOf(labels)) {
    const head = reads.headByLabel(uid, label);
    if (head !== undefined && head.deadSeq === null && (after === null || comparePointIds(head.id, after) > 0)) heads.push(head);
  }
  return heads.sort((a, b) => comparePointIds(a.id, b.id));
}
