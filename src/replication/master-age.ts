/** How old the data of a master may be. A master that others have left behind is not told: the link to whoever was promoted in its place is silent first.
 *  What it may know is when it was surely the only one.
 *
 *    age = now − when enough voters were heard that they and this node are a majority; 0 while that is not longer ago than two heartbeats
 *
 *  A promotion counts as such a moment: who was just promoted is the newest. Alone in its cluster a master is never old. Null: not known, as
 *  after a start. So a write that a majority has confirmed to another master is missing here for no longer than that; one that a node
 *  took without a majority, promoted by force away from all others, may be.
 *  Must not know: links, who asks. Specified in docs/REPLICATION.md §9. */

import { majorityOf } from '../model/replication.js';

export interface MasterContact {
  readonly nowMs: number;
  readonly heartbeatMs: number;
  /** This node counts in majorities. */
  readonly isVoter: boolean;
  /** Of each other voter, when it was last heard; null: never by this process. */
  readonly heardMs: readonly (number | null)[];
  /** When this node was promoted; null: before this process began. */
  readonly promotedMs: number | null;
}

export function masterAgeMs({ nowMs, heartbeatMs, isVoter, heardMs, promotedMs }: MasterContact): number | null {
  const own = isVoter ? 1 : 0;
  const needed = majorityOf(heardMs.length + own) - own;
  if (heardMs.length === 0 || needed <= 0) return 0;
  const latest = heardMs.filter((atMs) => atMs !== null).sort((one, other) => other - one);
  const majorityMs = latest[needed - 1] ?? null;
  if (majorityMs === null && promotedMs === null) return null;
  const silentMs = nowMs - Math.max(majorityMs ?? 0, promotedMs ?? 0);
  return silentMs > 2 * heartbeatMs ? Math.round(silentMs) : 0;
}
