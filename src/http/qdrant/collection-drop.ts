/** The dialect's removal of a collection. One that is not there is no mistake: the result says that nothing was removed. */

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
      try {
        await runUpdate(room, reply, update, [{ kind: 'delete_collection', collection }]);
        return sendResult(request, reply, true);
      } catch (error) {
        if (!(error instanceof SkeinError) || error.type !== 'CollectionNotFound') throw error;
        setPosition(reply, update.write.engine.position());
        return sendResult(request, reply, false);
      }
    },
  };
}
