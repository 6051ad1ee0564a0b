/** What an engine says of its searching for /metrics and /health/detailed: plain data, taken at once. Must not know: who shows it. */

import type { BreakerState } from '../resilience/circuit-breaker.js';
import type { FallbackStatus } from './fallback.js';

/** One of the two kinds of indexes, with all its workers. */
export interface SearchEngineStatus {
  readonly breaker: BreakerState;
  /** Questions that failed, since the start. */
  readonly failures: number;
  /** Workers that were started again after they died. */
  readonly restarts: number;
  /** Collections that have such an index. */
  readonly collections: number;
  /** Of those, how many answer nothing yet: built for points that were there before, or loaded after a failure. */
  readonly loading: number;
  /** What the newest answer took, in milliseconds; null before the first. */
  readonly latencyMs: number | null;
}

export interface SearchStatus {
  readonly vector: SearchEngineStatus;
  readonly text: SearchEngineStatus;
  readonly fallback: FallbackStatus;
}
