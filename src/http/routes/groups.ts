/** The route of searches by groups: hits by the values of a payload field. */

import type { GroupRequest, SearchHit } from '../../engine/engine.js';
import type { Limits } from '../../model/limits.js';
import { bodyCheck } from '../../wire/check-body.js';
import { SearchGroupsAnswer, SearchGroupsBody } from '../../wire/http-bodies.js';
import { overLimit } from '../../wire/place.js';
import type { ReadSearch } from '../../wire/search-body.js';
import { setPosition } from '../answer.js';
import { searchAsked, searchFound } from '../asked.js';
import { checkFieldPath } from '../field-path.js';
import { beFresh } from '../fresh-reads.js';
import { writeGroupAnswer } from '../point-answer.js';
import { ReadHeaders, ReadQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { inPlace, notBefore, searchRequest, underSpan, waitOf, whileWanted } from '../search-request.js';
import { collectionOf } from './collections.js';

const GROUPS = 10;
const GROUP_SIZE = 3;
const checkGroups = bodyCheck(SearchGroupsBody);

export function groupsRoute(room: Room): Route {
  return {
    method: 'POST',
    path: '/v1/collections/:collection/points/search/groups',
    timed: true,
    operationId: 'searchPointsGroups',
    needs: 'read',
    summary: 'Search as searchPoints does, for the best hits by the values of a payload field',
    tag: 'search',
    work: 'search',
    query: ReadQuery,
    headers: ReadHeaders,
    body: SearchGroupsBody,
    answer: SearchGroupsAnswer,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const read = await room.bodies.read(request, { kind: 'search' });
      const body = checkGroups(read.fields);
      const search = groupRequest(read, body, room.limits);
      room.strict.read(collection, search, read.path);
      searchAsked(request, search, { group_by: search.groupBy, group_size: search.groupSize });
      const wanted = waitOf(request, body, room.limits);
      await beFresh(room, engine, wanted, 'indexed', collection);
      const answer = await inPlace(search, read.path, () =>
        engine.searchGroups(collection, whileWanted(notBefore(underSpan(search, request), [wanted]), request, room)),
      );
      searchFound(request, [answer]);
      setPosition(reply, answer.position);
      return room.answers.send(request, reply, hitsOf(answer.groups), (out) => writeGroupAnswer(out, answer));
    },
  };
}

/** @throws InvalidRequest, InvalidFilter */
function groupRequest(read: ReadSearch, body: SearchGroupsBody, limits: Limits): GroupRequest {
  const { searchLimitMax } = limits;
  const { group_by: groupBy, group_size: groupSize = Math.min(GROUP_SIZE, searchLimitMax), ...others } = body;
  const { limit = Math.max(1, Math.min(GROUPS, Math.floor(searchLimitMax / groupSize))), ...rest } = others;
  if (limit * groupSize > searchLimitMax) throw overLimit('limit', 'hits with limit and group_size together', searchLimitMax);
  const { offset: _, ...search } = searchRequest(read, rest, limits);
  return { ...search, limit, groupBy: checkFieldPath(groupBy, 'group_by'), groupSize };
}

function* hitsOf(groups: readonly { readonly hits: readonly SearchHit[] }[]): Generator<SearchHit> {
  for (const { hits } of groups) yield* hits;
}
