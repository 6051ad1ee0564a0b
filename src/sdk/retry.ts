/** Whether to try again, and when: pure decisions. Delays grow by doubling, half of each left to chance; the server's own wish comes first.
 *  The server's own retries (resilience/retry.ts) share the growth with it; what may be tried again is another question here. */

import { delayMs, jittered } from '../model/backoff.js';
import { SkeinApiError, SkeinConnectionError } from './errors.js';

export interface RetrySettings {
  /** Tries in all, the first included. With several nodes each try asks one after the other. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
}

export const DEFAULT_RETRIES: RetrySettings = { attempts: 10, firstDelayMs: 100, delayMsMax: 5_000 };
export const NO_RETRIES: RetrySettings = { attempts: 1, firstDelayMs: 0, delayMsMax: 0 };

export interface FailedAttempt {
  readonly error: unknown;
  /** 1 for the first. */
  readonly attempt: number;
  /** May the request take effect twice without harm? */
  readonly repeatable: boolean;
  /** Are there several nodes, of which another may be the master soon? */
  readonly hasOthers: boolean;
}

/** @param random in [0, 1)
 *  @returns milliseconds to wait before the next try, or null: give the error to the caller */
export function delayBeforeRetry(
  { error, attempt, repeatable, hasOthers }: FailedAttempt,
  settings: RetrySettings,
  random: number,
): number | null {
  if (attempt >= settings.attempts) return null;
  const { firstDelayMs: baseDelayMs, delayMsMax: maxDelayMs } = settings;
  const waitMs = jittered(delayMs({ strategy: 'exponential', factor: 2, baseDelayMs, maxDelayMs }, attempt), random);
  if (error instanceof SkeinConnectionError) return repeatable || !error.maybeSent ? waitMs : null;
  if (!(error instanceof SkeinApiError) || !error.retryable || !repeatable) return null;
  // Another try at the same address cannot help.
  if (error.type === 'NotPromotable' || (error.type === 'NotMaster' && !hasOthers)) return null;
  return Math.max(error.retryAfterMs ?? 0, waitMs);
}
