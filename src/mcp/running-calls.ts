/** The calls of tools that are under way, over all conversations of a process: bounded, and waited for at the end. */

import { SkeinError } from '../model/errors.js';

export const CALLS_MAX = 64;

export class RunningCalls {
  readonly #running = new Set<Promise<unknown>>();

  /** @throws Overloaded when as many are under way already, and what the call throws */
  async run<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    if (this.#running.size >= CALLS_MAX)
      throw new SkeinError('Overloaded', `${CALLS_MAX} calls of tools are under way already`, { reason: 'calls' });
    const running = call();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Resolves when those that are under way now have ended, well or not. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running);
  }
}
