/** The route that measures what approximate search finds of the truth. A read: any node answers for its own indexes. */

import type { RecallAnswer } from '../../engine/engine.js';
import { bodyCheck } from '../../wire/check-body.js';
import { parseFilter } from '../../wire/filter.js';
import { RecallAnswerBody, RecallBody } from '../../wire/http-bodies.js';
import { overLimit } from '../../wire/place.js';
import { sendValue, setPosition } from '../answer.js';
import { beFresh } from '../fresh-reads.js';
import { checkWait, freshness, queryOf, READ_PARAMETERS } from '../parameters.js';
import { ReadHeaders, ReadQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { collectionOf } from './collections.js';

const SAMPLE = 100;
const LIMIT = 10;
const checkRecall = bodyCheck(RecallBody);

export function recallRoute(room: Room): Route {
  return {
    method: 'POST',
    path: '/v1/collections/:collection/recall',
    operationId: 'measureRecall',
    needs: 'read',
    summary: 'Measure how much of the truth searches find, over a sample of stored points',
    tag: 'search',
    work: 'search',
    query: ReadQuery,
    headers: ReadHeaders,
    body: RecallBody,
    answer: RecallAnswerBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = checkRecall(await room.bodies.read(request, { kind: 'plain' }));
      const { searchLimitMax, efSearchMax } = room.limits;
      const { limit = Math.min(LIMIT, searchLimitMax), ef_search: efSearch } = body;
      if (limit > searchLimitMax) throw overLimit('limit', 'hits', searchLimitMax);
      if (efSearch !== undefined && efSearch > efSearchMax) throw overLimit('ef_search', 'candidates', efSearchMax);
      checkWait(body.timeout_ms, 'timeout_ms', room.limits);
      const wanted = {
        sample: body.sample ?? SAMPLE,
        limit,
        ...(efSearch === undefined ? {} : { efSearch }),
        ...(body.using === undefined ? {} : { using: body.using }),
        ...(body.filter === undefined ? {} : { filter: parseFilter(body.filter) }),
        ...(body.timeout_ms === undefined ? {} : { timeoutMs: body.timeout_ms }),
      };
      // What it measures against is exact search.
      room.strict.read(collection, { ...wanted, exact: true });
      await beFresh(
        room,
        engine,
        freshness(request, queryOf(request, READ_PARAMETERS), body, room.limits),
        'indexed',
        collection,
      );
      const answer = await engine.measureRecall(collection, wanted);
      return sendValue(request, reply, answerBody(answer, setPosition(reply, answer.position)));
    },
  };
}

function answerBody({ byFilterClass, ...answer }: RecallAnswer, position: string): RecallAnswerBody {
  return {
    recall: answer.recall,
    sampled: answer.sampled,
    limit: answer.limit,
    ef_search: answer.efSearch,
    worst: answer.worst,
    took_ms: answer.tookMs,
    position,
    ...(byFilterClass === undefined
      ? {}
      : {
          by_filter_class: Object.fromEntries(
            byFilterClass.map(({ filterClass, recall, sampled }) => [filterClass, { recall, sampled }]),
          ),
        }),
  };
}
