/** A master that is about to stop gives its mastership away: it asks a voter that is linked and near to take over, which then asks for a
 *  handover as it does when an operator promotes it. So nothing is written in two places, and nothing acknowledged is lost.
 *
 *    ask the nearest ─► it promotes itself (writes wait, it catches up, this node steps down) ─► known as the new master ─► gone
 *                   └─ refused, or no answer in time ─► the next one … nobody: this node stops as master
 *
 *  Must not know: frames, HTTP. */

import type { Clock } from '../model/clock.js';
import { messageOf } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { LinkValues } from '../wire/frames.js';

/** What is known of a replica that may take over. */
export interface Candidate {
  readonly nodeId: string;
  readonly voter: boolean;
  readonly linked: boolean;
  readonly phase: string;
  readonly diverged: boolean;
  readonly durableSeq: number | null;
}

export interface LeavingParts {
  readonly clock: Clock;
  readonly log: Log;
  isMaster(): boolean;
  candidates(): Iterable<Candidate>;
  ask(nodeId: string, method: string, parameters: LinkValues): Promise<LinkValues>;
  /** Is this node linked to the new master? Then the new mastership has begun. */
  followsSomebody(): boolean;
}

export const TAKE_OVER = 'take_over';
const POLL_MS = 10;

/** Linked voters with the same data, the nearest first. */
export function eligible(candidates: Iterable<Candidate>): Candidate[] {
  return [...candidates]
    .filter(({ voter, linked, phase, diverged }) => voter && linked && phase === 'streaming' && !diverged)
    .sort((a, b) => (b.durableSeq ?? -1) - (a.durableSeq ?? -1));
}

/** @returns the node that took over, or null: nobody could, and this node is the master still */
export async function handOverBeforeStop(parts: LeavingParts, timeoutMs: number): Promise<string | null> {
  const { clock, log } = parts;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (const { nodeId } of eligible(parts.candidates())) {
    if (!parts.isMaster() || clock.monotonicMs() >= deadlineMs) break;
    let refused: string | null = null;
    // Its link ends when this node steps down, so the answer may not come.
    parts.ask(nodeId, TAKE_OVER, {}).catch((error: unknown) => {
      refused = messageOf(error);
    });
    while (parts.isMaster() && refused === null && clock.monotonicMs() < deadlineMs) await pause();
    if (parts.isMaster()) {
      log.warn('handover_at_stop_refused', { node_id: nodeId, reason: refused ?? 'no answer in time' });
      continue;
    }
    while (!parts.followsSomebody() && clock.monotonicMs() < deadlineMs) await pause();
    log.info('handed_over', { node_id: nodeId, begun: parts.followsSomebody() });
    return nodeId;
  }
  if (parts.isMaster()) log.warn('handover_at_stop', { reason: 'no connected voter could take over' });
  return null;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
