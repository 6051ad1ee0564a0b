/** Reads everything that has a checksum once in a while, slowly: a page, a pause that the pace asks for, the next page.
 *
 *    (start or pause) ─► pass ─► pause …      a pass that is cut off (the store was exchanged, reads fail) begins anew and says so
 *
 *  After a quick start the first pass comes at once and without pauses. Must not know: what is done about damage. */

import type { RunningEngine, ScrubPlace, StoreCare } from '../../engine/engine.js';
import type { Clock } from '../../model/clock.js';
import type { Damage } from '../../model/damage.js';
import { SkeinError } from '../../model/errors.js';
import type { Log } from '../../model/log.js';
import { logOperation } from '../../model/log-operation.js';
import type { ScrubStatus } from '../../model/recovery.js';

export interface ScrubSettings {
  readonly bytesPerS: number;
  /** From the end of a pass to the beginning of the next; 0: none. */
  readonly intervalMs: number;
}

export interface ScrubberParts {
  /** Null while no store is open. */
  engine(): RunningEngine | null;
  readonly settings: ScrubSettings;
  readonly clock: Clock;
  readonly log: Log;
  found(damage: Damage): void;
  /** Every row was read. @param startedAtMs when the pass began, of the monotonic clock */
  passed(startedAtMs: number): void;
  /** Resolves after so long, or when the signal ends it. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What a pause waits at most before it looks whether a pass is wanted. */
const LOOK_MS = 1_000;
const AFTER_FAILURE_MS = 60_000;
const BUSY_MS = 1_000;
/** A pass that was asked for comes no sooner behind the last one. */
const ASKED_PAUSE_MS = 600_000;

export class Scrubber {
  readonly #parts: ScrubberParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | null = null;
  #inPass = false;
  #unchecked = false;
  #wanted = false;
  #cutOff = false;
  /** A pass came to its end. */
  #passed = false;
  #endedAtMs: number | null = null;
  #rowsTotal = 0;
  #bytesTotal = 0;
  #lastCompletedAtMs: number | null = null;

  constructor(parts: ScrubberParts) {
    this.#parts = parts;
  }

  /** @param atOnce begins with a pass without pauses: not every row is known to be whole */
  start(atOnce: boolean): void {
    this.#unchecked = atOnce;
    if (!atOnce) this.#lastCompletedAtMs = this.#parts.clock.wallMs();
    this.#endedAtMs = this.#parts.clock.monotonicMs();
    if (atOnce || this.#parts.settings.intervalMs > 0) this.#running = this.#loop(atOnce);
  }

  /** A pass is wanted soon, whatever the interval. */
  request(): void {
    this.#wanted = true;
    if (this.#running === null && !this.#stopping.signal.aborted) this.#running = this.#loop(false);
  }

  status(): ScrubStatus {
    return {
      on: this.#parts.settings.intervalMs > 0,
      running: this.#inPass,
      rowsTotal: this.#rowsTotal,
      bytesTotal: this.#bytesTotal,
      lastCompletedAtMs: this.#lastCompletedAtMs,
    };
  }

  get concern(): string | null {
    return this.#unchecked ? 'not every row was read or found whole at the start; all are being read in the background' : null;
  }

  async #loop(atOnce: boolean): Promise<void> {
    const { signal } = this.#stopping;
    let isHurried = atOnce;
    while (!signal.aborted) {
      if (!isHurried && !this.#isDue()) {
        if (this.#parts.settings.intervalMs === 0 && !this.#wanted) break;
        await this.#parts.sleep(LOOK_MS, signal);
        continue;
      }
      this.#wanted = false;
      const isWhole = await this.#pass(isHurried);
      this.#endedAtMs = this.#parts.clock.monotonicMs();
      this.#cutOff = !isWhole;
      if (isWhole) isHurried = false;
      else await this.#parts.sleep(AFTER_FAILURE_MS, signal);
    }
    this.#running = null;
  }

  #isDue(): boolean {
    const { settings, clock } = this.#parts;
    const pauseMs = clock.monotonicMs() - (this.#endedAtMs ?? 0);
    if (this.#cutOff || (this.#wanted && (!this.#passed || pauseMs >= ASKED_PAUSE_MS))) return true;
    return settings.intervalMs > 0 && pauseMs >= settings.intervalMs;
  }

  /** @returns false when it was cut off */
  async #pass(isHurried: boolean): Promise<boolean> {
    const { log, clock } = this.#parts;
    const startedAtMs = clock.monotonicMs();
    this.#inPass = true;
    try {
      return await logOperation({ log, clock, name: 'scrub' }, async (scope) => {
        const read = { rows: 0, bytes: 0, damaged: 0 };
        await this.#readAll(isHurried, read);
        scope.add(read);
        this.#unchecked = false;
        this.#passed = true;
        this.#lastCompletedAtMs = clock.wallMs();
        this.#parts.passed(startedAtMs);
        return true;
      });
    } catch {
      // The scope has logged why.
      return false;
    } finally {
      this.#inPass = false;
    }
  }

  async #readAll(isHurried: boolean, read: { rows: number; bytes: number; damaged: number }): Promise<void> {
    const engine = this.#parts.engine();
    if (engine === null) throw new Error('no store is open');
    for (const start of engine.care.places()) {
      for (let place: ScrubPlace | null = start; place !== null; ) {
        if (this.#parts.engine() !== engine) throw new Error('the store was exchanged; the pass begins anew');
        const page: Awaited<ReturnType<StoreCare['scrub']>> = await this.#page(engine.care, place);
        for (const damage of page.damage) this.#parts.found(damage);
        read.rows += page.rows;
        read.bytes += page.bytes;
        read.damaged += page.damage.length;
        this.#rowsTotal += page.rows;
        this.#bytesTotal += page.bytes;
        if (!isHurried) await this.#pause(page.bytes);
        place = page.next;
      }
    }
  }

  /** While many scans wait, it waits too. */
  async #page(care: StoreCare, place: ScrubPlace): Promise<Awaited<ReturnType<StoreCare['scrub']>>> {
    for (;;) {
      this.#stopping.signal.throwIfAborted();
      try {
        return await care.scrub(place);
      } catch (error) {
        if (!(error instanceof SkeinError) || error.type !== 'Overloaded') throw error;
        await this.#parts.sleep(BUSY_MS, this.#stopping.signal);
      }
    }
  }

  async #pause(bytes: number): Promise<void> {
    const { sleep, settings } = this.#parts;
    const pauseMs = (bytes / settings.bytesPerS) * 1_000;
    if (pauseMs >= 1) await sleep(pauseMs, this.#stopping.signal);
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }
}
