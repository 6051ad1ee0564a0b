/** The steps of a stop, one after the other within one deadline: each is told what is left for it, none keeps the next from being done, and
 *  the log says how long each took.
 *
 *    drain ─► handover ─► requests ─► links ─► data        (deadline: what runs is left behind, and the stop says that it was not clean)
 *
 *  Must not know: what the steps do. */

import type { Clock } from '../model/clock.js';
import { messageOf } from '../model/errors.js';
import type { Log } from '../model/log.js';

export interface StopStep {
  readonly name: string;
  /** @param leftMs until it should be done, so that those behind it have their time */
  run(leftMs: number): Promise<void>;
  /** What those behind it need, in milliseconds; taken off what is left for this one. */
  readonly keepsMs: number;
}

export interface StopRules {
  readonly totalMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the lines of steps that ended well: nobody misses them where nothing had begun. */
  readonly stepLevel: 'info' | 'debug';
}

/** @throws Error naming the steps that failed or were not done in time; all were begun */
export async function runStopSteps(steps: readonly StopStep[], { totalMs, clock, log, stepLevel }: StopRules): Promise<void> {
  const startMs = clock.monotonicMs();
  const deadlineMs = startMs + totalMs;
  const problems: string[] = [];
  for (const { name, run, keepsMs } of steps) {
    const beganMs = clock.monotonicMs();
    const leftMs = Math.max(0, deadlineMs - beganMs);
    const problem = await before(leftMs, () => run(Math.max(0, leftMs - keepsMs)));
    const tookMs = Math.round(clock.monotonicMs() - beganMs);
    if (problem === null) log[stepLevel]('stop_step', { step: name, took_ms: tookMs });
    else log.error('stop_step_failed', { step: name, took_ms: tookMs, problem });
    if (problem !== null) problems.push(`${name}: ${problem}`);
  }
  if (problems.length > 0) throw new Error(`the stop was not clean: ${problems.join('; ')}`);
}

/** @returns why it did not end well, or null */
async function before(leftMs: number, run: () => Promise<void>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('not done when the time for the whole stop was over'), leftMs);
  });
  const done = Promise.resolve()
    .then(run)
    .then(
      () => null,
      (error: unknown) => messageOf(error),
    );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
