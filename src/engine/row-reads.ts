/** One point out of its rows, as far as it was asked for: what every read that answers points is made of.
 *  Must not know: requests, threads. */

import { decodeDefaultVector } from '../codec/vector-set.js';
import { pointBytes, tooLarge } from '../model/answer-budget.js';
import { SkeinError } from '../model/errors.js';
import type { PointId } from '../model/point.js';
import type { PointHead, StoreReads } from '../storage/storage.js';
import type { FoundPoint, Selection } from './engine.js';

/** @throws CorruptData */
export function vectorOf(reads: StoreReads, row: PointHead): Float32Array {
  const vectorSet = reads.vectorSet(row.uid, row.label);
  const vector = vectorSet === undefined ? null : decodeDefaultVector(vectorSet);
  if (vector === null) throw vectorsLost(row);
  return vector;
}

/** A point whose row is there and whose vectors are not. */
export function vectorsLost({ uid, label, id }: PointHead): SkeinError {
  const place = { table: 'vectors', collection_uid: uid, label, point_id: id };
  return new SkeinError('CorruptData', `Point ${JSON.stringify(id)} has lost its vector`, place);
}

/** A row as far as it was asked for: who wants no payload reads none, however long it is. */
export type SelectedRow = PointHead & { readonly payload?: Uint8Array };

export function rowById(reads: StoreReads, uid: number, id: PointId, { withPayload }: Selection): SelectedRow | undefined {
  return withPayload ? reads.pointById(uid, id) : reads.headById(uid, id);
}

export function rowByLabel(reads: StoreReads, uid: number, label: number, { withPayload }: Selection): SelectedRow | undefined {
  return withPayload ? reads.pointByLabel(uid, label) : reads.headByLabel(uid, label);
}

/** @throws CorruptData */
export function found(reads: StoreReads, row: SelectedRow, selection: Selection): FoundPoint {
  return {
    id: row.id,
    version: row.version,
    payload: selection.withPayload ? (row.payload ?? null) : null,
    vector: selection.withVector ? vectorOf(reads, row) : null,
  };
}

/** @returns the sum @throws PayloadTooLarge */
export function bytesWithin(bytesMax: number, bytes: number, point: FoundPoint): number {
  const sum = bytes + pointBytes(point);
  if (sum <= bytesMax) return sum;
  throw tooLarge(bytesMax);
}
