/** The dialect's shards of a collection: it is one piece, whole on every node. Must not know: points. */

import { setPosition } from '../answer.js';
import type { Room } from '../room.js';
import { collectionOf } from '../routes/collections.js';
import type { DialectRoute } from './dialect-route.js';
import { sendResult } from './envelope.js';
import { beginRead } from './parameters.js';

export function shardsRoute(room: Room): DialectRoute {
  return {
    method: 'GET',
    path: '/collections/:collection/cluster',
    operationId: 'qdrantCollectionCluster',
    needs: 'read',
    tag: 'collections',
    summary: 'The shards of a collection: one, here',
    handle: async (request, reply) => {
      const collection = collectionOf(request);
      const engine = room.service.engine();
      await beginRead(room, request, engine, null);
      const { pointsCount, position } = engine.collection(collection);
      setPosition(reply, position);
      const local_shards = [{ shard_id: 0, points_count: pointsCount, state: 'Active' }];
      return sendResult(request, reply, { peer_id: 0, shard_count: 1, local_shards, remote_shards: [], shard_transfers: [] });
    },
  };
}
