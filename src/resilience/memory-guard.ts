/** What is done about memory, decided from how much the process holds.
 *
 *    free ── over the limit ─► relieved (caches are cleared) ── over ─► full (writes are refused) ── well under ─► free
 *                                   └────────── well under ─► free
 *
 *  Reads are never refused for it. Leaving needs 5 % less than entering, so that it does not swing; and caches are cleared every ten seconds
 *  at most, because that stops the process for a moment and makes the next searches slow: who is over again sooner is full.
 *  Must not know: where memory is read, what caches there are. */

import { SkeinError } from '../model/errors.js';

export type MemoryState = 'free' | 'relieved' | 'full';

/** Of the limit: below it writes go on. */
const LEAVE_SHARE = 0.95;
/** Between two reliefs. While it is over they go on: what was read meanwhile has filled the caches. */
const RELIEF_EVERY_MS = 10_000;

export class MemoryGuard {
  /** Null: there is none. */
  readonly limitBytes: number | null;
  #state: MemoryState = 'free';
  #usedBytes = 0;
  #relievedMs = Number.NEGATIVE_INFINITY;
  #reliefs = 0;

  constructor(limitBytes: number | null) {
    this.limitBytes = limitBytes;
  }

  get state(): MemoryState {
    return this.#state;
  }

  /** At the last look. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** How often caches were to be cleared. */
  get reliefs(): number {
    return this.#reliefs;
  }

  /** @param nowMs on a clock that never goes back @returns true: clear caches now, and look again soon */
  look(usedBytes: number, nowMs: number): boolean {
    this.#usedBytes = usedBytes;
    if (this.limitBytes === null) return false;
    if (usedBytes <= this.limitBytes * LEAVE_SHARE) {
      this.#state = 'free';
      return false;
    }
    const over = usedBytes > this.limitBytes;
    if (!over && this.#state !== 'full') return false;
    if (nowMs - this.#relievedMs < RELIEF_EVERY_MS) {
      this.#state = 'full';
      return false;
    }
    if (this.#state !== 'full') this.#state = 'relieved';
    this.#relievedMs = nowMs;
    this.#reliefs += 1;
    return true;
  }

  /** Why nothing more is taken in, or null. */
  refusal(): SkeinError | null {
    if (this.#state !== 'full') return null;
    return new SkeinError('MemoryLimitExceeded', 'The memory limit is reached; nothing was written, reads and deletes go on', {
      used_bytes: this.#usedBytes,
      limit_bytes: this.limitBytes,
    });
  }

  /** @throws MemoryLimitExceeded: nothing was done */
  admitGrowth(): void {
    const refused = this.refusal();
    if (refused !== null) throw refused;
  }
}
