/** The route of facets: how many points have each value of a payload field. */

import type { FacetAnswer } from '../../engine/engine.js';
import { bodyCheck } from '../../wire/check-body.js';
import { parseFilter } from '../../wire/filter.js';
import { FacetAnswerBody, FacetBody } from '../../wire/http-bodies.js';
import { setPosition } from '../answer.js';
import { plainAsked } from '../asked.js';
import { checkFieldPath } from '../field-path.js';
import { beFresh } from '../fresh-reads.js';
import { freshness, queryOf, READ_PARAMETERS } from '../parameters.js';
import { writeFacet } from '../point-answer.js';
import { ReadHeaders, ReadQuery } from '../query-schemas.js';
import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { notBefore, underSpan, whileWanted } from '../search-request.js';
import { collectionOf } from './collections.js';

const LIMIT = 10;
const checkFacet = bodyCheck(FacetBody);

export function facetRoute(room: Room): Route {
  return {
    method: 'POST',
    path: '/v1/collections/:collection/points/facet',
    timed: true,
    operationId: 'facetPoints',
    needs: 'read',
    summary: 'Count the points that have each value of a payload field',
    tag: 'search',
    work: 'read',
    query: ReadQuery,
    headers: ReadHeaders,
    body: FacetBody,
    answer: FacetAnswerBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = checkFacet(await room.bodies.read(request, { kind: 'plain' }));
      const facet = {
        path: checkFieldPath(body.key, 'key'),
        ...(body.filter === undefined ? {} : { filter: parseFilter(body.filter) }),
        limit: body.limit ?? LIMIT,
        exact: body.exact ?? true,
      };
      room.strict.read(collection, { limit: facet.limit, facet: facet.path, ...(facet.filter && { filter: facet.filter }) });
      plainAsked(request, { key: facet.path, limit: facet.limit, exact: facet.exact }, facet.filter);
      const wanted = freshness(request, queryOf(request, READ_PARAMETERS), body, room.limits);
      await beFresh(room, engine, wanted, 'indexed', collection);
      const answer: FacetAnswer = await engine.facet(
        collection,
        whileWanted(notBefore(underSpan(facet, request), [wanted]), request, room),
      );
      setPosition(reply, answer.position);
      return room.answers.send(request, reply, [], (out) => writeFacet(out, answer));
    },
  };
}
