/** Whether to try again, and when: pure decisions. Delays grow by doubling, half of each left to chance; the server's own wish comes first.
 *  The server's own retries (resilience/retry.ts) share the growth with it; what may be tried again is another question here. */

import { delayMs, jittered } from '../model/backoff.js';
import { SkeinApiError, SkeinConnectionError } from './errors.js';

export interface RetrySettings {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly delayMsMax: number;
}

export const DEFAULT_RETRIES: RetrySettings = { attempts: 4, firstDelayMs: 100, delayMsMax: 5_000 };
export const NO_RETRIES: RetrySettings = { attempts: 1, firstDelayMs: 0, delayMsMax: 0 };

/** Another try at the same address cannot help. */
const NEEDS_ANOTHER_ADDRESS = new Set(['NotMaster', 'NotPromotable']);

export interface FailedAttempt {
  readonly error: unknown;
  /** 1 for the first. */
  readonly attempt: number;
  /** May the request take effect twice without harm? */
  readonly repeatable: boolean;
}

/** @param random in [0, 1)
 *  @returns milliseconds to wait before the next try, or null: give the error to the caller */
export function delayBeforeRetry(
  { error, attempt, repeatable }: FailedAttempt,
  settings: RetrySettings,
  random: number,
): number | null {
  if (attempt >= settings.attempts) return null;
  const { firstDelayMs: baseDelayMs, delayMsMax: maxDelayMs } = settings;
  const waitMs = jittered(delayMs({ strategy: 'exponential', factor: 2, baseDelayMs, maxDelayMs }, attempt), random);
  if (error instanceof SkeinConnectionError) return repeatable || !error.maybeSent ? waitMs : null;
  if (!(error instanceof SkeinApiError) || !error.retryable || !repeatable || NEEDS_ANOTHER_ADDRESS.has(error.type)) return null;
  return Math.max(error.retryAfterMs ?? 0, waitMs);
}
