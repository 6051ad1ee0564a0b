/** Whether hybrid searches are answered by less than both engines at the moment: set by the first that was, cleared by the next whole one, by
 *  any answer of the engine that was missing, and when there was none for a minute. Must not know: engines, requests. */

import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { EngineKind } from './index-messages.js';

export interface FallbackStatus {
  readonly active: boolean;
  /** When it became active, in milliseconds since 1970; null while it is not. */
  readonly sinceMs: number | null;
  /** Searches that were answered by less, since the start. */
  readonly count: number;
}

/** What was longer ago says nothing of now. */
const FRESH_MS = 60_000;

interface Spell {
  readonly missing: EngineKind;
  readonly sinceMs: number;
  /** Monotonic time of the newest search that was answered by less. */
  newestMs: number;
}

export class Fallback {
  readonly #clock: Clock;
  readonly #log: Log;
  #spell: Spell | null = null;
  #count = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  get status(): FallbackStatus {
    this.#forgetOld();
    return { active: this.#spell !== null, sinceMs: this.#spell?.sinceMs ?? null, count: this.#count };
  }

  /** A hybrid search was answered by one engine. @param reason why the other did not */
  degraded(missing: EngineKind, reason: string): void {
    this.#forgetOld();
    this.#count += 1;
    const newestMs = this.#clock.monotonicMs();
    if (this.#spell === null) {
      this.#spell = { missing, sinceMs: this.#clock.wallMs(), newestMs };
      this.#log.warn('search_fallback_begins', { missing, reason });
    }
    this.#spell.newestMs = newestMs;
  }

  /** An engine answered. */
  answered(engine: EngineKind): void {
    if (this.#spell?.missing === engine) this.#end(this.#spell);
  }

  #forgetOld(): void {
    const spell = this.#spell;
    if (spell !== null && this.#clock.monotonicMs() - spell.newestMs > FRESH_MS) this.#end(spell);
  }

  #end({ sinceMs }: Spell): void {
    this.#log.info('search_fallback_ends', { lastedMs: this.#clock.wallMs() - sinceMs, count: this.#count });
    this.#spell = null;
  }
}
