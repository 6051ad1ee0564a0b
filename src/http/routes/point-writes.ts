/** Routes that change points: upsert, patch, delete by ids or by filter. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalidRequest, SkeinError } from '../../model/errors.js';
import type { Filter } from '../../model/filter.js';
import type { Limits } from '../../model/limits.js';
import type { Operation, OperationResult } from '../../model/operation.js';
import type { QueryFacts } from '../../model/slow-query.js';
import { canonicalText, scopeHash } from '../../wire/canonical-hash.js';
import { bodyCheck } from '../../wire/check-body.js';
import { parseFilter } from '../../wire/filter.js';
import { DeleteAnswer, DeleteBody, PatchAnswer, PatchBody, UpsertAnswer, UpsertBody } from '../../wire/http-bodies.js';
import { ruleOf } from '../../wire/vector-rule.js';
import type { WriteRules } from '../../wire/write-bodies.js';
import { sendValue } from '../answer.js';
import { plainAsked } from '../asked.js';
import { idList } from '../ids.js';
import { WriteHeaders, WriteQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { confirm, isIdempotent, startWrite, type WriteRequest, writeOperation, writeOptions, writeUnit } from '../writes.js';
import { collectionOf } from './collections.js';

const PATH = '/v1/collections/:collection/points';
const checkDelete = bodyCheck(DeleteBody);

export function pointWriteRoutes(room: Room): Route[] {
  return [upsertRoute(room), patchRoute(room), deleteRoute(room)];
}

/** What a body with points is held against. @throws CollectionNotFound, but not where a key may be known from when there was one */
function writeRules({ pointsPerRequestMax, payloadBytesMax }: Limits, write: WriteRequest, collection: string): WriteRules {
  const rules = { pointsPerRequestMax, payloadBytesMax };
  try {
    return { ...rules, vectors: { [collection]: ruleOf(write.engine.collection(collection)) } };
  } catch (error) {
    if (isIdempotent(write) && error instanceof SkeinError && error.type === 'CollectionNotFound')
      return { ...rules, vectors: {} };
    throw error;
  }
}

/** `{upserted: n}`, `{patched: n}`, `{deleted: n}`: what one operation on points says of itself. */
export function countsOf(result: OperationResult | undefined): Record<string, number> {
  switch (result?.kind) {
    case 'upsert':
      return { upserted: result.upserted };
    case 'patch':
      return { patched: result.patched };
    case 'delete':
      return { deleted: result.deleted, ...(result.units !== undefined && { units: result.units }) };
    default:
      return {};
  }
}

function upsertRoute(room: Room): Route {
  return {
    method: 'PUT',
    path: PATH,
    timed: true,
    operationId: 'upsertPoints',
    needs: 'write',
    master: true,
    summary: 'Insert points, or replace them as a whole; all or nothing',
    tag: 'points',
    work: 'write',
    query: WriteQuery,
    headers: WriteHeaders,
    body: UpsertBody,
    answer: UpsertAnswer,
    handle: (request, reply) => writePoints(room, request, reply, 'upsert'),
  };
}

function patchRoute(room: Room): Route {
  return {
    method: 'PATCH',
    path: PATH,
    timed: true,
    operationId: 'patchPoints',
    needs: 'write',
    master: true,
    summary: 'Change vectors and payloads of points that exist; all or nothing',
    tag: 'points',
    work: 'write',
    query: WriteQuery,
    headers: WriteHeaders,
    body: PatchBody,
    answer: PatchAnswer,
    handle: (request, reply) => writePoints(room, request, reply, 'patch'),
  };
}

async function writePoints(
  room: Room,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: 'upsert' | 'patch',
): Promise<FastifyReply> {
  const collection = collectionOf(request);
  const write = await startWrite(room, request, `${kind} ${collection}`);
  const rules = writeRules(room.limits, write, collection);
  const read = await room.bodies.read(request, { kind, collection, rules, hashed: isIdempotent(write) });
  const count = pointsIn(read.operations as readonly Operation[]);
  room.strict.points(collection, count);
  plainAsked(request, writeFacts(write, count));
  const receipt = await writeUnit(room, write, read.operations as readonly Operation[], read.hash, read.refused);
  return sendValue(request, reply, { ...countsOf(receipt.results[0]), ...(await confirm(room, reply, write, receipt)) });
}

function pointsIn(operations: readonly Operation[]): number {
  const counts = operations.map((operation) => {
    if (operation.kind === 'upsert') return operation.points.ids.length;
    return operation.kind === 'patch' ? operation.patches.length : 1;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What a slow write says of itself. */
function writeFacts({ parameters: { required, wait } }: WriteRequest, points?: number): QueryFacts {
  return { ...(points === undefined ? {} : { points }), w: required, wait };
}

function deleteRoute(room: Room): Route {
  return {
    method: 'POST',
    path: `${PATH}/delete`,
    timed: true,
    operationId: 'deletePoints',
    needs: 'write',
    master: true,
    summary: 'Delete points by id or by filter',
    tag: 'points',
    work: 'free',
    query: WriteQuery,
    headers: WriteHeaders,
    body: DeleteBody,
    answer: DeleteAnswer,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const write = await startWrite(room, request, `delete ${collection}`);
      const body = checkDelete(await room.bodies.read(request, { kind: 'plain' }));
      if ((body.ids === undefined) === (body.filter === undefined))
        throw invalidRequest('', 'exactly one of ids and filter is needed');
      if (body.filter !== undefined) return deleteMatching(room, request, reply, write, collection, parseFilter(body.filter));
      const ids = idList(body.ids, 'ids', room.limits.pointsPerRequestMax, 'refused');
      plainAsked(request, writeFacts(write, ids.length));
      const receipt = await writeOperation(room, write, { kind: 'delete', collection, ids });
      return sendValue(request, reply, { ...countsOf(receipt.results[0]), ...(await confirm(room, reply, write, receipt)) });
    },
  };
}

async function deleteMatching(
  room: Room,
  request: FastifyRequest,
  reply: FastifyReply,
  write: WriteRequest,
  collection: string,
  filter: Filter,
): Promise<FastifyReply> {
  room.strict.deletes(collection, filter);
  const hash = isIdempotent(write) ? scopeHash(['delete_by_filter', collection, canonicalText(filter)]) : null;
  plainAsked(request, writeFacts(write), filter);
  const receipt = await write.engine.deleteByFilter(collection, filter, writeOptions(room, write, hash));
  return sendValue(request, reply, { ...countsOf(receipt.results[0]), ...(await confirm(room, reply, write, receipt)) });
}
