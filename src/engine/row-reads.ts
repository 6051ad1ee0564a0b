/** One point out of its rows, as far as it was asked for: what every read that answers points is made of.
 *  Must not know: requests, threads. */

import { decodeDefaultVector, decodeVectorSet } from '../codec/vector-set.js';
import { pointBytes, tooLarge } from '../model/answer-budget.js';
import { SkeinError } from '../model/errors.js';
import type { PointId } from '../model/point.js';
import { DEFAULT_VECTOR, targetNamed, targetsOf, type VectorSpec, type VectorTarget } from '../model/vector-spec.js';
import type { PointHead, StoreReads } from '../storage/storage.js';
import type { FoundPoint, Selection } from './engine.js';

/** Which parts of a point are read. */
export interface RowSelection {
  readonly withPayload: boolean;
  /** The default vector. */
  readonly withVector: boolean;
  /** Other vectors; left out: the answer has no list of them. */
  readonly named?: readonly Pick<VectorTarget, 'name' | 'key'>[];
}

/** What was asked for, in terms of what the collection declares. @throws InvalidRequest for a name that it does not */
export function rowSelection(spec: VectorSpec, { withPayload, withVector }: Selection): RowSelection {
  if (withVector === false) return { withPayload, withVector };
  const asked = withVector === true ? targetsOf(spec) : withVector.map((name, i) => targetNamed(spec, name, `with_vector[${i}]`));
  const named = asked.filter(({ name }) => name !== DEFAULT_VECTOR);
  const hasList = withVector === true ? spec.vectors.length + spec.sparseVectors.length > 0 : named.length > 0;
  const selection = { withPayload, withVector: named.length < asked.length };
  return hasList ? { ...selection, named: named.map(({ name, key }) => ({ name, key })) } : selection;
}

/** @throws CorruptData */
export function vectorSetOf(reads: StoreReads, row: PointHead): Uint8Array {
  const vectorSet = reads.vectorSet(row.uid, row.label);
  if (vectorSet === undefined) throw vectorsLost(row);
  return vectorSet;
}

type SelectedVectors = Pick<FoundPoint, 'vector' | 'vectors'>;

/** @throws CorruptData */
export function vectorsOf(reads: StoreReads, row: PointHead, { withVector, named }: RowSelection): SelectedVectors {
  if (!withVector && named === undefined) return { vector: null };
  return selectedVectors(vectorSetOf(reads, row), { withVector, named });
}

export function selectedVectors(
  vectorSet: Uint8Array,
  { withVector, named }: { readonly withVector: boolean; readonly named?: RowSelection['named'] | undefined },
): SelectedVectors {
  if (named === undefined) return { vector: withVector ? decodeDefaultVector(vectorSet) : null };
  const stored = decodeVectorSet(vectorSet);
  const found = named.flatMap(({ name, key }) => {
    const vector = stored.get(key);
    return vector === undefined ? [] : [[name, vector] as const];
  });
  const own = withVector ? stored.get(DEFAULT_VECTOR) : undefined;
  return { vector: own?.kind === 'dense' ? own.values : null, vectors: new Map(found) };
}

/** A point whose row is there and whose vectors are not. */
export function vectorsLost({ uid, label, id }: PointHead): SkeinError {
  const place = { table: 'vectors', collection_uid: uid, label, point_id: id };
  return new SkeinError('CorruptData', `Point ${JSON.stringify(id)} has lost its vector`, place);
}

/** A row as far as it was asked for: who wants no payload reads none, however long it is. */
export type SelectedRow = PointHead & { readonly payload?: Uint8Array };

export function rowById(reads: StoreReads, uid: number, id: PointId, { withPayload }: RowSelection): SelectedRow | undefined {
  return withPayload ? reads.pointById(uid, id) : reads.headById(uid, id);
}

export function rowByLabel(
  reads: StoreReads,
  uid: number,
  label: number,
  { withPayload }: RowSelection,
): SelectedRow | undefined {
  return withPayload ? reads.pointByLabel(uid, label) : reads.headByLabel(uid, label);
}

/** @throws CorruptData */
export function found(reads: StoreReads, row: SelectedRow, selection: RowSelection): FoundPoint {
  return {
    id: row.id,
    version: row.version,
    payload: selection.withPayload ? (row.payload ?? null) : null,
    ...(row.expiresAtMs === null ? {} : { expiresAtMs: row.expiresAtMs }),
    ...vectorsOf(reads, row, selection),
  };
}

/** @returns the sum @throws PayloadTooLarge */
export function bytesWithin(bytesMax: number, bytes: number, point: FoundPoint): number {
  const sum = bytes + pointBytes(point);
  if (sum <= bytesMax) return sum;
  throw tooLarge(bytesMax);
}
