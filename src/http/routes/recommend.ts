/** The route of recommendations: a search near the mean of examples. */

import type { SearchRequest } from '../../engine/engine.js';
import { invalidRequest } from '../../model/errors.js';
import type { Limits } from '../../model/limits.js';
import { bodyCheck } from '../../wire/check-body.js';
import { RecommendBody, SearchAnswerBody } from '../../wire/http-bodies.js';
import type { ReadRecommend } from '../../wire/recommend-body.js';
import { setPosition } from '../answer.js';
import { searchAsked, searchFound } from '../asked.js';
import { beFresh } from '../fresh-reads.js';
import { writeSearchAnswer } from '../point-answer.js';
import { ReadHeaders, ReadQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { inPlace, notBefore, targetedRequest, underSpan, waitOf, whileWanted } from '../search-request.js';
import { collectionOf } from './collections.js';

const checkRecommend = bodyCheck(RecommendBody);

export function recommendRoute(room: Room): Route {
  return {
    method: 'POST',
    path: '/v1/collections/:collection/points/recommend',
    timed: true,
    operationId: 'recommendPoints',
    needs: 'read',
    summary: 'Find points that are like some examples, and unlike others',
    tag: 'search',
    work: 'search',
    query: ReadQuery,
    headers: ReadHeaders,
    body: RecommendBody,
    answer: SearchAnswerBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const read = await room.bodies.read(request, { kind: 'recommend' });
      const body = checkRecommend({ ...(read.positive === null ? {} : { positive: [] }), ...read.fields });
      const search = recommendRequest(read, body, room.limits);
      room.strict.read(collection, search);
      searchAsked(request, search);
      const wanted = waitOf(request, body, room.limits);
      await beFresh(room, engine, wanted, 'indexed', collection);
      const answer = await inPlace(search, '', () =>
        engine.search(collection, whileWanted(notBefore(underSpan(search, request), [wanted]), request, room)),
      );
      searchFound(request, [answer]);
      setPosition(reply, answer.position);
      return room.answers.send(request, reply, answer.hits, (out) => writeSearchAnswer(out, answer));
    },
  };
}

/** @throws InvalidRequest, InvalidFilter */
function recommendRequest({ positive, negative }: ReadRecommend, body: RecommendBody, limits: Limits): SearchRequest {
  if (positive === null || positive.length === 0) throw invalidRequest('positive', 'at least one example is needed');
  const { positive: _, negative: _negative, strategy: _strategy, ...search } = body;
  const examples = { positive, negative: negative ?? [] };
  return { ...targetedRequest({ vector: null, path: '' }, search, limits), examples };
}
