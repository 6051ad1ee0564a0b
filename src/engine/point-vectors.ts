/** The vectors of points on their way into the store: held against what the collection declares, and brought into their one byte form.
 *
 *  Clients name vectors, the store keeps them by key (model/vector-spec.ts); what is left of earlier declarations goes whenever a point is
 *  written. Invariant: what comes out fits (vectorSetFits), and equal vectors have equal bytes.
 *  Must not know: labels, indexes, how points came. */

import { decodeVectorSet, encodeDefaultVector, encodeVectorSet, isDefaultVector } from '../codec/vector-set.js';
import type { CollectionSpec } from '../model/collection.js';
import { type ErrorDetails, invalidRequest, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import {
  DEFAULT_VECTOR,
  type DenseVector,
  type NamedVectors,
  type PointBlock,
  type PointId,
  type PointPatch,
  type SparseVector,
} from '../model/point.js';
import { type DenseTarget, declaredNames, hasDefaultOnly, isLeftBehind, targetsOf } from '../model/vector-spec.js';

type Vector = DenseVector | SparseVector;

/** Reads the vector sets of a block, point by point in their order. @throws as setOf */
export function* vectorSetsOf(spec: CollectionSpec, block: PointBlock): Generator<Uint8Array> {
  const { ids, dimension, vectors, hasVector = null, named = null } = block;
  let row = 0;
  for (const [i, id] of ids.entries()) {
    const isThere = dimension > 0 && hasVector?.[i] !== 0;
    const values = isThere ? vectors.subarray(row * dimension, (row + 1) * dimension) : null;
    if (isThere) row += 1;
    const bytes = named?.bytes.subarray(i === 0 ? 0 : named.ends[i - 1], named.ends[i]);
    const others = bytes === undefined || bytes.length === 0 ? null : decodeVectorSet(bytes);
    yield setOf(spec, id, values, others);
  }
}

/** The bytes of a point's vectors. @param values of the default vector, null: it has none  @param named others, by name
 *  @throws InvalidRequest (a name that is not declared, a sparse vector that is none), DimensionMismatch, InvalidVector, ZeroVector */
export function setOf(spec: CollectionSpec, id: PointId, values: Float32Array | null, named: NamedVectors | null): Uint8Array {
  const vectors = new Map<string, Vector>();
  if (values !== null) {
    checkVector(spec, id, DEFAULT_VECTOR, { kind: 'dense', values });
    if (named === null || named.size === 0) return encodeDefaultVector(values);
    vectors.set(DEFAULT_VECTOR, { kind: 'dense', values });
  }
  for (const [name, vector] of named ?? []) vectors.set(checkVector(spec, id, name, vector), vector);
  return encodeVectorSet(vectors);
}

/** The bytes of a point's vectors after a patch; the very same bytes when it changes none. @throws as setOf */
export function patchedSet(spec: CollectionSpec, vectorSet: Uint8Array, patch: PointPatch): Uint8Array {
  const { id, vector, vectors, unsetVectors } = patch;
  if (vector === undefined && vectors === undefined && unsetVectors === undefined) return vectorSet;
  if (vector !== undefined && hasDefaultOnly(spec) && vectors === undefined && unsetVectors === undefined)
    return setOf(spec, id, vector, null);
  const declared = new Set(targetsOf(spec).map(({ key }) => key));
  const after = new Map([...decodeVectorSet(vectorSet)].filter(([key]) => declared.has(key)));
  for (const name of unsetVectors ?? []) after.delete(keyNamed(spec, id, name));
  if (vector !== undefined) {
    const values: DenseVector = { kind: 'dense', values: vector };
    after.set(checkVector(spec, id, DEFAULT_VECTOR, values), values);
  }
  for (const [name, given] of vectors ?? []) after.set(checkVector(spec, id, name, given), given);
  return encodeVectorSet(after);
}

function keyNamed(spec: CollectionSpec, id: PointId, name: string): string {
  const target = targetsOf(spec).find((one) => one.name === name);
  if (target === undefined) throw unknownName(spec, id, name);
  return target.key;
}

function unknownName(spec: CollectionSpec, id: PointId, name: string): SkeinError {
  const what = name === DEFAULT_VECTOR ? 'the collection has no default vector' : `there is no vector ${JSON.stringify(name)}`;
  return invalidRequest('', `Point ${JSON.stringify(id)}: ${what}; ${declaredNames(spec)}`);
}

/** @returns the key under which it is stored */
function checkVector(spec: CollectionSpec, id: PointId, name: string, vector: Vector): string {
  const target = targetsOf(spec).find((one) => one.name === name);
  if (target === undefined) throw unknownName(spec, id, name);
  if (target.kind !== vector.kind)
    throw invalidRequest('', `Point ${JSON.stringify(id)}: vector ${JSON.stringify(name)} is a ${target.kind} one`);
  if (vector.kind === 'sparse') checkSparse(vector, id, name);
  else if (target.kind === 'dense') checkDense(target, vector.values, id);
  return target.key;
}

function checkDense({ name, dimension, distance }: DenseTarget, values: Float32Array, id: PointId): void {
  if (values.length !== dimension) throw dimensionMismatch(name, dimension, values.length, id);
  checkFinite(values, id, name);
  if (distance === 'cosine') checkDirection(values, id, name);
}

function checkSparse({ indices, values }: SparseVector, id: PointId, name: string): void {
  const refuse = (message: string): never => {
    throw invalidRequest('', `Point ${JSON.stringify(id)}: sparse vector ${JSON.stringify(name)} ${message}`);
  };
  if (indices.length !== values.length) refuse(`has ${indices.length} indices and ${values.length} values`);
  if (indices.length > FIXED.sparseValuesMax) refuse(`has more than ${FIXED.sparseValuesMax} values`);
  if (!isAscending(indices)) refuse('has indices that are not ascending and unique');
  checkFinite(values, id, name);
}

function isAscending(indices: Uint32Array): boolean {
  for (let i = 1; i < indices.length; i++) if ((indices[i] as number) <= (indices[i - 1] as number)) return false;
  return true;
}

/** Which vector an error is about; the default one has no name. */
function nameDetails(name: string): ErrorDetails {
  return name === DEFAULT_VECTOR ? {} : { vector_name: name };
}

function shown(name: string): string {
  return name === DEFAULT_VECTOR ? 'the vector' : `vector ${JSON.stringify(name)}`;
}

function dimensionMismatch(name: string, expected: number, got: number, id: PointId): SkeinError {
  return new SkeinError(
    'DimensionMismatch',
    `Point ${JSON.stringify(id)}: ${shown(name)} has ${got} components, the collection ${expected}`,
    { expected, got, point_id: id, ...nameDetails(name) },
  );
}

/** NaN · 0 and ∞ · 0 are NaN, so one sum tells. Clients are checked at the edge; this is for programs that hold the engine. */
function checkFinite(values: Float32Array, id: PointId, name: string): void {
  let check = 0;
  for (let i = 0; i < values.length; i++) check += (values[i] as number) * 0;
  if (check === 0) return;
  const component = values.findIndex((value) => !Number.isFinite(value));
  const where = name === DEFAULT_VECTOR ? '' : `${shown(name)}: `;
  throw new SkeinError('InvalidVector', `Point ${JSON.stringify(id)}: ${where}component ${component} is not a finite number`, {
    point_id: id,
    component,
    ...nameDetails(name),
  });
}

function checkDirection(values: Float32Array, id: PointId, name: string): void {
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) return;
  const where = name === DEFAULT_VECTOR ? '' : `${shown(name)}: `;
  throw new SkeinError('ZeroVector', `Point ${JSON.stringify(id)}: ${where}a zero vector has no direction, so no cosine`, {
    point_id: id,
    ...nameDetails(name),
  });
}

/** Are these bytes vectors as this collection stores them, those of earlier declarations included? What came from another node is held
 *  against it. Cost: none of the components is read where there is only the default vector. */
export function vectorSetFits(spec: CollectionSpec, bytes: Uint8Array): boolean {
  if (spec.dimension !== null && isDefaultVector(bytes, spec.dimension)) return true;
  let vectors: NamedVectors;
  try {
    vectors = decodeVectorSet(bytes);
  } catch {
    return false;
  }
  const targets = targetsOf(spec);
  return [...vectors].every(([key, vector]) => {
    const target = targets.find((one) => one.key === key);
    if (target === undefined) return key !== DEFAULT_VECTOR && isLeftBehind(key, spec);
    if (vector.kind === 'sparse') return target.kind === 'sparse' && isAscending(vector.indices);
    return target.kind === 'dense' && vector.values.length === target.dimension;
  });
}
