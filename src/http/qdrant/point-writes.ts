/** The dialect's writes of whole points and of vectors, and rows of operations that are run one by one. */

import type { FastifyRequest } from 'fastify';
import type { Filter } from '../../model/filter.js';
import type { UpsertCondition } from '../../model/operation.js';
import type { BodyTask, Decoded } from '../../wire/decode-body.js';
import { OwnCheck } from '../../wire/qdrant-parts.js';
import type { DialectOperation, DialectRules, DialectUpsert, DialectVectors, RestFields } from '../../wire/qdrant-points.js';
import { plainAsked } from '../asked.js';
import type { Room } from '../room.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { filterOf } from './filter.js';
import { asFormMistake, formMistake } from './mistakes.js';
import { runPlainOperation } from './payload-writes.js';
import { mustNameNoShard } from './shard-key.js';
import { type AskedWrite, beginPointUpdate, nothingToDo, runUpdate, type UpdateResult } from './update.js';

const PATH = '/collections/:collection/points';
const ABOUT = { needs: 'write', master: true, timed: true, tag: 'points', work: 'write' } as const;
const OPERATIONS_MAX = 1_000;

export function pointWriteRoutes(room: Room): DialectRoute[] {
  return [upsertRoute(room), vectorsRoute(room), batchRoute(room)];
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
      return sendResult(request, reply, await upsert(asked, read, ''));
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
      return sendResult(request, reply, await updateVectors(asked, read, ''));
    },
  };
}

function batchRoute(room: Room): DialectRoute {
  return {
    ...ABOUT,
    method: 'POST',
    path: `${PATH}/batch`,
    operationId: 'qdrantBatchUpdate',
    summary: 'Run operations on points one after the other, until one is refused',
    body: OwnCheck,
    // The engine, which sees what each operation is, refuses those for which there is no room.
    work: 'free',
    handle: async (request, reply) => {
      const asked = await beginPointUpdate(room, request, reply, 'batch');
      const operations = await readPoints(asked, request, 'qdrant_batch');
      plainAsked(request, { operations: operations.length });
      room.strict.more(asked.collection, 'write', operations.length - 1);
      const results: UpdateResult[] = [];
      for (const [i, operation] of operations.entries()) results.push(await runOperation(asked, operation, String(i)));
      return sendResult(request, reply, results);
    },
  };
}

type PointsTask = Extract<BodyTask, { readonly dialect: DialectRules }>;

/** What the readers refuse is the form of the body. @throws InvalidRequest (body_form), CollectionNotFound · as the readers */
async function readPoints<Kind extends PointsTask['kind']>(
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

async function upsert(asked: AskedWrite, { points, rest }: DialectUpsert, part: string): Promise<UpdateResult> {
  const { room, reply, update, collection } = asked;
  mustNameNoShard(rest);
  const only = upsertCondition(rest);
  if (points.ids.length === 0) return nothingToDo(asked);
  room.strict.points(collection, points.ids.length);
  return runUpdate(room, reply, update, [{ kind: 'upsert', collection, points, ...(only && { only }) }], part);
}

function upsertCondition({ update_mode: mode, update_filter: filter }: RestFields): UpsertCondition | null {
  const ids = mode === undefined ? undefined : MODES.get(mode as string);
  if (ids === undefined && mode !== undefined) throw formMistake('update_mode', `must be one of ${[...MODES.keys()].join(', ')}`);
  const where = conditionOf(filter);
  if (where === undefined && (ids ?? null) === null) return null;
  return { ...(ids != null && { ids }), ...(where && { where }) };
}

/** Null: whether they are there or not. */
const MODES: ReadonlyMap<string, UpsertCondition['ids'] | null> = new Map([
  ['upsert', null],
  ['insert_only', 'new'],
  ['update_only', 'existing'],
] as const);

function conditionOf(filter: unknown): Filter | undefined {
  return filter === undefined ? undefined : filterOf(filter, 'update_filter');
}

async function updateVectors(asked: AskedWrite, { patches, rest }: DialectVectors, part: string): Promise<UpdateResult> {
  const { room, reply, update, collection } = asked;
  mustNameNoShard(rest);
  const where = conditionOf(rest['update_filter']);
  if (patches.length === 0) return nothingToDo(asked);
  room.strict.points(collection, patches.length);
  return runUpdate(room, reply, update, [{ kind: 'patch', collection, patches, ...(where && { where }) }], part);
}

function runOperation(asked: AskedWrite, operation: DialectOperation, part: string): Promise<UpdateResult> {
  switch (operation.kind) {
    case 'upsert':
      return upsert(asked, operation, part);
    case 'update_vectors':
      return updateVectors(asked, operation, part);
    default:
      return runPlainOperation(asked, operation, part);
  }
}
