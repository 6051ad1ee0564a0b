/** The dialect's removal of a collection. One that is not there is no mistake: the result says that nothing was removed. An alias is no
 *  collection here: whoever makes `prod` anew must not lose what it stands for. */

import type { FastifyRequest } from 'fastify';
import { SkeinError } from '../../model/errors.js';
import { setPosition } from '../answer.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { beginCollectionUpdate, runUpdate } from './update.js';

export function collectionDropRoute(room: Room): DialectRoute {
  return {
    method: 'DELETE',
    path: '/collections/:collection',
    operationId: 'qdrantDeleteCollection',
    needs: 'admin',
    master: true,
    summary: 'Drop a collection with all its points',
    tag: 'collections',
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const update = await beginCollectionUpdate(room, request, `DELETE ${collection}`);
      const { engine } = update.write;
      const named = nameAsAsked(request);
      if (engine.aliases().some(({ alias }) => alias === named)) {
        setPosition(reply, engine.position());
        return sendResult(request, reply, false);
      }
      try {
        await runUpdate(room, reply, update, [{ kind: 'delete_collection', collection }]);
        return sendResult(request, reply, true);
      } catch (error) {
        if (!(error instanceof SkeinError) || error.type !== 'CollectionNotFound') throw error;
        setPosition(reply, engine.position());
        return sendResult(request, reply, false);
      }
    },
  };
}

/** Before an alias was followed, as it is for keys with a scope. */
function nameAsAsked({ url }: FastifyRequest): string {
  const [path = ''] = url.split('?', 1);
  return decodeURIComponent(path.split('/')[2] ?? '');
}
