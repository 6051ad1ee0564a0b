/** What a quick check at the start left out: every row is read in the background, and what is found is said.
 *  Must not know: HTTP, how rows are read. */

import type { Engine } from '../engine/engine.js';
import { systemClock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import { logOperation } from '../model/log-operation.js';

export class Scrubbing {
  readonly #log: Log;
  readonly #stopping: () => boolean;
  #concern: string | null = null;

  constructor(log: Log, stopping: () => boolean) {
    this.#log = log;
    this.#stopping = stopping;
  }

  /** What there is to say of the store, or null. */
  get concern(): string | null {
    return this.#concern;
  }

  async run(engine: Engine): Promise<void> {
    this.#concern = 'the start checked the store quickly; every row is being read in the background';
    try {
      await logOperation({ log: this.#log, clock: systemClock, name: 'scrub' }, async (scope) => {
        const { rows, damaged } = await engine.scrub();
        this.#concern =
          damaged.length === 0 ? null : `${damaged.length} damaged rows were found in the store; they are in the log`;
        for (const record of damaged) this.#log.error('damaged_row', { ...record.details, message: record.message });
        scope.add({ rows, damaged: damaged.length });
      });
    } catch {
      // The scope has logged why.
      if (!this.#stopping()) this.#concern = 'the store was not checked to its end; the reason is in the log';
    }
  }
}
