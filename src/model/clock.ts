/** Time as an input, so that every wait and every stamp can be driven by a test. */

export interface Clock {
  /** Milliseconds since 1970, for stamps that people read. */
  wallMs(): number;
  /** Milliseconds on a clock that never goes back, for durations and deadlines. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
