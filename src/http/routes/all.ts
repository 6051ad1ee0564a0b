/** Every route of the server, in the order of the document. */

import type { Room } from '../room.js';
import type { Route } from '../route-table.js';
import { aliasRoutes } from './aliases.js';
import { backupRoutes } from './backups.js';
import { batchRoutes } from './batch.js';
import { changesRoute } from './changes.js';
import { collectionRoutes } from './collections.js';
import { facetRoute } from './facets.js';
import { groupsRoute } from './groups.js';
import { importRoutes, type Recheck } from './import.js';
import { keyRoutes, type LastUsed } from './keys.js';
import { observingRoutes } from './observing.js';
import { pointReadRoutes } from './point-reads.js';
import { pointWriteRoutes } from './point-writes.js';
import { recallRoute } from './recall.js';
import { recommendRoute } from './recommend.js';
import { replicationRoutes } from './replication.js';
import { searchRoutes } from './search.js';
import { serverRoutes } from './server.js';

/** What routes ask of the gate after it has let a request in. */
export interface GateAsked {
  /** When access keys were last used here. */
  readonly lastUsed: LastUsed;
  readonly recheck: Recheck;
}

export function allRoutes(room: Room, { lastUsed, recheck }: GateAsked): Route[] {
  return [
    ...serverRoutes(room),
    ...observingRoutes(room),
    ...collectionRoutes(room),
    ...aliasRoutes(room),
    ...pointWriteRoutes(room),
    ...pointReadRoutes(room),
    ...searchRoutes(room),
    groupsRoute(room),
    recommendRoute(room),
    facetRoute(room),
    recallRoute(room),
    ...importRoutes(room, recheck),
    ...batchRoutes(room),
    changesRoute(room, recheck),
    ...replicationRoutes(room),
    ...keyRoutes(room, lastUsed),
    ...backupRoutes(room),
  ];
}
