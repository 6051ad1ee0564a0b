/** Looks again and again, one look after the other, until stopped: for following a figure while something else goes on. */

import { delay } from './waiting.js';

export class Sampling {
  readonly #running: Promise<void>;
  #stopped = false;
  #failure: { readonly error: unknown } | null = null;

  /** @param intervalMs from one look's beginning to the next one's; a look that takes longer is followed at once */
  constructor(intervalMs: number, look: () => Promise<void> | void) {
    this.#running = this.#run(intervalMs, look).catch((error: unknown) => {
      this.#failure = { error };
    });
  }

  /** Returns after the last look. @throws Error when a look failed; it was the last one then */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    if (this.#failure !== null) throw new Error('a look failed', { cause: this.#failure.error });
  }

  async #run(intervalMs: number, look: () => Promise<void> | void): Promise<void> {
    while (!this.#stopped) {
      const beganMs = performance.now();
      await look();
      await delay(Math.max(0, intervalMs - (performance.now() - beganMs)));
    }
  }
}
