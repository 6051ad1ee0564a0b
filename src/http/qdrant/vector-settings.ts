/** What the dialect declares of vectors, as this server keeps it, and back. What would change answers and is not to be had is refused; what is only
 *  about where and how bytes lie is passed over (docs/QDRANT.md says which). Must not know: routes, points. */

import { DEFAULT_HNSW, type HnswParameters, type Quantization } from '../../model/collection.js';
import type { Distance } from '../../model/distance.js';
import type { Limits } from '../../model/limits.js';
import { join } from '../../wire/place.js';
import { type DialectHnsw, DialectVector } from '../../wire/qdrant-collections.js';
import { dialectCheck } from './body.js';
import { formMistake, wrongInput } from './mistakes.js';
import { isObject } from './plain-object.js';

export interface DenseAsked {
  readonly dimension: number;
  readonly distance: Distance;
  readonly hnsw: HnswParameters;
  readonly quantization: Quantization | null;
}

/** What holds for all vectors of a collection that say nothing else. */
export interface CommonVectors {
  readonly hnsw: DialectHnsw | undefined;
  readonly quantization: unknown;
}

const DISTANCES: Readonly<Record<string, Distance>> = { Cosine: 'cosine', Euclid: 'euclid', Dot: 'dot' };
const NAMES: Readonly<Record<Distance, string>> = { cosine: 'Cosine', euclid: 'Euclid', dot: 'Dot' };
const M_MIN = 2;
const M_MAX = 256;
/** As of the own API (model/vector-spec.ts). */
const INT8: Quantization = { type: 'int8', rescore: true, oversampling: 3 };

const checkVector = dialectCheck(DialectVector);

/** @param value one of `vectors`, or all of it @throws InvalidRequest */
export function denseAsked(value: unknown, path: string, common: CommonVectors, limits: Limits): DenseAsked {
  const vector = checkVector(value, path);
  const distance = DISTANCES[vector.distance];
  if (distance === undefined)
    throw wrongInput(`${vector.distance} distance is not to be had here; Cosine, Euclid and Dot are`, join(path, 'distance'));
  if (vector.multivector_config !== undefined)
    throw wrongInput('several vectors under one name are not to be had here', join(path, 'multivector_config'));
  mustBeFloat32(vector.datatype, join(path, 'datatype'));
  return {
    dimension: vector.size,
    distance,
    hnsw: hnswAsked({ ...common.hnsw, ...given(vector.hnsw_config ?? {}) }, join(path, 'hnsw_config'), limits),
    quantization: quantizationAsked(vector.quantization_config ?? common.quantization, join(path, 'quantization_config')),
  };
}

/** Other forms round what is stored, so it would not come back as it does there. */
export function mustBeFloat32(datatype: unknown, path: string): void {
  if (datatype !== undefined && datatype !== null && datatype !== 'float32')
    throw wrongInput('vectors are kept as float32; quantization_config makes their index smaller', path);
}

function given<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as Partial<Fields>;
}

/** @throws InvalidRequest */
export function hnswAsked(
  { m, ef_construct: efConstruct }: Partial<DialectHnsw>,
  path: string,
  { efSearchMax }: Pick<Limits, 'efSearchMax'>,
): HnswParameters {
  if (m !== undefined && m !== null && (m < M_MIN || m > M_MAX))
    throw wrongInput(`must be ${M_MIN} to ${M_MAX}: every dense vector has a graph here`, join(path, 'm'));
  return {
    m: m ?? DEFAULT_HNSW.m,
    efConstruct: efConstruct ?? DEFAULT_HNSW.efConstruct,
    efSearch: Math.min(DEFAULT_HNSW.efSearch, efSearchMax),
  };
}

/** Only scalar int8 has a counterpart. @throws InvalidRequest */
export function quantizationAsked(value: unknown, path: string): Quantization | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw formMistake(path, 'must be an object such as {"scalar": {"type": "int8"}}');
  const [kind, ...others] = Object.keys(value);
  if (others.length > 0 || kind !== 'scalar')
    throw wrongInput('of quantization only {"scalar": {"type": "int8"}} is to be had here', path);
  const scalar = value['scalar'];
  if (!isObject(scalar) || scalar['type'] !== 'int8') throw formMistake(`${path}.scalar`, 'must be {"type": "int8"}');
  const unknown = Object.keys(scalar).find((key) => !['type', 'quantile', 'always_ram'].includes(key));
  if (unknown !== undefined) throw formMistake(`${path}.scalar.${unknown}`, 'unknown field');
  return INT8;
}

/** `{size, distance, …}` */
export function shownDense({ dimension, distance, hnsw, quantization }: DenseAsked): object {
  return {
    size: dimension,
    distance: NAMES[distance],
    hnsw_config: { m: hnsw.m, ef_construct: hnsw.efConstruct },
    ...(quantization !== null && { quantization_config: shownQuantization(quantization) }),
  };
}

/** float16, which the own API has, has no name in the dialect. */
export function shownQuantization(quantization: Quantization | null): object | null {
  return quantization?.type === 'int8' ? { scalar: { type: 'int8' } } : null;
}
