/** The dialect's writes of whole points and of vectors. */

import type { FastifyRequest } from 'fastify';
import type { Filter } from '../../model/filter.js';
import type { UpsertCondition } from '../../model/operation.js';
import type { BodyTask, Decoded } from '../../wire/decode-body.js';
import { join } from '../../wire/place.js';
import { OwnCheck } from '../../wire/qdrant-parts.js';
import type { DialectRules, DialectUpsert, DialectVectors, RestFields } from '../../wire/qdrant-points.js';
import { plainAsked } from '../asked.js';
import type { Room } from '../room.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { filterOf } from './filter.js';
import { asFormMistake, formMistake } from './mistakes.js';
import { mustNameNoShard } from './shard-key.js';
import { type AskedWrite, beginPointUpdate, nothingToDo, type PreparedWrite, runUpdate } from './update.js';

const PATH = '/collections/:collection/points';
const ABOUT = { needs: 'write', master: true, timed: true, tag: 'points', work: 'write' } as const;
/** Of one batch. */
const OPERATIONS_MAX = 1_000;

export function pointWriteRoutes(room: Room): DialectRoute[] {
  return [upsertRoute(room), vectorsRoute(room)];
}

function upsertRoute(room: Room): DialectRoute {
  return {
    ...ABOUT,
    method: 'PUT',
    path: PATH,
    operationId: 'qdrantUpsertPoints',
    summary: 'Insert points, or replace them as a whole',
    body: OwnCheck,
    handle: async (request, reply) => {
      const asked = await beginPointUpdate(room, request, reply, 'upsert');
      const read = await readPoints(asked, request, 'qdrant_upsert');
      plainAsked(request, { points: read.points.ids.length });
      return sendResult(request, reply, await preparedUpsert(asked, read, '')(asked, ''));
    },
  };
}

function vectorsRoute(room: Room): DialectRoute {
  return {
    ...ABOUT,
    method: 'PUT',
    path: `${PATH}/vectors`,
    operationId: 'qdrantUpdateVectors',
    summary: 'Change vectors of points that are there',
    body: OwnCheck,
    handle: async (request, reply) => {
      const asked = await beginPointUpdate(room, request, reply, 'vectors');
      const read = await readPoints(asked, request, 'qdrant_vectors');
      plainAsked(request, { points: read.patches.length });
      return sendResult(request, reply, await preparedVectors(asked, read, '')(asked, ''));
    },
  };
}

type PointsTask = Extract<BodyTask, { readonly dialect: DialectRules }>;

/** What the readers refuse is the form of the body. @throws InvalidRequest (body_form), CollectionNotFound · as the readers */
export async function readPoints<Kind extends PointsTask['kind']>(
  { room, update, collection }: AskedWrite,
  request: FastifyRequest,
  kind: Kind,
): Promise<Decoded<{ kind: Kind; dialect: DialectRules }>> {
  const { pointsPerRequestMax, payloadBytesMax } = room.limits;
  const { dimension } = update.write.engine.collection(collection);
  const dialect = { pointsPerRequestMax, payloadBytesMax, dimension, operationsMax: OPERATIONS_MAX };
  try {
    return await room.bodies.read(request, { kind, dialect });
  } catch (error) {
    throw asFormMistake(error);
  }
}

/** @param path where it stands in the whole @throws InvalidRequest */
export function preparedUpsert(
  { room: { strict }, collection }: AskedWrite,
  { points, rest }: DialectUpsert,
  path: string,
): PreparedWrite {
  mustNameNoShard(rest, path);
  const only = upsertCondition(rest, path);
  const { length } = points.ids;
  if (length === 0) return nothingToDo;
  strict.points(collection, length, join(path, 'points'));
  return ({ room, reply, update }, part) =>
    runUpdate(room, reply, update, [{ kind: 'upsert', collection, points, ...(only && { only }) }], part);
}

function upsertCondition({ update_mode: mode, update_filter: filter }: RestFields, path: string): UpsertCondition | null {
  const ids = mode === undefined ? undefined : MODES.get(mode as string);
  if (ids === undefined && mode !== undefined)
    throw formMistake(join(path, 'update_mode'), `must be one of ${[...MODES.keys()].join(', ')}`);
  const where = conditionOf(filter, path);
  if (where === undefined && (ids ?? null) === null) return null;
  return { ...(ids != null && { ids }), ...(where && { where }) };
}

/** Null: whether they are there or not. */
const MODES: ReadonlyMap<string, UpsertCondition['ids'] | null> = new Map([
  ['upsert', null],
  ['insert_only', 'new'],
  ['update_only', 'existing'],
] as const);

function conditionOf(filter: unknown, path: string): Filter | undefined {
  return filter === undefined ? undefined : filterOf(filter, join(path, 'update_filter'));
}

/** As preparedUpsert. */
export function preparedVectors(
  { room: { strict }, collection }: AskedWrite,
  { patches, rest }: DialectVectors,
  path: string,
): PreparedWrite {
  mustNameNoShard(rest, path);
  const where = conditionOf(rest['update_filter'], path);
  if (patches.length === 0) return nothingToDo;
  strict.points(collection, patches.length, join(path, 'points'));
  return ({ room, reply, update }, part) =>
    runUpdate(room, reply, update, [{ kind: 'patch', collection, patches, ...(where && { where }) }], part);
}
