/** Facets by reading rows: for fields and filters that no payload index can tell alone. Slow and right.
 *
 *  Bounded: values that are counted, in bytes. Must not know: indexes, threads. */

import { SkeinError } from '../model/errors.js';
import { FacetCounts, type FacetScalar, type FacetValue, scalarBytes, scalarsAt } from '../model/facet.js';
import { FIXED } from '../model/limits.js';
import type { PointRow, StoreReads } from '../storage/storage.js';
import { everyRow, matching, type RowFilter } from './matching-rows.js';
import { payloadOf } from './stored-payload.js';

export interface FacetReadRequest {
  readonly kind: 'facet';
  readonly uid: number;
  readonly path: string;
  /** Null: all points are counted. */
  readonly filter: RowFilter | null;
  readonly limit: number;
}

export interface FacetReadAnswer {
  readonly values: readonly FacetValue[];
  readonly seq: number;
}

/** Cost: a row and its payload for each point that may match. @throws CorruptData, PayloadTooLarge (the distinct values, or the answer) */
export function readFacet(reads: StoreReads, { uid, path, filter, limit }: FacetReadRequest): FacetReadAnswer {
  const { seq } = reads.state();
  const rows = filter === null ? everyRow(reads, uid) : matching(reads, uid, filter, null);
  const counts = new FacetCounts(limit);
  for (const [value, count] of counted(rows, path.split('.'))) counts.add(value, count);
  return { values: counts.values(), seq };
}

function counted(rows: Iterable<PointRow>, path: readonly string[]): ReadonlyMap<FacetScalar, number> {
  const found = new Map<FacetScalar, number>();
  let bytes = 0;
  for (const row of rows) {
    for (const value of scalarsAt(payloadOf(row), path)) {
      const count = found.get(value) ?? 0;
      if (count === 0) bytes += scalarBytes(value);
      found.set(value, count + 1);
    }
    if (bytes > FIXED.facetCountedBytesMax) throw tooManyValues(path);
  }
  return found;
}

function tooManyValues(path: readonly string[]): SkeinError {
  const bytesMax = FIXED.facetCountedBytesMax;
  const message = `The distinct values of '${path.join('.')}' have more than ${bytesMax} bytes together: declare a payload index for it`;
  return new SkeinError('PayloadTooLarge', message, { limit_bytes: bytesMax });
}
