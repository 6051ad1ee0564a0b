/** Waiting until nodes have reached a position: until one has, or each of those that the client was given.
 *
 *  Every node is asked by itself, for a read that is at least so new, again and again until the time is over. A node that is gone may come back
 *  meanwhile; one whose history does not have the position never will. Must not know: how a call is sent. */

import { ChildAbort, pause } from './aborting.js';
import type { Caller } from './caller.js';
import { SkeinApiError, SkeinConnectionError, SkeinTimeoutError } from './errors.js';
import { mustKnow } from './known-names.js';
import type { CallOptions } from './types.js';

export interface WaitOptions extends Pick<CallOptions, 'signal'> {
  /** Default 30,000. */
  readonly timeoutMs?: number;
  /** any (default): one node has it, so that a read at this position finds whoever answers it. all: each node that the client was given. */
  readonly nodes?: 'any' | 'all';
}

const OPTIONS = { timeoutMs: true, nodes: true, signal: true } as const satisfies Readonly<Record<keyof WaitOptions, true>>;
const TIMEOUT_MS = 30_000;
/** Between two requests to a node: it has waited itself, unless it is gone. */
const PAUSE_MS = 50;

/** @throws TypeError for an option that there is not · SkeinTimeoutError, with what the last request met as lastError · SkeinApiError PositionLost, and what no wait mends ·
 *  SkeinConnectionError when the client is closed · the reason of the signal */
export async function waitForPosition(
  caller: Caller,
  urls: readonly string[],
  position: string,
  options: WaitOptions,
): Promise<void> {
  mustKnow(options, OPTIONS, 'a wait');
  const { timeoutMs = TIMEOUT_MS, nodes = 'any', signal } = options;
  const enough = new ChildAbort(signal);
  const waits = urls.map((node) => waitAtNode(caller, { node, position, timeoutMs, signal: enough.signal }));
  try {
    if (nodes === 'all') await Promise.all(waits);
    else await Promise.any(waits);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw error instanceof AggregateError ? worstOf(error.errors) : error;
  } finally {
    enough.abort();
    await Promise.allSettled(waits);
  }
}

interface NodeWait {
  readonly node: string;
  readonly position: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

async function waitAtNode(caller: Caller, { node, position, timeoutMs, signal }: NodeWait): Promise<void> {
  const what = `wait for a position at ${node}`;
  const endMs = performance.now() + timeoutMs;
  let met: unknown = null;
  for (let leftMs = timeoutMs; leftMs > 0; leftMs = endMs - performance.now()) {
    try {
      // A small read that every key of readers may do. The server waits for a second, or as long as its limit allows.
      const options = { minPosition: position, timeoutMs: leftMs, signal };
      await caller.run({ what, method: 'GET', path: '/v1/aliases', kind: 'read', node, once: true, options });
      return;
    } catch (error) {
      if (signal.aborted || caller.isClosing || !mayCome(error)) throw error;
      met = error instanceof SkeinTimeoutError ? (error.lastError ?? met) : error;
      await pause(Math.min(PAUSE_MS, Math.max(0, endMs - performance.now())), signal);
    }
  }
  throw new SkeinTimeoutError(what, timeoutMs, met);
}

function mayCome(error: unknown): boolean {
  if (error instanceof SkeinApiError) return error.retryable;
  return error instanceof SkeinConnectionError || error instanceof SkeinTimeoutError;
}

/** Of what all nodes ended with: what no wait mends says more than that the time is over. */
function worstOf(met: readonly unknown[]): unknown {
  return met.find((error) => error instanceof SkeinApiError) ?? met[0];
}
