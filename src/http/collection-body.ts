/** Collections between the model and the wire: specs as they come in, info as it goes out. */

import type { CollectionInfo, Engine } from '../engine/engine.js';
import { DEFAULT_HNSW, NOTHING_DECLARED } from '../model/collection.js';
import type { Limits } from '../model/limits.js';
import type { CollectionChange, NewCollection, OperationResult } from '../model/operation.js';
import { type BodyCheck, bodyCheck } from '../wire/check-body.js';
import { CollectionChangeBody, type CollectionInfoBody, NewCollectionBody } from '../wire/http-bodies.js';
import { join, overLimit } from '../wire/place.js';
import { tokenOf } from './answer.js';
import { declarationChange, newDeclarations, shownDeclarations } from './declarations.js';

type CollectionResult = Extract<OperationResult, { readonly kind: 'create_collection' | 'update_collection' }>;

const LATER = { embedding: 'embedding of text' };

export const checkNewCollection: BodyCheck<NewCollectionBody> = bodyCheck(NewCollectionBody, LATER);
export const checkCollectionChange: BodyCheck<CollectionChangeBody> = bodyCheck(CollectionChangeBody, LATER);

/** @param inside where the body stands in the whole: '' or such as `operations[2].create_collection` @throws InvalidRequest */
export function newCollection(body: NewCollectionBody, limits: Limits, inside = ''): NewCollection {
  const { m, ef_construct: efConstruct, ef_search: efSearch } = body.hnsw ?? {};
  checkEfSearch(efSearch, limits, inside);
  return {
    dimension: body.dimension,
    distance: body.distance,
    hnsw: {
      m: m ?? DEFAULT_HNSW.m,
      efConstruct: efConstruct ?? DEFAULT_HNSW.efConstruct,
      efSearch: efSearch ?? Math.min(DEFAULT_HNSW.efSearch, limits.efSearchMax),
    },
    ttlMs: body.ttl_ms ?? null,
    ...newDeclarations(body, inside),
  };
}

/** @throws InvalidRequest */
export function collectionChange(body: CollectionChangeBody, limits: Limits): CollectionChange {
  checkEfSearch(body.hnsw?.ef_search, limits, '');
  return {
    ...(body.hnsw?.ef_search === undefined ? {} : { efSearch: body.hnsw.ef_search }),
    ...(body.ttl_ms === undefined ? {} : { ttlMs: body.ttl_ms }),
    ...declarationChange(body),
  };
}

function checkEfSearch(efSearch: number | undefined, { efSearchMax }: Limits, inside: string): void {
  if (efSearch !== undefined && efSearch > efSearchMax)
    throw overLimit(join(inside, 'hnsw.ef_search'), 'candidates', efSearchMax);
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
