/** What a node may do in its role: only the master changes data; a replica names the master, or says that it knows of none.
 *  Which routes need the master is said by the routes themselves. Must not know: how roles change. */

import { SkeinError } from '../model/errors.js';
import type { ReplicationService } from './service.js';

/** Why this node does not do it. */
export function notMaster(replication: ReplicationService): SkeinError {
  const masterUrl = replication.masterUrl();
  if (masterUrl === null) return new SkeinError('NoMaster', 'This node is a replica, and no master is known at the moment');
  return new SkeinError('NotMaster', `This node is a replica; the master is at ${masterUrl}`, { master_url: masterUrl });
}

/** A node that lost its role while a write was on its way refuses it inside; the caller is told where to go all the same. */
export function withMasterUrl(thrown: unknown, replication: ReplicationService): unknown {
  if (!(thrown instanceof SkeinError) || thrown.type !== 'NotMaster' || 'master_url' in thrown.details) return thrown;
  // Its master is where it was until the handover is done, or was given up.
  if (replication.role() === 'master') return new SkeinError('NoMaster', 'The mastership is being handed over; try again soon');
  return notMaster(replication);
}
