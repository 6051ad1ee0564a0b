/** The named vectors of a collection: as they are declared with it, and after a change. Pure.
 *
 *  Invariant: names are unique among dense and sparse ones, and each list stands in the order of its names, so that equal declarations
 *  have equal bytes. A name that is taken away raises the generation of those that come later (model/vector-spec.ts).
 *  Must not know: points, who asked. */

import { DISTANCES } from '../model/distance.js';
import { invalidRequest } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { CollectionChange, DenseVectorChange, NewCollection, SparseVectorChange } from '../model/operation.js';
import {
  checkVectorName,
  DEFAULT_HNSW,
  declaredNames,
  type NamedDense,
  type NamedSparse,
  NO_NAMED_VECTORS,
  type VectorDeclarations,
  type VectorSpec,
  wholeQuantization,
} from '../model/vector-spec.js';
import { changedQuantization } from './changed-quantization.js';

/** @throws InvalidRequest naming the field, as bodies have it */
export function newVectors(spec: NewCollection): VectorDeclarations {
  const { dimension, distance, vectors = [], sparseVectors = [] } = spec;
  if ((dimension === null) !== (distance === null))
    throw invalidRequest(dimension === null ? 'dimension' : 'distance', 'missing: a default vector has both, or there is none');
  const declared = withAll(NO_NAMED_VECTORS, vectors, sparseVectors);
  if (declared.vectors.length + declared.sparseVectors.length < vectors.length + sparseVectors.length)
    throw invalidRequest('vectors', 'a name stands there twice');
  return declared;
}

/** @throws InvalidRequest naming the field, as bodies have it */
export function changedVectors(spec: VectorSpec, change: CollectionChange): VectorDeclarations {
  const { removeVectors = [], setVectors = [], setSparseVectors = [] } = change;
  return withAll(without(spec, removeVectors), setVectors, setSparseVectors);
}

function without(spec: VectorSpec, names: readonly string[]): VectorDeclarations {
  const { vectors, sparseVectors, vectorGeneration } = spec;
  if (names.length === 0) return { vectors, sparseVectors, vectorGeneration };
  for (const name of names)
    if (![...vectors, ...sparseVectors].some((vector) => vector.name === name))
      throw invalidRequest(`vectors.${name}`, `there is no vector of this name; ${declaredNames(spec)}`);
  const stays = ({ name }: { readonly name: string }): boolean => !names.includes(name);
  return {
    vectors: vectors.filter(stays),
    sparseVectors: sparseVectors.filter(stays),
    vectorGeneration: vectorGeneration + 1,
  };
}

function withAll(
  before: VectorDeclarations,
  dense: readonly DenseVectorChange[],
  sparse: readonly SparseVectorChange[],
): VectorDeclarations {
  const { vectorGeneration: generation } = before;
  const vectors = new Map(before.vectors.map((vector) => [vector.name, vector]));
  const sparseVectors = new Map(before.sparseVectors.map((vector) => [vector.name, vector]));
  for (const change of dense) {
    const { name } = change;
    const path = `vectors.${name}`;
    if (sparseVectors.has(name)) throw invalidRequest(path, 'there is a sparse vector of this name');
    const known = vectors.get(name);
    vectors.set(name, known === undefined ? newDense(change, generation, path) : changedDense(known, change, path));
  }
  for (const { name, modifier } of sparse) {
    const path = `sparse_vectors.${name}`;
    if (vectors.has(name)) throw invalidRequest(path, 'there is a dense vector of this name');
    const known: NamedSparse = sparseVectors.get(name) ?? { name: checkVectorName(name, path), modifier: null, generation };
    sparseVectors.set(name, modifier === undefined ? known : { ...known, modifier });
  }
  if (vectors.size + sparseVectors.size > FIXED.namedVectorsMax)
    throw invalidRequest('vectors', `a collection has at most ${FIXED.namedVectorsMax} named vectors`);
  return { vectors: inOrder(vectors), sparseVectors: inOrder(sparseVectors), vectorGeneration: generation };
}

function newDense(change: DenseVectorChange, generation: number, path: string): NamedDense {
  const { name, dimension, distance, hnsw, quantization } = change;
  if (dimension === undefined || distance === undefined) {
    const missing = dimension === undefined ? 'dimension' : 'distance';
    throw invalidRequest(`${path}.${missing}`, 'missing: the collection has no vector of this name yet');
  }
  checkVectorName(name, path);
  // Bodies are checked at the edge; this is for programs that hold the engine.
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > FIXED.dimensionMax)
    throw invalidRequest(`${path}.dimension`, `must be an integer from 1 to ${FIXED.dimensionMax}`);
  if (!DISTANCES.includes(distance)) throw invalidRequest(`${path}.distance`, `must be one of ${DISTANCES.join(', ')}`);
  const { type } = quantization ?? {};
  if (quantization && type === undefined) throw invalidRequest(`${path}.quantization.type`, 'missing');
  return {
    name,
    generation,
    dimension,
    distance,
    hnsw: { ...DEFAULT_HNSW, ...hnsw },
    quantization: quantization && type !== undefined ? wholeQuantization({ ...quantization, type }) : null,
  };
}

function changedDense(known: NamedDense, change: DenseVectorChange, path: string): NamedDense {
  const { hnsw, quantization } = change;
  const fixed = [
    ['dimension', change.dimension, known.dimension],
    ['distance', change.distance, known.distance],
    ['hnsw.m', hnsw?.m, known.hnsw.m],
    ['hnsw.ef_construct', hnsw?.efConstruct, known.hnsw.efConstruct],
  ] as const;
  for (const [field, given, is] of fixed)
    if (given !== undefined && given !== is)
      throw invalidRequest(`${path}.${field}`, `is fixed when a vector is declared; here it is ${is}`);
  return {
    ...known,
    hnsw: { ...known.hnsw, efSearch: hnsw?.efSearch ?? known.hnsw.efSearch },
    quantization: changedQuantization(known.quantization, quantization, `${path}.quantization`),
  };
}

function inOrder<Vector extends { readonly name: string }>(vectors: ReadonlyMap<string, Vector>): Vector[] {
  return [...vectors.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
