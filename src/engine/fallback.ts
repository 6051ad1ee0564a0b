/** Whether hybrid searches are answered by less than both engines at the moment: set by the first that was, cleared by the next whole one.
 *  Must not know: engines, requests. */

import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';

export interface FallbackStatus {
  readonly active: boolean;
  /** When it became active, in milliseconds since 1970; null while it is not. */
  readonly sinceMs: number | null;
  /** Searches that were answered by less, since the start. */
  readonly count: number;
}

export class Fallback {
  readonly #clock: Clock;
  readonly #log: Log;
  #sinceMs: number | null = null;
  #count = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get status(): FallbackStatus {
    return { active: this.#sinceMs !== null, sinceMs: this.#sinceMs, count: this.#count };
  }

  /** A hybrid search was answered by one engine. @param reason why the other did not */
  degraded(mode: string, reason: string): void {
    this.#count += 1;
    if (this.#sinceMs !== null) return;
    this.#sinceMs = this.#clock.wallMs();
    this.#log.warn('search_fallback_begins', { mode, reason });
  }

  /** A hybrid search was answered by both. */
  whole(): void {
    if (this.#sinceMs === null) return;
    this.#log.info('search_fallback_ends', { lastedMs: this.#clock.wallMs() - this.#sinceMs, count: this.#count });
    this.#sinceMs = null;
  }
}
