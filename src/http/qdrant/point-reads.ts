/** The dialect's reads of stored points: one by its id, some by theirs, and how many there are. */

import { SkeinError } from '../../model/errors.js';
import { spanned } from '../../model/tracer.js';
import { overLimit } from '../../wire/place.js';
import { DialectCountBody, RetrieveBody } from '../../wire/qdrant-parts.js';
import { setPosition } from '../answer.js';
import { plainAsked } from '../asked.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import { dialectCheck, readChecked } from './body.js';
import type { DialectRoute } from './dialect-route.js';
import { sendLongResult, sendResult } from './envelope.js';
import { filterOf } from './filter.js';
import { beginRead } from './parameters.js';
import { askedId, heldIds, idInPath } from './point-id.js';
import { selectionOf, writeRecord, writeRecords } from './record.js';
import { shownOf } from './selection.js';
import { mustNameNoShard } from './shard-key.js';

const PATH = '/collections/:collection/points';
const ABOUT = { needs: 'read', tag: 'points', timed: true, work: 'read' } as const;
const checkRetrieve = dialectCheck(RetrieveBody);
const checkCount = dialectCheck(DialectCountBody);

export function pointReadRoutes(room: Room): DialectRoute[] {
  return [pointRoute(room), retrieveRoute(room), countRoute(room)];
}

function pointRoute(room: Room): DialectRoute {
  return {
    ...ABOUT,
    method: 'GET',
    path: `${PATH}/:id`,
    operationId: 'qdrantGetPoint',
    summary: 'Read one point',
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const asked = idInPath((request.params as { id: string }).id);
      await beginRead(room, request, engine, null);
      const shown = shownOf({ with_payload: true, with_vector: true }, { withPayload: true });
      const form = { shown, collection: engine.collection(collection) };
      const ids = await heldIds(engine, collection, [asked]);
      const { points, position } = await spanned(request.span, 'rows', () => engine.get(collection, ids, selectionOf(shown)));
      setPosition(reply, position);
      const [point] = points;
      if (point === undefined) throw new SkeinError('PointNotFound', 'No such point', { id: asked.id });
      return sendLongResult(room, request, reply, points, function* (out) {
        writeRecord(out, point, form);
        yield;
      });
    },
  };
}

function retrieveRoute(room: Room): DialectRoute {
  return {
    ...ABOUT,
    method: 'POST',
    path: PATH,
    operationId: 'qdrantRetrievePoints',
    summary: 'Read points by their ids; those that are not there are left out',
    body: RetrieveBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = await readChecked(room, request, checkRetrieve);
      mustNameNoShard(body);
      const { pointsPerRequestMax } = room.limits;
      if (body.ids.length > pointsPerRequestMax) throw overLimit('ids', 'ids in one request', pointsPerRequestMax);
      const asked = body.ids.map((id, i) => askedId(id, `ids[${i}]`));
      const shown = shownOf(body, { withPayload: true });
      plainAsked(request, { ids: asked.length });
      await beginRead(room, request, engine, null);
      const form = { shown, collection: engine.collection(collection) };
      const ids = [...new Set(await heldIds(engine, collection, asked))];
      const { points, position } = await spanned(request.span, 'rows', () => engine.get(collection, ids, selectionOf(shown)));
      setPosition(reply, position);
      return sendLongResult(room, request, reply, points, (out) => writeRecords(out, points, form));
    },
  };
}

function countRoute(room: Room): DialectRoute {
  return {
    ...ABOUT,
    method: 'POST',
    path: `${PATH}/count`,
    operationId: 'qdrantCountPoints',
    summary: 'Count points, exactly',
    body: DialectCountBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = await readChecked(room, request, checkCount);
      mustNameNoShard(body);
      const filter = body.filter === undefined ? undefined : filterOf(body.filter, 'filter');
      room.strict.read(collection, filter === undefined ? {} : { filter });
      plainAsked(request, {}, filter);
      await beginRead(room, request, engine, null);
      const { count, position } = await spanned(request.span, 'count', () =>
        engine.count(collection, filter, room.times.cancellation(request)),
      );
      setPosition(reply, position);
      return sendResult(request, reply, { count });
    },
  };
}
