/** What every route of queries begins with: the body, the strict mode of the collection, scopes of other collections, a state that is new
 *  enough. Must not know: how a query is answered. */

import { randomInt } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Engine } from '../../../engine/engine.js';
import { AnswerBudget } from '../../../model/answer-budget.js';
import type { Position } from '../../../model/position.js';
import { scopedName } from '../../access/authorization.js';
import { principalOf } from '../../access/principal.js';
import { setPosition } from '../../answer.js';
import { plainAsked } from '../../asked.js';
import { freshness } from '../../parameters.js';
import type { Room } from '../../room.js';
import { beginRead } from '../parameters.js';
import type { QueryContext } from './query-context.js';
import type { RootQuery } from './root-reading.js';
import { type Stage, stagesOf } from './stages.js';

const SEED_MAX = 2 ** 47;

/** @param queries that the request asks, none of which is answered yet
 *  @throws InvalidRequest, Forbidden, PositionLost, ReplicaBehind, IndexBehind, CollectionNotFound */
export async function beginQueries(
  room: Room,
  request: FastifyRequest,
  collection: string,
  queries: readonly RootQuery[],
): Promise<QueryContext> {
  const engine = room.service.engine();
  for (const { stage } of queries) {
    for (const one of stagesOf(stage)) {
      const { limit, efSearch, exact, filter, path } = one;
      const asked = { limit, exact, ...(efSearch === null ? {} : { efSearch }), ...(filter === null ? {} : { filter }) };
      room.strict.read(collection, asked, path);
    }
  }
  if (queries.length > 1) room.strict.searches(collection, queries.length);
  const [first] = queries;
  plainAsked(
    request,
    { queries: queries.length, ...(first === undefined ? {} : { query: shapeOf(first.stage), limit: first.stage.limit }) },
    first?.stage.filter ?? undefined,
  );
  const timeoutMs = await beginRead(room, request, engine, collection);
  return {
    engine,
    collection: engine.collection(collection),
    budget: new AnswerBudget(room.limits.answerBytesMax),
    timeoutMs,
    cancellation: room.times.cancellation(request),
    span: request.span,
    notBeforeSeq: freshness(request, {}, {}, room.limits)?.position?.seq ?? 0,
    seed: () => randomInt(SEED_MAX),
    positions: [],
  };
}

/** The collections that ids are looked up in are read as well. @throws Forbidden */
export function inScopeOf(request: FastifyRequest, engine: Engine, query: RootQuery): RootQuery {
  const scoped = (stage: Stage): Stage => ({
    ...stage,
    prefetch: stage.prefetch.map(scoped),
    lookupFrom:
      stage.lookupFrom === null
        ? null
        : { ...stage.lookupFrom, collection: otherCollection(request, engine, stage.lookupFrom.collection) },
  });
  return { ...query, stage: scoped(query.stage) };
}

/** The name to go on with. @throws Forbidden */
export function otherCollection(request: FastifyRequest, engine: Engine, name: string): string {
  return scopedName(principalOf(request), 'read', name, engine);
}

/** Of all that was read the oldest counts. */
export function tellPosition(reply: FastifyReply, { positions, collection }: QueryContext): void {
  const [oldest] = [...positions].sort((a: Position, b: Position) => a.seq - b.seq);
  setPosition(reply, oldest ?? collection.position);
}

/** `rrf(nearest, recommend)`: kinds only. */
function shapeOf({ query, prefetch }: Stage): string {
  const kind = query?.kind ?? 'scroll';
  return prefetch.length === 0 ? kind : `${kind}(${prefetch.map(shapeOf).join(', ')})`;
}
