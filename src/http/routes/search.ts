/** Routes of search: one query, or many at once. */

import type { FastifyRequest } from 'fastify';
import type { Engine, SearchAnswer, SearchHit, SearchRequest } from '../../engine/engine.js';
import { AnswerBudget } from '../../model/answer-budget.js';
import { type ErrorType, invalidRequest, SkeinError } from '../../model/errors.js';
import type { Filter } from '../../model/filter.js';
import { DEFAULT_FUSION, type Fusion } from '../../model/fusion.js';
import type { Limits } from '../../model/limits.js';
import { checkPointId } from '../../model/point.js';
import { parseFilter } from '../../wire/filter.js';
import { type FusionBody, SearchAnswerBody, SearchBatchAnswer, SearchBatchBody, SearchBody } from '../../wire/http-bodies.js';
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
const checkSearch = bodyCheck(SearchBody);

export function searchRoutes(room: Room): Route[] {
  return [searchRoute(room), searchBatchRoute(room)];
}

function searchRoute(room: Room): Route {
  return {
    method: 'POST',
    path: PATH,
    operationId: 'searchPoints',
    summary: 'Find the points nearest to a vector or to another point, by a text, or by both',
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
      const wanted = waitOf(request, body, room.limits);
      await beFresh(room, engine, wanted, 'indexed', collection);
      const answer = await searchOne(engine, collection, notBefore(search, [wanted]), read.path);
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
      const answers = await Promise.all(
        searches.map(({ search, path }) => searchOne(engine, collection, notBefore(search, waits), path, budget)),
      );
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

/** An answer that was kept must be as new as what was asked for. */
function notBefore(search: SearchRequest, waits: readonly (Freshness | null)[]): SearchRequest {
  const notBeforeSeq = Math.max(0, ...waits.map((wanted) => wanted?.position?.seq ?? 0));
  return notBeforeSeq === 0 ? search : { ...search, notBeforeSeq };
}

/** @param path of the search in the body; errors about what it asks name it */
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
    if (!(error instanceof SkeinError)) throw error;
    if (error.type === 'InvalidRequest') throw insideSearch(error, path);
    if (!ABOUT_TARGET.has(error.type)) throw error;
    const place = join(path, search.id === undefined ? 'vector' : 'id');
    throw new SkeinError(error.type, `${place}: ${error.message}`, { ...error.details, path: place });
  }
}

const ABOUT_TARGET: ReadonlySet<ErrorType> = new Set<ErrorType>(['DimensionMismatch', 'ZeroVector', 'PointNotFound']);

/** The engine does not know where in a body its search stood. */
function insideSearch(error: SkeinError, path: string): SkeinError {
  const [issue] = (error.details['issues'] ?? []) as readonly { readonly path: string; readonly message: string }[];
  if (path === '' || issue === undefined) return error;
  return invalidRequest(issue.path === '' ? path : join(path, issue.path), issue.message);
}

/** @throws InvalidRequest, InvalidFilter */
function searchRequest(read: ReadSearch, body: SearchBody, limits: Limits): SearchRequest {
  const at = (field: string): string => join(read.path, field);
  const { vector } = read;
  checkTarget(read, body);
  const limit = body.limit ?? LIMIT;
  const offset = body.offset ?? 0;
  if (limit + offset > limits.searchLimitMax)
    throw overLimit(at('limit'), 'hits with limit and offset together', limits.searchLimitMax);
  const efSearch = body.ef_search;
  if (efSearch !== undefined && efSearch > limits.efSearchMax) throw overLimit(at('ef_search'), 'candidates', limits.efSearchMax);
  return {
    ...(vector === null ? {} : { vector }),
    ...(body.id === undefined ? {} : { id: checkPointId(body.id, at('id')) }),
    ...(body.text === undefined ? {} : { text: body.text }),
    ...(body.filter === undefined ? {} : { filter: filterOf(body.filter, read.path) }),
    fusion: fusionOf(body.fusion, at('fusion')),
    ...(body.candidates === undefined ? {} : { candidates: body.candidates }),
    cache: body.cache ?? true,
    ...(body.timeout_ms === undefined ? {} : { timeoutMs: body.timeout_ms }),
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

function checkTarget({ vector, path }: ReadSearch, { id, text, fusion, candidates }: SearchBody): void {
  const near = vector !== null || id !== undefined;
  if (!near && text === undefined) throw invalidRequest(path, 'at least one of vector, id and text is needed');
  if (vector !== null && id !== undefined) throw invalidRequest(path, 'vector and id are two ways to say the same: give one');
  if (near && text !== undefined) return;
  const field = fusion !== undefined ? 'fusion' : candidates !== undefined ? 'candidates' : null;
  if (field !== null) throw invalidRequest(join(path, field), 'is for a text together with a vector or an id');
}

/** A filter's mistake is named by its place inside the filter, in a batch with the place of the filter before it. */
function filterOf(value: unknown, path: string): Filter {
  try {
    return parseFilter(value);
  } catch (error) {
    if (path === '' || !(error instanceof SkeinError) || error.type !== 'InvalidFilter') throw error;
    const inside = String(error.details['path'] ?? '');
    const place = inside === '' ? join(path, 'filter') : join(join(path, 'filter'), inside);
    throw new SkeinError('InvalidFilter', `${path}: ${error.message}`, { ...error.details, path: place });
  }
}

function fusionOf(body: FusionBody | undefined, path: string): Fusion {
  const { method, rrfK, weights } = DEFAULT_FUSION;
  const { vector = weights.vector, text = weights.text } = body?.weights ?? {};
  if (vector === 0 && text === 0) throw invalidRequest(join(path, 'weights'), 'must not both be 0');
  return { method: body?.method ?? method, rrfK: body?.rrf_k ?? rrfK, weights: { vector, text } };
}
