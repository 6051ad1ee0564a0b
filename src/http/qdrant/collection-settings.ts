/** Collections of the dialect between its bodies and the engine's operations: what is created, what is changed.
 *  Must not know: routes, how collections are shown (collection-info.ts). */

import type { CollectionInfo } from '../../engine/engine.js';
import type { Limits } from '../../model/limits.js';
import type { CollectionChange, NewCollection } from '../../model/operation.js';
import { wholeStrictMode } from '../../model/strict-mode.js';
import { strictFromBody } from '../../wire/http-bodies.js';
import type { CreateCollectionBody, DialectHnsw, UpdateCollectionBody } from '../../wire/qdrant-collections.js';
import { wrongInput } from './mistakes.js';
import { isObject } from './plain-object.js';
import { type CommonVectors, denseAsked, quantizationAsked } from './vector-settings.js';

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

type Vectors = Pick<NewCollection, 'dimension' | 'distance' | 'hnsw' | 'quantization'>;

function vectorsAsked(body: CreateCollectionBody, common: CommonVectors, limits: Limits): Vectors {
  const { vectors } = body;
  if (isSingle(vectors)) {
    const { quantization, ...vector } = denseAsked(vectors, 'vectors', common, limits);
    return { ...vector, ...(quantization !== null && { quantization }) };
  }
  throw wrongInput('a collection has one vector without a name here: {size, distance}', 'vectors');
}

/** One vector without a name, or a map of them by name? A vector may be named `size`, but then it is no number. */
export function isSingle(vectors: unknown): boolean {
  return isObject(vectors) && typeof vectors['size'] === 'number';
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
    if (name !== '') throw wrongInput('there is no vector of this name', `vectors.${name}`);
    mustKeepGraph(vector.hnsw_config ?? undefined, info, `vectors.${name}.hnsw_config`);
  }
  const quantization = body.vectors?.['']?.quantization_config ?? body.quantization_config;
  const { strict_mode_config: strict } = body;
  const change: CollectionChange = {
    ...(strict === undefined ? {} : { strictMode: strictFromBody(strict) }),
    ...quantizationChange(quantization, info),
  };
  return Object.keys(change).length === 0 ? null : change;
}

function quantizationChange(value: unknown, { quantization: before }: CollectionInfo): Pick<CollectionChange, 'quantization'> {
  if (value === undefined || value === null) return {};
  const asked = value === 'Disabled' ? null : quantizationAsked(value, 'quantization_config');
  if (asked?.type === before?.type) return {};
  throw wrongInput('the quantization of a collection is fixed when it is made', 'quantization_config');
}

/** A graph is built once, as it was asked for. */
function mustKeepGraph(hnsw: DialectHnsw | undefined, { hnsw: before }: Pick<CollectionInfo, 'hnsw'>, path: string): void {
  const m = hnsw?.m ?? before.m;
  const efConstruct = hnsw?.ef_construct ?? before.efConstruct;
  if (m === before.m && efConstruct === before.efConstruct) return;
  throw wrongInput(`m and ef_construct are fixed when a collection is made: ${before.m} and ${before.efConstruct}`, path);
}
