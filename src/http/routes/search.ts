/** Routes of search: one query, or many at once. */

import type { FastifyRequest } from 'fastify';
import type { Engine, SearchAnswer, SearchHit, SearchRequest } from '../../engine/engine.js';
import { AnswerBudget } from '../../model/answer-budget.js';
import { type ErrorType, invalidRequest, SkeinError } from '../../model/errors.js';
import type { Limits } from '../../model/limits.js';
import { checkPointId } from '../../model/point.js';
import { SearchAnswerBody, SearchBatchAnswer, SearchBatchBody, SearchBody } from '../../wire/http-bodies.js';
import { join, overLimit } from '../../wire/place.js';
import type { ReadSearch } from '../../wire/search-body.js';
import { setPosition } from '../answer.js';
import { bodyCheck } from '../check-body.js';
import { beFresh } from '../fresh-reads.js';
import { type Freshness, type FreshnessFields, freshness, queryOf, READ_PARAMETERS } from '../parameters.js';
import { writeSearchAnswer, writeSearchAnswers } from '../point-answer.js';
import { ReadHeaders, ReadQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { collectionOf } from './collections.js';

const PATH = '/v1/collections/:collection/points/search';
const LIMIT = 10;
const LATER = { filter: 'filtered search', text: 'text search', fusion: 'hybrid search' };
const checkSearch = bodyCheck(SearchBody, LATER);

export function searchRoutes(room: Room): Route[] {
  return [searchRoute(room), searchBatchRoute(room)];
}

function searchRoute(room: Room): Route {
  return {
    method: 'POST',
    path: PATH,
    operationId: 'searchPoints',
    summary: 'Find the points nearest to a vector or to another point',
    tag: 'search',
    query: ReadQuery,
    headers: ReadHeaders,
    body: SearchBody,
    answer: SearchAnswerBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const read = await room.bodies.read(request, { kind: 'search' });
      const body = checkSearch(read.fields);
      const search = searchRequest(read, body, room.limits);
      await beFresh(room, engine, waitOf(request, body, room.limits), 'indexed', collection);
      const answer = await searchOne(engine, collection, search, read.path);
      setPosition(reply, answer.position);
      return room.answers.send(request, reply, answer.hits, (out) => writeSearchAnswer(out, answer));
    },
  };
}

function searchBatchRoute(room: Room): Route {
  return {
    method: 'POST',
    path: `${PATH}/batch`,
    operationId: 'searchPointsBatch',
    summary: 'Run several searches on one collection',
    tag: 'search',
    query: ReadQuery,
    headers: ReadHeaders,
    body: SearchBatchBody,
    answer: SearchBatchAnswer,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const read = await room.bodies.read(request, { kind: 'search_batch', searchesMax: room.limits.searchBatchMax });
      const common = checkBatchFields({ searches: [], ...read.fields });
      const waits = [waitOf(request, common, room.limits)];
      const searches = read.searches.map((one) => {
        const body = checkSearch(one.fields, one.path);
        if (body.min_position !== undefined || body.max_staleness_ms !== undefined)
          waits.push(waitOf(request, body, room.limits));
        return { search: searchRequest(one, body, room.limits), path: one.path };
      });
      for (const wanted of waits) await beFresh(room, engine, wanted, 'indexed', collection);
      const budget = new AnswerBudget(room.limits.answerBytesMax);
      const answers = await Promise.all(searches.map(({ search, path }) => searchOne(engine, collection, search, path, budget)));
      const positions = answers.map((answer) => answer.position).sort((a, b) => a.seq - b.seq);
      setPosition(reply, positions[0] ?? engine.collection(collection).position);
      return room.answers.send(request, reply, hitsOf(answers), (out) => writeSearchAnswers(out, answers));
    },
  };
}

const checkBatchFields = bodyCheck(SearchBatchBody);

function* hitsOf(answers: readonly SearchAnswer[]): Generator<SearchHit> {
  for (const { hits } of answers) yield* hits;
}

function waitOf(request: FastifyRequest, body: FreshnessFields, limits: Limits): Freshness | null {
  return freshness(request, queryOf(request, READ_PARAMETERS), body, limits);
}

/** @param path of the search in the body; errors about its vector or id name it */
async function searchOne(
  engine: Engine,
  collection: string,
  search: SearchRequest,
  path: string,
  budget?: AnswerBudget,
): Promise<SearchAnswer> {
  try {
    return await engine.search(collection, search, budget);
  } catch (error) {
    if (!(error instanceof SkeinError) || !ABOUT_TARGET.has(error.type)) throw error;
    const place = join(path, 'id' in search.target ? 'id' : 'vector');
    throw new SkeinError(error.type, `${place}: ${error.message}`, { ...error.details, path: place });
  }
}

const ABOUT_TARGET: ReadonlySet<ErrorType> = new Set<ErrorType>(['DimensionMismatch', 'ZeroVector', 'PointNotFound']);

/** @throws InvalidRequest */
function searchRequest(read: ReadSearch, body: SearchBody, limits: Limits): SearchRequest {
  const at = (field: string): string => join(read.path, field);
  const { vector } = read;
  if ((vector === null) === (body.id === undefined)) throw invalidRequest(read.path, 'exactly one of vector and id is needed');
  const limit = body.limit ?? LIMIT;
  const offset = body.offset ?? 0;
  if (limit + offset > limits.searchLimitMax)
    throw overLimit(at('limit'), 'hits with limit and offset together', limits.searchLimitMax);
  const efSearch = body.ef_search;
  if (efSearch !== undefined && efSearch > limits.efSearchMax) throw overLimit(at('ef_search'), 'candidates', limits.efSearchMax);
  return {
    target: vector === null ? { id: checkPointId(body.id, at('id')) } : { vector },
    limit,
    offset,
    exact: body.exact ?? false,
    explain: body.explain ?? false,
    withPayload: body.with_payload ?? true,
    withVector: body.with_vector ?? false,
    ...(efSearch === undefined ? {} : { efSearch }),
    ...(body.score_threshold === undefined ? {} : { scoreThreshold: body.score_threshold }),
  };
}
