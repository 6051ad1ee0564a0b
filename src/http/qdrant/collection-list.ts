/** The dialect's lists of names: collections, and whether there is one of a name. */

import { inScope } from '../../model/access-key.js';
import { principalOf } from '../access/principal.js';
import { setPosition } from '../answer.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { beginRead } from './parameters.js';

export function collectionListRoutes(room: Room): DialectRoute[] {
  return [listRoute(room), existsRoute(room)];
}

function listRoute(room: Room): DialectRoute {
  return {
    method: 'GET',
    path: '/collections',
    operationId: 'qdrantListCollections',
    needs: 'read',
    looksAtScope: true,
    summary: 'List all collections that the key is for',
    tag: 'collections',
    handle: async (request, reply) => {
      const engine = room.service.engine();
      await beginRead(room, request, engine, null);
      const { scope } = principalOf(request);
      const shown = engine.collections().filter(({ name }) => inScope(scope, name));
      setPosition(reply, engine.position());
      return sendResult(request, reply, { collections: shown.map(({ name }) => ({ name })) });
    },
  };
}

function existsRoute(room: Room): DialectRoute {
  return {
    method: 'GET',
    path: '/collections/:collection/exists',
    operationId: 'qdrantCollectionExists',
    needs: 'read',
    summary: 'Is there a collection of this name?',
    tag: 'collections',
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      await beginRead(room, request, engine, null);
      setPosition(reply, engine.position());
      return sendResult(request, reply, { exists: engine.findCollection(collection) !== null });
    },
  };
}
