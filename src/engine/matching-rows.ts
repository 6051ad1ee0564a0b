/** The points that a filter lets pass, met row by row in scroll order: all rows, or only those that an index named.
 *
 *  An index may be behind: rows that it does not know as they are (rows-since.ts) are held against the filter themselves, so its answer helps
 *  however much was written since. Pages are read one after the other, so what lives unchanged from start to end is met exactly once.
 *  Must not know: what is done with the points, threads. */

import type { CollectionSpec } from '../model/collection.js';
import type { Filter } from '../model/filter.js';
import { type LabelFilter, labelsOf, passesFilter } from '../model/label-filter.js';
import { comparePointIds, type PointId } from '../model/point.js';
import type { PointHead, PointRow, StoreReads } from '../storage/storage.js';
import { onRows, rowTest } from './filter-rows.js';
import { changedSince, diedSince, type IndexState, isAsIndexed } from './rows-since.js';

const SCAN_PAGE_ROWS = 1_000;
const PAGE_BYTES = 8 * 1024 * 1024;
/** Fewer matches than this share of all are read one by one and sorted; more are met in scroll order. */
const SPARSE_SHARE = 0.2;
/** Rows that changed since an index was asked are looked for one by one up to so many; for more, every row is met. */
const CHANGED_ROWS_MAX = 4_096;

/** What an index knows of the matches of a filter. */
export interface IndexedMatches extends IndexState {
  /** Labels that match, or may match. */
  readonly labels: LabelFilter;
  readonly exact: boolean;
}

/** A filter, and what an index knows of its matches; null: every row is looked at. */
export interface RowFilter {
  readonly filter: Filter;
  /** For text conditions: how texts are analysed. */
  readonly spec: CollectionSpec;
  readonly among: IndexedMatches | null;
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
  const passes = onRows(reads, rowTest(spec, filter));
  if (among === null) {
    const rows = rowsAfter(after, (from) => reads.pointsAfter(uid, from, SCAN_PAGE_ROWS, PAGE_BYTES));
    for (const row of rows) if (passes(row)) yield row;
    return;
  }
  for (const head of candidates(reads, uid, among, after, wanted)) {
    const row = reads.pointById(uid, head.id);
    if (row === undefined) continue;
    const isKnown = isAsIndexed(row, among);
    if (isKnown && !passesFilter(among.labels, row.label)) continue;
    if ((isKnown && among.exact) || passes(row)) yield row;
  }
}

/** How many points match, of one state of the store, from what an exact index knew and the rows that it did not know as they are; the dead
 *  among those must not have been reaped. Null: they are more than rowsMax, or the index is not exact.
 *  Cost: a row and its payload for each that changed. */
export function countFromIndex(
  reads: StoreReads,
  uid: number,
  { filter, spec, among }: RowFilter,
  rowsMax: number,
): { count: number; seq: number } | null {
  if (among === null || !among.exact) return null;
  const { labels } = among;
  const passes = onRows(reads, rowTest(spec, filter));
  return reads.snapshot(() => {
    const died = diedSince(reads, uid, among, rowsMax);
    const changed = died === null ? null : changedSince(reads, uid, among, rowsMax);
    if (died === null || changed === null) return null;
    let count = labels.size;
    for (const label of died) if (passesFilter(labels, label)) count -= 1;
    for (const label of changed) {
      if (passesFilter(labels, label)) count -= 1;
      const row = reads.pointByLabel(uid, label);
      if (row?.deadSeq === null && passes(row)) count += 1;
    }
    return { count, seq: reads.state().seq };
  });
}

/** Points that may match, in scroll order behind `after`; each is to be looked at again. */
function candidates(
  reads: StoreReads,
  uid: number,
  among: IndexedMatches,
  after: PointId | null,
  wanted: number,
): Iterable<PointHead> {
  const { labels } = among;
  const pointsCount = reads.collection(uid)?.pointsCount ?? 0;
  // Whoever takes a few of many walks past pointsCount / labels.size rows for each of them, and need not read all that match first.
  const sparse = labels.size < SPARSE_SHARE * pointsCount && labels.size ** 2 <= wanted * pointsCount;
  const heads = sparse ? reads.snapshot(() => sparseHeads(reads, uid, among, after)) : null;
  return heads ?? walkedHeads(reads, uid, among, after);
}

function* walkedHeads(reads: StoreReads, uid: number, among: IndexedMatches, after: PointId | null): Generator<PointHead> {
  const heads = rowsAfter(after, (from) => reads.headsAfter(uid, from, SCAN_PAGE_ROWS));
  for (const head of heads) if (!isAsIndexed(head, among) || passesFilter(among.labels, head.label)) yield head;
}

/** Null: too much changed since. Cost: a row for each label, and a sort. */
function sparseHeads(reads: StoreReads, uid: number, among: IndexedMatches, after: PointId | null): PointHead[] | null {
  const changed = changedSince(reads, uid, among, CHANGED_ROWS_MAX);
  if (changed === null) return null;
  const heads: PointHead[] = [];
  const take = (label: number): void => {
    const head = reads.headByLabel(uid, label);
    if (head !== undefined && head.deadSeq === null && (after === null || comparePointIds(head.id, after) > 0)) heads.push(head);
  };
  for (const label of labelsOf(among.labels)) take(label);
  for (const label of changed) if (!passesFilter(among.labels, label)) take(label);
  return heads.sort((a, b) => comparePointIds(a.id, b.id));
}
