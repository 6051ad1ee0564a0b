/** Retry: a call is made again after errors that may pass, with a growing wait between.
 *
 *    try 1 ─ error ─► wait ─► try 2 ─ error ─► wait ─► … ─► try attemptsMax ─ error ─► to the caller, as it is
 *
 *  Which errors may pass, and that the call may be made twice, is for its owner to say. The loop is our own: a wait of cockatiel's retry
 *  can neither be broken off by a signal nor be driven by a test. Must not know: what is called. */

import { setTimeout as delay } from 'node:timers/promises';
import { type Backoff, delayMs, jittered } from '../model/backoff.js';
import { messageOf, SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';

export interface RetrySettings extends Backoff {
  /** Tries in all, the first included, ≥ 1. */
  readonly attemptsMax: number;
  /** Spread the waits, so that those who failed together do not come back together. */
  readonly jitter: boolean;
}

export const RETRY_DEFAULTS: RetrySettings = {
  attemptsMax: 3,
  strategy: 'exponential',
  baseDelayMs: 1_000,
  maxDelayMs: 60_000,
  factor: 2,
  jitter: true,
};

export interface RetryOptions {
  /** What is tried, in log lines. */
  readonly operation: string;
  /** Over RETRY_DEFAULTS. */
  readonly settings?: Partial<RetrySettings>;
  /** May the same call succeed later, and be made again without harm? */
  isWorthRetrying(error: unknown): boolean;
  readonly log: Log;
  /** Breaks off a wait; what runs must listen itself. */
  readonly signal?: AbortSignal;
  /** In [0, 1). */
  readonly random?: () => number;
  /** Waits, and rejects when the signal is aborted. */
  readonly wait?: (waitMs: number, signal: AbortSignal | undefined) => Promise<void>;
}

/** Every try that fails is logged, with what comes next.
 *  @param work  gets the number of the try, from 1; sync or async
 *  @throws the error of the last try · the signal’s reason when it is aborted before a try */
export async function retry<T>(work: (attempt: number) => Promise<T> | T, options: RetryOptions): Promise<T> {
  const { operation, isWorthRetrying, log, signal, random = Math.random, wait = waitFor } = options;
  const settings = { ...RETRY_DEFAULTS, ...options.settings };
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      const result = await work(attempt);
      if (attempt > 1) log.info('retry_succeeded', { operation, attempt });
      return result;
    } catch (error) {
      const fields = { operation, attempt, attempts_max: settings.attemptsMax, error: messageOf(error) };
      if (signal?.aborted === true || !isWorthRetrying(error)) throw error;
      if (attempt >= settings.attemptsMax) {
        log.warn('retry_given_up', fields);
        throw error;
      }
      const waitMs = waitBefore(error, attempt, settings, random);
      log.warn('retry', { ...fields, wait_ms: Math.round(waitMs) });
      await wait(waitMs, signal);
    }
  }
}

/** The wrapping form: the same function, tried again. */
export function retrying<Given extends readonly unknown[], T>(
  work: (...given: Given) => Promise<T> | T,
  options: RetryOptions,
): (...given: Given) => Promise<T> {
  return (...given) => retry(() => work(...given), options);
}

/** The wish of whoever refused comes first, as far as the longest wait allows. */
function waitBefore(error: unknown, failed: number, settings: RetrySettings, random: () => number): number {
  const grownMs = delayMs(settings, failed);
  const wishMs = error instanceof SkeinError ? error.details['retry_after_ms'] : undefined;
  return Math.max(
    settings.jitter ? jittered(grownMs, random()) : grownMs,
    Math.min(typeof wishMs === 'number' ? wishMs : 0, settings.maxDelayMs),
  );
}

async function waitFor(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(waitMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
