/** Collections of the dialect between its bodies and the engine's operations: what is created, what is changed.
 *  Must not know: routes, how collections are shown (collection-info.ts). */

import type { CollectionInfo } from '../../engine/engine.js';
import type { Limits } from '../../model/limits.js';
import type { CollectionChange, NewCollection } from '../../model/operation.js';
import { wholeStrictMode } from '../../model/strict-mode.js';
import { DEFAULT_VECTOR, type NewSparseVector } from '../../model/vector-spec.js';
import { strictFromBody } from '../../wire/http-bodies.js';
import type {
  CreateCollectionBody,
  DialectHnsw,
  DialectSparseVector,
  UpdateCollectionBody,
  VectorNameBody,
} from '../../wire/qdrant-collections.js';
import { formMistake, wrongInput } from './mistakes.js';
import { isObject } from './plain-object.js';
import { targetOf } from './vector-names.js';
import { type CommonVectors, denseAsked, hnswAsked, mustBeFloat32, quantizationAsked } from './vector-settings.js';

/** @throws InvalidRequest: what is not to be had here is refused by its name */
export function newCollection(body: CreateCollectionBody, limits: Limits): NewCollection {
  mustBeOnePiece(body);
  const { hnsw_config: hnsw, quantization_config: quantization, strict_mode_config: strict } = body;
  return {
    ...vectorsAsked(body, { hnsw, quantization }, limits),
    ttlMs: null,
    ...(strict === undefined ? {} : { strictMode: wholeStrictMode({ ...strictFromBody(strict), enabled: strict.enabled }) }),
  };
}

type Vectors = Pick<NewCollection, 'dimension' | 'distance' | 'hnsw' | 'quantization' | 'vectors' | 'sparseVectors'>;

function vectorsAsked(body: CreateCollectionBody, common: CommonVectors, limits: Limits): Vectors {
  const { vectors = {} } = body;
  if (!isObject(vectors)) throw formMistake('vectors', 'must be {size, distance}, or an object of such by name');
  const byName = Object.entries(isSingle(vectors) ? { [DEFAULT_VECTOR]: vectors } : vectors);
  const asked = byName.map(([name, vector]) => {
    const path = name === DEFAULT_VECTOR ? 'vectors' : `vectors.${name}`;
    return { name, ...denseAsked(vector, path, common, limits) };
  });
  const own = asked.find(({ name }) => name === DEFAULT_VECTOR);
  const named = asked.filter(({ name }) => name !== DEFAULT_VECTOR);
  const sparseVectors = Object.entries(body.sparse_vectors ?? {}).map(([name, sparse]) => sparseAsked(name, sparse));
  return {
    dimension: own?.dimension ?? null,
    distance: own?.distance ?? null,
    hnsw: own?.hnsw ?? hnswAsked(common.hnsw ?? {}, 'hnsw_config', limits),
    ...(own !== undefined && own.quantization !== null && { quantization: own.quantization }),
    ...(named.length > 0 && { vectors: named }),
    ...(sparseVectors.length > 0 && { sparseVectors }),
  };
}

/** One vector without a name, or a map of them by name? A vector may be named `size`, but then it is no number. */
function isSingle(vectors: Readonly<Record<string, unknown>>): boolean {
  return typeof vectors['size'] === 'number' || typeof vectors['distance'] === 'string';
}

/** @throws InvalidRequest */
export function sparseAsked(name: string, sparse: DialectSparseVector | null): NewSparseVector {
  const path = `sparse_vectors.${name}`;
  mustBeFloat32(sparse?.datatype, `${path}.datatype`);
  if (isObject(sparse?.index)) mustBeFloat32(sparse.index['datatype'], `${path}.index.datatype`);
  return { name, modifier: sparse?.modifier === 'idf' ? 'idf' : null };
}

/** A vector that is declared of a collection that is there. @throws InvalidRequest */
export function newVector(name: string, { dense, sparse }: VectorNameBody, limits: Limits): CollectionChange {
  if ((dense === undefined) === (sparse === undefined)) throw formMistake('', 'exactly one of dense and sparse is needed');
  if (sparse !== undefined) return { setSparseVectors: [sparseAsked(name, sparse)] };
  return { setVectors: [{ name, ...denseAsked(dense, 'dense', { hnsw: undefined, quantization: undefined }, limits) }] };
}

function mustBeOnePiece(body: CreateCollectionBody): void {
  if (body.sharding_method === 'custom') throw wrongInput('collections have no shard keys here', 'sharding_method');
  mustBePlain(body.write_consistency_factor, 'write_consistency_factor');
  mustHaveNoMetadata(body.metadata);
}

function mustBePlain(factor: number | null | undefined, path: string): void {
  if (factor !== undefined && factor !== null && factor > 1)
    throw wrongInput('how many nodes must hold a write is set for the server (default_w), not for a collection', path);
}

function mustHaveNoMetadata(metadata: unknown): void {
  if (isObject(metadata) && Object.keys(metadata).length === 0) return;
  if (metadata !== undefined) throw wrongInput('collections keep no metadata here', 'metadata');
}

/** Null: nothing is to be changed. @throws InvalidRequest */
export function collectionChange(body: UpdateCollectionBody, info: CollectionInfo): CollectionChange | null {
  mustHaveNoMetadata(body.metadata);
  mustBePlain(body.params?.write_consistency_factor, 'params.write_consistency_factor');
  mustKeepGraph(body.hnsw_config, info, 'hnsw_config');
  for (const [name, vector] of Object.entries(body.vectors ?? {})) {
    const path = name === DEFAULT_VECTOR ? 'vectors' : `vectors.${name}`;
    const target = targetOf(info, name, path);
    if (target.kind !== 'dense') throw wrongInput(`Not existing vector name error: ${name}`, path);
    mustKeepGraph(vector.hnsw_config ?? undefined, target, `${path}.hnsw_config`);
    mustKeepQuantization(vector.quantization_config, target, `${path}.quantization_config`);
  }
  mustKeepQuantization(body.quantization_config, info, 'quantization_config');
  const sparse = Object.entries(body.sparse_vectors ?? {}).map(([name, vector]) => {
    if (targetOf(info, name, `sparse_vectors.${name}`).kind !== 'sparse')
      throw wrongInput(`Not existing vector name error: ${name}`, `sparse_vectors.${name}`);
    return sparseAsked(name, vector);
  });
  const { strict_mode_config: strict } = body;
  const change: CollectionChange = {
    ...(strict === undefined ? {} : { strictMode: strictFromBody(strict) }),
    ...(sparse.length > 0 && { setSparseVectors: sparse }),
  };
  return Object.keys(change).length === 0 ? null : change;
}

/** An index keeps its vectors as it was made to. */
function mustKeepQuantization(
  value: unknown,
  { quantization: before }: Pick<CollectionInfo, 'quantization'>,
  path: string,
): void {
  if (value === undefined || value === null) return;
  const asked = value === 'Disabled' ? null : quantizationAsked(value, path);
  if (asked?.type !== before?.type) throw wrongInput('the quantization of a vector is fixed when it is declared', path);
}

/** A graph is built once, as it was asked for. */
function mustKeepGraph(hnsw: DialectHnsw | undefined, { hnsw: before }: Pick<CollectionInfo, 'hnsw'>, path: string): void {
  const m = hnsw?.m ?? before.m;
  const efConstruct = hnsw?.ef_construct ?? before.efConstruct;
  if (m === before.m && efConstruct === before.efConstruct) return;
  throw wrongInput(`m and ef_construct are fixed when a collection is made: ${before.m} and ${before.efConstruct}`, path);
}
