/** How the time of a stop is shared out, and which delay in front of it leaves the rest enough.
 *
 *    shutdown_timeout_ms:  drain ≤ what is left │ handover and running requests │ links and data
 */

/** What links and data need at the end of a stop; less where the whole stop has less than three times as much. */
const CLOSING_MS = 10_000;

/** What is kept for links and data behind the requests, in milliseconds; handover and requests have at least as much. */
export function closingMsOf(shutdownTimeoutMs: number): number {
  return Math.min(CLOSING_MS, shutdownTimeoutMs / 3);
}

interface StopTimes {
  readonly drainDelayMs: number;
  readonly shutdownTimeoutMs: number;
}

export function stopContradictions({ drainDelayMs, shutdownTimeoutMs }: StopTimes): string[] {
  const drainMs = Math.floor(shutdownTimeoutMs - 2 * closingMsOf(shutdownTimeoutMs));
  if (drainDelayMs <= drainMs) return [];
  return [
    `drain_delay_ms is ${drainDelayMs} and shutdown_timeout_ms ${shutdownTimeoutMs}: at most ${drainMs} of it may pass before requests are ended and data is closed`,
  ];
}
