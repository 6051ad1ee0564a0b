/** Waiting for a condition instead of for a time: the only wait that tests may use. */
import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  /** Default 10,000. */
  readonly deadlineMs?: number;
  /** What is waited for, as the error shall say it. */
  readonly what: string;
}

const FIRST_PAUSE_MS = 1;
const LAST_PAUSE_MS = 50;

/** Polls `condition` (at first every ms, later every 50 ms) until it gives something truthy, and returns that.
 *  @throws Error naming `what` after the deadline, and whatever `condition` throws at once. */
export async function waitUntil<Value>(
  condition: () => Value | Promise<Value>,
  options: WaitOptions,
): Promise<Exclude<Value, false | 0 | '' | null | undefined>> {
  const deadlineMs = options.deadlineMs ?? 10_000;
  const startMs = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
    const value = await condition();
    if (value) return value as Exclude<Value, false | 0 | '' | null | undefined>;
    if (performance.now() - startMs > deadlineMs) throw new Error(`waited ${deadlineMs} ms in vain: ${options.what}`);
    await delay(pauseMs);
  }
}
