/** Collections between the model and the wire: specs as they come in, info as it goes out. */

import type { CollectionInfo, Engine } from '../engine/engine.js';
import { NOTHING_DECLARED } from '../model/collection.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import type { Limits } from '../model/limits.js';
import type { CollectionChange, NewCollection, OperationResult } from '../model/operation.js';
import { type BodyCheck, bodyCheck } from '../wire/check-body.js';
import { CollectionChangeBody, type CollectionInfoBody, NewCollectionBody } from '../wire/http-bodies.js';
import { join } from '../wire/place.js';
import { tokenOf } from './answer.js';
import { declarationChange, newDeclarations, shownDeclarations } from './declarations.js';
import { checkEfSearch, hnswOf, newVectors, shownVectors, vectorsChange } from './vector-declarations.js';

type CollectionResult = Extract<OperationResult, { readonly kind: 'create_collection' | 'update_collection' }>;

const LATER = { embedding: 'embedding of text' };

export const checkNewCollection: BodyCheck<NewCollectionBody> = bodyCheck(NewCollectionBody, LATER);
export const checkCollectionChange: BodyCheck<CollectionChangeBody> = bodyCheck(CollectionChangeBody, LATER);

/** @param inside where the body stands in the whole: '' or such as `operations[2].create_collection` @throws InvalidRequest */
export function newCollection(body: NewCollectionBody, limits: Limits, inside = ''): NewCollection {
  checkDefault(body, inside);
  return {
    dimension: body.dimension ?? null,
    distance: body.distance ?? null,
    hnsw: hnswOf(body.hnsw, limits, join(inside, 'hnsw')),
    ttlMs: body.ttl_ms ?? null,
    ...newVectors(body, limits, inside),
    ...newDeclarations(body, inside),
  };
}

/** Without a default vector a collection says which vectors it has, be it none; else something was forgotten. */
function checkDefault(
  { dimension, distance, vectors, sparse_vectors: sparse, hnsw, quantization }: NewCollectionBody,
  inside: string,
): void {
  const isNamed = vectors !== undefined || sparse !== undefined;
  if (dimension !== undefined && distance !== undefined) return;
  if (dimension !== undefined || distance !== undefined || !isNamed)
    throw missing(
      dimension === undefined && distance === undefined
        ? ['dimension', 'distance']
        : [dimension === undefined ? 'dimension' : 'distance'],
      inside,
    );
  if (hnsw !== undefined) throw invalidRequest(join(inside, 'hnsw'), 'is of the default vector, and there is none');
  if (quantization) throw invalidRequest(join(inside, 'quantization'), 'is of the default vector, and there is none');
}

function missing(fields: readonly string[], inside: string): SkeinError {
  const issues = fields.map((field) => ({ path: join(inside, field), message: 'missing' }));
  return new SkeinError('InvalidRequest', `${issues[0]?.path}: missing`, { issues });
}

/** @throws InvalidRequest */
export function collectionChange(body: CollectionChangeBody, limits: Limits): CollectionChange {
  checkEfSearch(body.hnsw?.ef_search, limits, 'hnsw');
  return {
    ...(body.hnsw?.ef_search === undefined ? {} : { efSearch: body.hnsw.ef_search }),
    ...(body.ttl_ms === undefined ? {} : { ttlMs: body.ttl_ms }),
    ...vectorsChange(body, limits),
    ...declarationChange(body),
  };
}

/** What the write of a collection answers: its state right after the write. What only the index knows is today's while the collection is there.
 *  @param name that the request had for it */
export function writtenCollectionBody(engine: Engine, name: string, { collection }: CollectionResult): CollectionInfoBody {
  const { uid, spec, pointsCount, dataBytes } = collection;
  const today = engine.findCollection(name);
  const own = collection.name ?? name;
  const index =
    today?.uid === uid
      ? today
      : {
          status: 'ready' as const,
          progress: 1,
          memoryBytes: 0,
          tombstoneRatio: 0,
          indexHealth: null,
          position: engine.position(),
        };
  // A result that was remembered long ago may be of a time when nothing could be declared.
  return collectionInfoBody({ ...index, ...NOTHING_DECLARED, ...spec, name: own, uid, pointsCount, diskBytes: dataBytes });
}

export function collectionInfoBody(info: CollectionInfo): CollectionInfoBody {
  return {
    name: info.name,
    dimension: info.dimension,
    distance: info.distance,
    hnsw: { m: info.hnsw.m, ef_construct: info.hnsw.efConstruct, ef_search: info.hnsw.efSearch },
    points_count: info.pointsCount,
    status: info.status,
    progress: info.progress,
    memory_bytes: info.memoryBytes,
    disk_bytes: info.diskBytes,
    tombstone_ratio: info.tombstoneRatio,
    index_health: indexHealthBody(info.indexHealth),
    ...shownVectors(info),
    ...shownDeclarations(info),
    ttl_ms: info.ttlMs,
    embedding: null,
    created_at: new Date(info.createdAtMs).toISOString(),
    position: tokenOf(info.position),
  };
}

function indexHealthBody(look: CollectionInfo['indexHealth']): CollectionInfoBody['index_health'] {
  if (look === null) return null;
  return {
    checked_at: new Date(look.checkedAtMs).toISOString(),
    sampled: look.sampled,
    reachable: look.reachable,
    orphans: look.orphans,
    in_degree_min: look.inDegreeMin,
    in_degree_mean: look.inDegreeMean,
  };
}
