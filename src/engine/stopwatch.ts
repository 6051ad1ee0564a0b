/** How long each step of a search took. Must not know: what the steps are. */

import type { Step } from './index-asks.js';

export class Stopwatch {
  readonly steps: Step[] = [];
  #beganMs = performance.now();

  /** What was done until now is measured elsewhere. */
  restart(): void {
    this.#beganMs = performance.now();
  }

  /** Ends a step; the next one begins. */
  step(name: string): void {
    const nowMs = performance.now();
    this.steps.push({ name, tookMs: nowMs - this.#beganMs });
    this.#beganMs = nowMs;
  }
}
