/** Routes that read points: one by id, some by ids, page by page, and how many there are. */

import type { FastifyRequest } from 'fastify';
import type { Engine } from '../../engine/engine.js';
import { SkeinError } from '../../model/errors.js';
import type { PointId } from '../../model/point.js';
import { spanned } from '../../model/tracer.js';
import { bodyCheck } from '../../wire/check-body.js';
import { parseFilter } from '../../wire/filter.js';
import { CountAnswer, CountBody, FoundPointBody, GetAnswer, GetBody, ScrollAnswer, ScrollBody } from '../../wire/http-bodies.js';
import { overLimit } from '../../wire/place.js';
import { sendValue, setPosition } from '../answer.js';
import { plainAsked, vectorFact } from '../asked.js';
import { decodeCursor, encodeCursor } from '../cursor.js';
import { beFresh } from '../fresh-reads.js';
import { idFromPath, idList } from '../ids.js';
import { type FreshnessFields, flag, freshness, queryOf, READ_PARAMETERS } from '../parameters.js';
import { writePoint, writePoints } from '../point-answer.js';
import { PointQuery, ReadHeaders, ReadQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { whileWanted } from '../search-request.js';
import { collectionOf } from './collections.js';

const PATH = '/v1/collections/:collection/points';
const SCROLL_LIMIT = 100;
const checkGet = bodyCheck(GetBody);
const checkScroll = bodyCheck(ScrollBody);
const checkCount = bodyCheck(CountBody);

export function pointReadRoutes(room: Room): Route[] {
  return [pointRoute(room), getRoute(room), scrollRoute(room), countRoute(room)];
}

/** Waits until the store is as new as the caller asked. @throws PositionLost, ReplicaBehind */
async function waitForStore(room: Room, request: FastifyRequest, engine: Engine, body: FreshnessFields): Promise<void> {
  const wanted = freshness(request, queryOf(request, READ_PARAMETERS), body, room.limits);
  await beFresh(room, engine, wanted, 'durable', null);
}

function pointRoute(room: Room): Route {
  return {
    method: 'GET',
    path: `${PATH}/:id`,
    timed: true,
    operationId: 'getPoint',
    needs: 'read',
    summary: 'Read one point',
    tag: 'points',
    work: 'read',
    query: PointQuery,
    headers: ReadHeaders,
    answer: FoundPointBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const query = queryOf(request, [...READ_PARAMETERS, 'with_payload', 'with_vector', 'id_type']);
      const id = idFromPath((request.params as { id: string }).id, query['id_type']);
      const selection = { withPayload: flag(query, 'with_payload', true), withVector: flag(query, 'with_vector', true) };
      const wanted = freshness(request, query, {}, room.limits);
      await beFresh(room, engine, wanted, 'durable', null);
      const { points, position } = await spanned(request.span, 'rows', () => engine.get(collection, [id], selection));
      setPosition(reply, position);
      const [point] = points;
      if (point === undefined) throw pointNotFound(engine.collection(collection).name, id);
      return room.answers.send(request, reply, points, function* (out) {
        writePoint(out, point);
        yield;
      });
    },
  };
}

function pointNotFound(collection: string, id: PointId): SkeinError {
  return new SkeinError('PointNotFound', `No point has the id ${JSON.stringify(id)} in '${collection}'`, { id, collection });
}

function getRoute(room: Room): Route {
  return {
    method: 'POST',
    path: `${PATH}/get`,
    timed: true,
    operationId: 'getPoints',
    needs: 'read',
    summary: 'Read points by their ids',
    tag: 'points',
    work: 'read',
    query: ReadQuery,
    headers: ReadHeaders,
    body: GetBody,
    answer: GetAnswer,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = checkGet(await room.bodies.read(request, { kind: 'plain' }));
      const ids = idList(body.ids, 'ids', room.limits.pointsPerRequestMax, 'merged');
      plainAsked(request, { ids: ids.length });
      await waitForStore(room, request, engine, body);
      const selection = { withPayload: body.with_payload ?? true, withVector: body.with_vector ?? true };
      const { points, missing, position } = await spanned(request.span, 'rows', () => engine.get(collection, ids, selection));
      setPosition(reply, position);
      return room.answers.send(request, reply, points, (out) => writePoints(out, points, { missing }));
    },
  };
}

function scrollRoute(room: Room): Route {
  return {
    method: 'POST',
    path: `${PATH}/scroll`,
    timed: true,
    operationId: 'scrollPoints',
    needs: 'read',
    summary: 'Read points page by page, in the order of their ids; stable under writes',
    tag: 'points',
    work: 'read',
    query: ReadQuery,
    headers: ReadHeaders,
    body: ScrollBody,
    answer: ScrollAnswer,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = checkScroll(await room.bodies.read(request, { kind: 'plain' }));
      const { scrollLimitMax } = room.limits;
      const limit = body.limit ?? Math.min(SCROLL_LIMIT, scrollLimitMax);
      if (limit > scrollLimitMax) throw overLimit('limit', 'points in a page', scrollLimitMax);
      const page = {
        limit,
        after: typeof body.cursor === 'string' ? decodeCursor(body.cursor) : null,
        withPayload: body.with_payload ?? true,
        withVector: body.with_vector ?? false,
        ...(body.filter === undefined ? {} : { filter: parseFilter(body.filter) }),
      };
      room.strict.read(collection, { limit, ...(page.filter && { filter: page.filter }) });
      plainAsked(request, { limit, with_payload: page.withPayload, with_vector: vectorFact(page.withVector) }, page.filter);
      await waitForStore(room, request, engine, body);
      const { points, next, position } = await spanned(request.span, 'rows', () =>
        engine.scroll(collection, whileWanted(page, request, room)),
      );
      setPosition(reply, position);
      const next_cursor = next === null ? null : encodeCursor(next);
      return room.answers.send(request, reply, points, (out) => writePoints(out, points, { next_cursor }));
    },
  };
}

function countRoute(room: Room): Route {
  return {
    method: 'POST',
    path: `${PATH}/count`,
    timed: true,
    operationId: 'countPoints',
    needs: 'read',
    summary: 'Count points, exactly',
    tag: 'points',
    work: 'read',
    query: ReadQuery,
    headers: ReadHeaders,
    body: CountBody,
    answer: CountAnswer,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = checkCount(await room.bodies.read(request, { kind: 'plain' }));
      const filter = body.filter === undefined ? undefined : parseFilter(body.filter);
      room.strict.read(collection, filter === undefined ? {} : { filter });
      plainAsked(request, {}, filter);
      await waitForStore(room, request, engine, body);
      const { count, position } = await spanned(request.span, 'count', () =>
        engine.count(collection, filter, room.times.cancellation(request)),
      );
      setPosition(reply, position);
      return sendValue(request, reply, { count });
    },
  };
}
