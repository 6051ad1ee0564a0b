/** How new an answer must be, held against the node that gives it: waits for a position, refuses a state that is too old. */

import type { FastifyReply } from 'fastify';
import type { Engine, WaitLevel } from '../engine/engine.js';
import { SkeinError } from '../model/errors.js';
import type { Freshness } from './parameters.js';
import type { Room } from './room.js';
import type { Route } from './route-table.js';
import type { ReplicationService } from './service.js';

export const STALENESS_HEADER = 'x-skein-staleness-ms';
/** Else it would say 0. */
const MASTER_IS_ALONE =
  '; it is the master and hears of no majority of its voters: bring them back, or forget those that stay away (DELETE /replication/replicas/{id})';

/** Is it a read that may say how old its answer may be? */
export function isFreshRead({ query }: Pick<Route, 'query'>): boolean {
  return query !== undefined && 'properties' in query && 'max_staleness_ms' in (query.properties as object);
}

/** Says how old the state is, before anything is read: what is read then is at least so new. Says nothing where that is not known. */
export function tellStaleness(reply: FastifyReply, replication: Pick<ReplicationService, 'stalenessMs'>): void {
  const stalenessMs = replication.stalenessMs();
  if (stalenessMs !== null) reply.header(STALENESS_HEADER, Math.ceil(stalenessMs));
}

/** Waits first, so that what arrives meanwhile counts. @param wanted null: whatever there is
 *  @throws PositionLost, ReplicaBehind, IndexBehind */
export async function beFresh(
  room: Room,
  engine: Engine,
  wanted: Freshness | null,
  level: WaitLevel,
  collection: string | null,
): Promise<void> {
  if (wanted === null) return;
  const { position, maxWaitMs, maxStalenessMs } = wanted;
  const { replication } = room.service;
  if (position !== null) {
    room.times.allow(wanted.askedBy, maxWaitMs);
    const startMs = room.clock.monotonicMs();
    try {
      await engine.waitFor(position, level, collection, maxWaitMs);
    } catch (error) {
      if (!(error instanceof SkeinError) || error.type !== 'ReplicaBehind') throw error;
      // The write that was waited for is there, whether this replica has heard of it or not.
      const waitedMs = Math.round(room.clock.monotonicMs() - startMs);
      const lagMs = replication.stalenessMs();
      throw new SkeinError('ReplicaBehind', error.message, {
        ...error.details,
        lag_ms: lagMs === null ? null : Math.max(lagMs, waitedMs),
      });
    }
  }
  if (maxStalenessMs === null) return;
  const lagMs = replication.stalenessMs();
  if (lagMs !== null && lagMs <= maxStalenessMs) return;
  const age = lagMs === null ? 'not known to be new' : `${Math.ceil(lagMs)} ms old`;
  const why = replication.role() === 'master' ? MASTER_IS_ALONE : '';
  throw new SkeinError('ReplicaBehind', `The state of this node is ${age}; ${maxStalenessMs} ms were allowed${why}`, {
    requested: null,
    applied: engine.position().seq,
    lag_ms: lagMs,
    max_staleness_ms: maxStalenessMs,
  });
}
