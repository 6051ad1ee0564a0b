/** A master that is about to stop gives its mastership away: it asks a voter that is linked and near to take over, which then asks for a
 *  handover as it does when an operator promotes it. So nothing is written in two places, and nothing acknowledged is lost.
 *
 *    ask the nearest ─► it promotes itself (writes wait, it catches up, this node steps down) ─► known as the new master ─► gone
 *                   └─ refused, or no answer in its share of the time ─► the next one … nobody: this node stops as master
 *
 *  One that was given up may still come: this node steps down for one of them only, because its changes of role come one after the other.
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
  /** On this node's monotonic clock; null: it was not heard yet. */
  readonly heardMs: number | null;
}

export interface LeavingParts {
  readonly clock: Clock;
  readonly log: Log;
  isMaster(): boolean;
  candidates(): Iterable<Candidate>;
  ask(nodeId: string, method: string, parameters: LinkValues): Promise<LinkValues>;
  /** Where the master is that this node knows of; null: nowhere yet. */
  masterUrl(): string | null;
  /** Is this node linked to the new master? Then the new mastership has begun. */
  followsSomebody(): boolean;
}

export const TAKE_OVER = 'take_over';
const POLL_MS = 10;

/** Linked voters with the same data, the nearest first; of those that are level the one that was heard last, because a node that hangs is
 *  linked until its time is over. */
export function eligible(candidates: Iterable<Candidate>): Candidate[] {
  return [...candidates]
    .filter(({ voter, linked, phase, diverged }) => voter && linked && phase === 'streaming' && !diverged)
    .sort((a, b) => (b.durableSeq ?? -1) - (a.durableSeq ?? -1) || (b.heardMs ?? -1) - (a.heardMs ?? -1));
}

/** Each candidate has its share of the time that is left, so that one that hangs leaves enough for the next.
 *  @returns the last one that was asked before another took over, or null: nobody did, and this node is the master still */
export async function handOverBeforeStop(parts: LeavingParts, timeoutMs: number): Promise<string | null> {
  const { clock, log } = parts;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  const asked = eligible(parts.candidates());
  for (const [index, { nodeId }] of asked.entries()) {
    const startMs = clock.monotonicMs();
    const shareMs = Math.max(0, deadlineMs - startMs) / (asked.length - index);
    const refused = await refusalOf(nodeId, parts, startMs + shareMs);
    if (parts.isMaster()) {
      log.warn('handover_at_stop_refused', { node_id: nodeId, reason: refused ?? `no answer in ${Math.round(shareMs)} ms` });
      continue;
    }
    while (!parts.followsSomebody() && clock.monotonicMs() < deadlineMs) await pause();
    log.info('handed_over', { asked: nodeId, master: parts.masterUrl(), begun: parts.followsSomebody() });
    return nodeId;
  }
  const reason = asked.length === 0 ? 'no voter with the same data is linked' : 'none of the linked voters took over';
  log.warn('handover_at_stop', { reason, asked: asked.length });
  return null;
}

/** Asks, and waits until this node is no master any more, the other has refused, or the time is over.
 *  @returns why it does not take over, or null: it has, or has not answered */
async function refusalOf(nodeId: string, parts: LeavingParts, deadlineMs: number): Promise<string | null> {
  let refused: string | null = null;
  // Its link ends when this node steps down, so the answer may not come.
  parts.ask(nodeId, TAKE_OVER, {}).catch((error: unknown) => {
    refused = messageOf(error);
  });
  do await pause();
  while (parts.isMaster() && refused === null && parts.clock.monotonicMs() < deadlineMs);
  return refused;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
