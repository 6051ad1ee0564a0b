/** Routes of search: one query, or many at once. */

import type { Engine, SearchAnswer, SearchHit, SearchRequest } from '../../engine/engine.js';
import { AnswerBudget } from '../../model/answer-budget.js';
import { bodyCheck } from '../../wire/check-body.js';
import { SearchAnswerBody, SearchBatchAnswer, SearchBatchBody, SearchBody } from '../../wire/http-bodies.js';
import { setPosition } from '../answer.js';
import { searchAsked, searchesAsked, searchFound } from '../asked.js';
import { beFresh } from '../fresh-reads.js';
import { writeSearchAnswer, writeSearchAnswers } from '../point-answer.js';
import { ReadHeaders, ReadQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { inPlace, notBefore, searchRequest, underSpan, waitOf, whileWanted } from '../search-request.js';
import { collectionOf } from './collections.js';

const PATH = '/v1/collections/:collection/points/search';
const checkSearch = bodyCheck(SearchBody);

export function searchRoutes(room: Room): Route[] {
  return [searchRoute(room), searchBatchRoute(room)];
}

function searchRoute(room: Room): Route {
  return {
    method: 'POST',
    path: PATH,
    operationId: 'searchPoints',
    timed: true,
    needs: 'read',
    summary: 'Find the points nearest to a vector or to another point, by a text, or by both',
    tag: 'search',
    work: 'search',
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
      room.strict.read(collection, search, read.path);
      searchAsked(request, search);
      const wanted = waitOf(request, body, room.limits);
      await beFresh(room, engine, wanted, 'indexed', collection);
      const answer = await searchOne(engine, collection, {
        search: whileWanted(notBefore(underSpan(search, request), [wanted]), request, room),
        path: read.path,
      });
      searchFound(request, [answer]);
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
    timed: true,
    needs: 'read',
    summary: 'Run several searches on one collection',
    tag: 'search',
    work: 'search',
    query: ReadQuery,
    headers: ReadHeaders,
    body: SearchBatchBody,
    answer: SearchBatchAnswer,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const read = await room.bodies.read(request, { kind: 'search_batch', searchesMax: room.limits.searchBatchMax });
      const common = checkBatchFields({ searches: [], ...read.fields });
      room.strict.searches(collection, read.searches.length);
      const waits = [waitOf(request, common, room.limits)];
      const searches = read.searches.map((one) => {
        const body = checkSearch(one.fields, one.path);
        const wanted = waitOf(request, body, room.limits, one.path);
        if (body.min_position !== undefined || body.max_staleness_ms !== undefined) waits.push(wanted);
        const search = searchRequest(one, body, room.limits);
        room.strict.read(collection, search, one.path);
        return { search, path: one.path };
      });
      searchesAsked(
        request,
        searches.map(({ search }) => search),
      );
      for (const wanted of waits) await beFresh(room, engine, wanted, 'indexed', collection);
      const budget = new AnswerBudget(room.limits.answerBytesMax);
      const answers = await Promise.all(
        searches.map(({ search, path }) =>
          searchOne(
            engine,
            collection,
            { search: whileWanted(notBefore(underSpan(search, request), waits), request, room), path },
            budget,
          ),
        ),
      );
      searchFound(request, answers);
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

function searchOne(
  engine: Engine,
  collection: string,
  { search, path }: { readonly search: SearchRequest; readonly path: string },
  budget?: AnswerBudget,
): Promise<SearchAnswer> {
  return inPlace(search, path, () => engine.search(collection, search, budget));
}
