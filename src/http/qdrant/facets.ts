/** The dialect's counts of the values of a payload field. */

import { DialectFacetBody } from '../../wire/qdrant-parts.js';
import { setPosition } from '../answer.js';
import { plainAsked } from '../asked.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import { underSpan, whileWanted } from '../search-request.js';
import { dialectCheck, readChecked } from './body.js';
import type { DialectRoute } from './dialect-route.js';
import { sendLongResult } from './envelope.js';
import { fieldPath } from './field-index.js';
import { filterOf } from './filter.js';
import { beginRead } from './parameters.js';
import { mustNameNoShard } from './shard-key.js';

const LIMIT = 10;
const checkFacet = dialectCheck(DialectFacetBody);

export function facetRoute(room: Room): DialectRoute {
  return {
    method: 'POST',
    path: '/collections/:collection/facet',
    timed: true,
    operationId: 'qdrantFacet',
    needs: 'read',
    tag: 'search',
    work: 'read',
    summary: 'Count the points that have each value of a payload field',
    body: DialectFacetBody,
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      const body = await readChecked(room, request, checkFacet);
      mustNameNoShard(body);
      const facet = {
        path: fieldPath(body.key, 'key'),
        ...(body.filter === undefined ? {} : { filter: filterOf(body.filter, 'filter') }),
        limit: body.limit ?? LIMIT,
        exact: body.exact ?? false,
      };
      room.strict.read(collection, { limit: facet.limit, facet: facet.path, ...(facet.filter && { filter: facet.filter }) });
      plainAsked(request, { key: facet.path, limit: facet.limit, exact: facet.exact }, facet.filter);
      await beginRead(room, request, engine, collection);
      const { values, position } = await engine.facet(collection, whileWanted(underSpan(facet, request), request, room));
      setPosition(reply, position);
      return sendLongResult(room, request, reply, [], function* (out) {
        out.openObject(1);
        out.key('hits');
        out.openArray(values.length);
        for (const { value, count } of values) {
          out.value({ value, count });
          yield;
        }
        out.closeArray();
        out.closeObject();
      });
    },
  };
}
