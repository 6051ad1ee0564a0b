/** A planned change of mastership: the replica asks, the master pauses its writes until the replica has everything, and steps down.
 *  What each side says to the other, and the waiting; what it does to the roles is theirs. */

import type { Clock } from '../model/clock.js';
import { messageOf, SkeinError } from '../model/errors.js';
import { readNodeUrl } from '../model/node-url.js';
import type { Follower } from '../replication/follower.js';
import type { LinkValues } from '../wire/frames.js';

const POLL_MS = 5;

export function notPromotable(reason: string, message: string): SkeinError {
  return new SkeinError('NotPromotable', message, { reason });
}

/** Asks the master that is followed to hand over to this node. @returns the last seq of its mastership
 *  @throws NotPromotable: nothing has changed; unless the answer got lost, and then asking again gives the same answer */
export async function askForHandover(
  follower: Follower | null,
  own: { readonly nodeId: string; readonly url: string },
  timeoutMs: number,
): Promise<number> {
  if (follower === null || follower.state.phase !== 'following')
    throw notPromotable('master_unreachable', 'The master cannot be reached; promote with force if it is gone for good');
  if (follower.state.diverged) throw notPromotable('diverged', 'The data here differs from the master’s');
  try {
    const { seq } = await within(2 * timeoutMs, follower.ask('handover', { ...own, timeoutMs }));
    if (typeof seq !== 'number') throw new Error('the answer names no seq');
    return seq;
  } catch (error) {
    const reason = messageOf(error);
    throw notPromotable('handover_failed', `The master did not hand over: ${reason}`);
  }
}

/** What a replica asks for. @throws Error when it is none that can be done */
export function handoverAsked(
  parameters: LinkValues,
  timeoutMaxMs: number,
): { readonly url: string; readonly timeoutMs: number } {
  const { url, timeoutMs } = parameters;
  if (typeof url !== 'string' || readNodeUrl(url) === null) throw new Error('the handover names no address of a node');
  if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) throw new Error('the handover names no time');
  return { url, timeoutMs: Math.min(timeoutMs, timeoutMaxMs) };
}

/** Waits until the replica holds everything. @param durableSeq null when it is not linked @throws Error when its link ends, or the time
 *  passes, first */
export async function caughtUp(durableSeq: () => number | null, seq: number, clock: Clock, timeoutMs: number): Promise<void> {
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (let held = durableSeq(); held !== seq; held = durableSeq()) {
    if (held === null) throw new Error('the link of the replica ended; writes go on');
    if (clock.monotonicMs() >= deadlineMs) throw new Error(`the replica did not catch up within ${timeoutMs} ms; writes go on`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
