/** Filters on rows: for what no payload index can tell, and for rows that changed after an index was asked.
 *  Must not know: indexes, threads. */

import type { CollectionSpec } from '../model/collection.js';
import type { Filter } from '../model/filter.js';
import { type LabelFilter, labelsOf, passesFilter } from '../model/label-filter.js';
import { compileFilter, type PointTest } from '../search/evaluate-filter.js';
import type { StoreReads } from '../storage/storage.js';
import { textAnalyser } from '../text-index/open-index.js';
import { payloadOf } from './stored-payload.js';

const PAGE_ROWS = 512;
const PAGE_BYTES = 4 * 1024 * 1024;
/** Rows are found one by one while they are fewer than this share of all; else all are read in order. */
const SPARSE_SHARE = 0.1;

/** A filter for one row after the other; text conditions on text fields look at words as the text index does. */
export function rowTest(spec: Pick<CollectionSpec, 'text'>, filter: Filter): PointTest {
  const analyse = (key: string) => (spec.text.fields.includes(key) ? textAnalyser(spec.text) : null);
  return compileFilter(filter, { analyse });
}

/** Which of these labels pass, dead rows too: who asked may still have them inside.
 *  Cost: a row and its payload for each; about 10 µs. */
export function narrowLabels(reads: StoreReads, uid: number, among: LabelFilter, passes: PointTest): Uint32Array {
  const nextLabel = reads.collection(uid)?.nextLabel ?? 0;
  return among.size < SPARSE_SHARE * nextLabel ? narrowSparse(reads, uid, among, passes) : narrowAll(reads, uid, among, passes);
}

function narrowSparse(reads: StoreReads, uid: number, among: LabelFilter, passes: PointTest): Uint32Array {
  return labelsOf(among).filter((label) => {
    const row = reads.pointByLabel(uid, label);
    return row !== undefined && passes(row.id, payloadOf(row));
  });
}

function narrowAll(reads: StoreReads, uid: number, among: LabelFilter, passes: PointTest): Uint32Array {
  const found: number[] = [];
  for (let from = 0; ; ) {
    const rows = reads.pointsFrom(uid, from, PAGE_ROWS, PAGE_BYTES);
    for (const row of rows) if (passesFilter(among, row.label) && passes(row.id, payloadOf(row))) found.push(row.label);
    const last = rows.at(-1);
    if (last === undefined) return Uint32Array.from(found);
    from = last.label + 1;
  }
}
