/** Backoff: how long to wait before the next try. Pure; who tries again, and after which errors, is decided elsewhere.
 *
 *    fixed base   ·   linear base × n   ·   exponential base × factor^(n − 1)      (n: tries that failed; never above the maximum) */

export const BACKOFF_STRATEGIES = ['fixed', 'linear', 'exponential'] as const;

export interface Backoff {
  readonly strategy: (typeof BACKOFF_STRATEGIES)[number];
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Of the exponential strategy, ≥ 1. */
  readonly factor: number;
}

/** @param failed how many tries failed, ≥ 1  @returns milliseconds, 0 … maxDelayMs */
export function delayMs({ strategy, baseDelayMs, maxDelayMs, factor }: Backoff, failed: number): number {
  if (baseDelayMs === 0) return 0;
  const grown = { fixed: 1, linear: failed, exponential: factor ** (failed - 1) }[strategy];
  return Math.min(maxDelayMs, baseDelayMs * grown);
}

/** Spreads waits that began together: half of it stays, half is left to chance ("equal jitter", M. Brooker, "Exponential Backoff And
 *  Jitter", AWS, 2015). @param random in [0, 1) */
export function jittered(waitMs: number, random: number): number {
  return waitMs * (0.5 + random / 2);
}
