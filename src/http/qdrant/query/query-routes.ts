/** Routes of queries: the query API and the older routes of one kind of query each, one at a time or many together. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { overLimit } from '../../../wire/place.js';
import { OwnCheck } from '../../../wire/qdrant-parts.js';
import type { Room } from '../../room.js';
import { collectionOf } from '../../routes/collections.js';
import type { DialectRoute } from '../dialect-route.js';
import { sendLongResult } from '../envelope.js';
import { formOf, listOf } from '../form.js';
import { selectionOf } from '../record.js';
import { beginQueries, inScopeOf, tellPosition } from './begin-query.js';
import type { DialectHit, QueryContext } from './query-context.js';
import {
  type ReadRoot,
  type RootQuery,
  readDiscoverRoot,
  readQueryRoot,
  readRecommendRoot,
  readSearchRoot,
} from './root-reading.js';
import { runStage } from './run-stage.js';
import { writeHits } from './scored-points.js';

const PATH = '/collections/:collection/points';
/** Bodies are trees of several forms, read by hand. */
export const ABOUT_QUERIES = {
  method: 'POST',
  needs: 'read',
  tag: 'search',
  timed: true,
  work: 'search',
  body: OwnCheck,
} as const;

interface Kind {
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly read: ReadRoot;
  /** The hits stand in `points`, or the list is the result itself. */
  readonly inPoints: boolean;
}

const KINDS: readonly Kind[] = [
  { path: 'query', name: 'Query', summary: 'Find points by any kind of query', read: readQueryRoot, inPoints: true },
  { path: 'search', name: 'Search', summary: 'Find the points nearest to a vector', read: readSearchRoot, inPoints: false },
  {
    path: 'recommend',
    name: 'Recommend',
    summary: 'Find points that are like examples',
    read: readRecommendRoot,
    inPoints: false,
  },
  { path: 'discover', name: 'Discover', summary: 'Find points by pairs of examples', read: readDiscoverRoot, inPoints: false },
];

export function queryRoutes(room: Room): DialectRoute[] {
  return KINDS.flatMap((kind) => [oneRoute(room, kind), batchRoute(room, kind)]);
}

function oneRoute(room: Room, { path, name, summary, read, inPoints }: Kind): DialectRoute {
  return {
    ...ABOUT_QUERIES,
    path: `${PATH}/${path}`,
    operationId: `qdrant${name}Points`,
    summary,
    handle: async (request, reply) => {
      const query = read(await room.bodies.read(request, { kind: 'plain' }), '', room.limits);
      const [[hits = []], context] = await answered(room, request, reply, [query]);
      const form = { shown: query.shown, collection: context.collection };
      return sendLongResult(room, request, reply, hits, function* (out) {
        if (!inPoints) return yield* writeHits(out, hits, form);
        out.openObject(1);
        out.key('points');
        yield* writeHits(out, hits, form);
        out.closeObject();
      });
    },
  };
}

function batchRoute(room: Room, { path, name, summary, read, inPoints }: Kind): DialectRoute {
  return {
    ...ABOUT_QUERIES,
    path: `${PATH}/${path}/batch`,
    operationId: `qdrant${name}PointsBatch`,
    summary: `${summary}, many at once`,
    handle: async (request, reply) => {
      const { searches } = formOf(await room.bodies.read(request, { kind: 'plain' }), '', ['searches']);
      const asked = listOf(searches, 'searches');
      const { searchBatchMax } = room.limits;
      if (asked.length > searchBatchMax) throw overLimit('searches', 'searches in one request', searchBatchMax);
      const queries = asked.map((one, i) => read(one, `searches[${i}]`, room.limits));
      const [answers, context] = await answered(room, request, reply, queries);
      return sendLongResult(room, request, reply, answers.flat(), function* (out) {
        out.openArray(answers.length);
        for (const [i, hits] of answers.entries()) {
          const form = { shown: (queries[i] as RootQuery).shown, collection: context.collection };
          if (inPoints) {
            out.openObject(1);
            out.key('points');
          }
          yield* writeHits(out, hits, form);
          if (inPoints) out.closeObject();
        }
        out.closeArray();
      });
    },
  };
}

/** @returns the hits of each query, in the order of the queries */
async function answered(
  room: Room,
  request: FastifyRequest,
  reply: FastifyReply,
  queries: readonly RootQuery[],
): Promise<readonly [readonly (readonly DialectHit[])[], QueryContext]> {
  const engine = room.service.engine();
  const scoped = queries.map((query) => inScopeOf(request, engine, query));
  const context = await beginQueries(room, request, collectionOf(request), scoped);
  const answers = await Promise.all(
    scoped.map(async ({ stage, offset, shown }) => (await runStage(context, stage, selectionOf(shown))).slice(offset)),
  );
  tellPosition(reply, context);
  return [answers, context];
}
