/** Every route of the Qdrant dialect (docs/QDRANT.md): rows of the one route table, with the dialect's envelope and errors.
 *
 *  A thin adapter over the same engine, keys, limits and log as the own API; these routes are not in the OpenAPI document. */

import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { aliasRoutes } from './aliases.js';
import { collectionDropRoute } from './collection-drop.js';
import { collectionListRoutes } from './collection-list.js';
import { collectionRoutes } from './collections.js';
import type { DialectRoute, DialectSettings } from './dialect-route.js';
import { facetRoute } from './facets.js';
import { payloadWriteRoutes } from './payload-writes.js';
import { batchRoute } from './point-batch.js';
import { pointReadRoutes } from './point-reads.js';
import { pointWriteRoutes } from './point-writes.js';
import { groupRoutes } from './query/group-routes.js';
import { matrixRoutes } from './query/matrix-routes.js';
import { queryRoutes } from './query/query-routes.js';
import { scrollRoute } from './scroll.js';
import { serviceRoutes } from './service.js';
import { shardsRoute } from './shards.js';
import { snapshotRoutes } from './snapshots.js';

export function qdrantRoutes(room: Room, settings: DialectSettings): Route[] {
  const routes: DialectRoute[] = [
    ...serviceRoutes(room, settings),
    ...collectionListRoutes(room),
    collectionDropRoute(room),
    ...collectionRoutes(room),
    ...aliasRoutes(room),
    shardsRoute(room),
    ...snapshotRoutes(room),
    ...pointReadRoutes(room),
    ...queryRoutes(room),
    scrollRoute(room),
    facetRoute(room),
    ...pointWriteRoutes(room),
    batchRoute(room),
    ...payloadWriteRoutes(room),
    ...groupRoutes(room),
    ...matrixRoutes(room),
  ];
  return routes.map((route) => ({ ...route, dialect: 'qdrant' }));
}
