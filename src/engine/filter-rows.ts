/** Filters on rows: for what no payload index can tell, and for rows that changed after an index was asked.
 *  Must not know: indexes, threads. */

import { decodeVectorSet } from '../codec/vector-set.js';
import type { CollectionSpec } from '../model/collection.js';
import type { Filter } from '../model/filter.js';
import { type LabelFilter, labelsOf, passesFilter } from '../model/label-filter.js';
import { DEFAULT_VECTOR, keyOf as storedUnder, type VectorDeclarations } from '../model/vector-spec.js';
import { compileFilter, type PointTest } from '../search/evaluate-filter.js';
import type { PointRow, StoreReads } from '../storage/storage.js';
import { textAnalyser } from '../text-index/open-index.js';
import { payloadOf } from './stored-payload.js';

const PAGE_ROWS = 512;
const PAGE_BYTES = 4 * 1024 * 1024;
/** Rows are found one by one while they are fewer than this share of all; else all are read in order. */
const SPARSE_SHARE = 0.1;

/** A filter for one row after the other; text conditions on text fields look at words as the text index does. */
export function rowTest(spec: Pick<CollectionSpec, 'text'> & VectorDeclarations, filter: Filter): PointTest {
  const analyse = (key: string) => (spec.text.fields.includes(key) ? textAnalyser(spec.text) : null);
  const keyOf = (name: string) => {
    if (name === DEFAULT_VECTOR) return DEFAULT_VECTOR;
    const declared = [...spec.vectors, ...spec.sparseVectors].find((vector) => vector.name === name);
    return declared === undefined ? null : storedUnder(declared);
  };
  return compileFilter(filter, { analyse, keyOf });
}

/** The test of whole rows. Cost: of one without conditions on vectors none of them is read. */
export function onRows(reads: Pick<StoreReads, 'vectorSet'>, test: PointTest): (row: PointRow) => boolean {
  return (row) =>
    test(row.id, payloadOf(row), () => {
      const bytes = reads.vectorSet(row.uid, row.label);
      return bytes === undefined ? new Map() : decodeVectorSet(bytes);
    });
}

/** Which of these labels pass, dead rows too: who asked may still have them inside.
 *  Cost: a row and its payload for each; about 10 µs. */
export function narrowLabels(reads: StoreReads, uid: number, among: LabelFilter, passes: PointTest): Uint32Array {
  const nextLabel = reads.collection(uid)?.nextLabel ?? 0;
  const narrow = among.size < SPARSE_SHARE * nextLabel ? narrowSparse : narrowAll;
  return narrow(reads, uid, among, onRows(reads, passes));
}

function narrowSparse(reads: StoreReads, uid: number, among: LabelFilter, passes: (row: PointRow) => boolean): Uint32Array {
  return labelsOf(among).filter((label) => {
    const row = reads.pointByLabel(uid, label);
    return row !== undefined && passes(row);
  });
}

function narrowAll(reads: StoreReads, uid: number, among: LabelFilter, passes: (row: PointRow) => boolean): Uint32Array {
  const found: number[] = [];
  for (let from = 0; ; ) {
    const rows = reads.pointsFrom(uid, from, PAGE_ROWS, PAGE_BYTES);
    for (const row of rows) if (passesFilter(among, row.label) && passes(row)) found.push(row.label);
    const last = rows.at(-1);
    if (last === undefined) return Uint32Array.from(found);
    from = last.label + 1;
  }
}
