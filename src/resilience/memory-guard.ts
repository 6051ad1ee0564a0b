/** What is done about memory, decided from how much the process holds.
 *
 *    free ── over the limit ─► relieved (caches are cleared) ── still over ─► full (writes are refused) ── well under ─► free
 *                                   └────────── under again ─► free
 *
 *  Reads are never refused for it. Leaving needs 5 % less than entering, so that it does not swing. Must not know: where memory is read,
 *  what caches there are. */

import { SkeinError } from '../model/errors.js';

export type MemoryState = 'free' | 'relieved' | 'full';

/** Of the limit: below it writes go on. */
const LEAVE_SHARE = 0.95;
/** While it is full, caches are cleared again every so many looks: what was read meanwhile has filled them. */
const RELIEVE_EVERY = 10;

export class MemoryGuard {
  /** Null: there is none. */
  readonly limitBytes: number | null;
  #state: MemoryState = 'free';
  #usedBytes = 0;
  #looksFull = 0;
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

  /** @returns true: clear caches now, and look again soon */
  look(usedBytes: number): boolean {
    this.#usedBytes = usedBytes;
    if (this.limitBytes === null) return false;
    const over = usedBytes > this.limitBytes;
    if (this.#state === 'full') {
      this.#looksFull += 1;
      if (usedBytes <= this.limitBytes * LEAVE_SHARE) this.#state = 'free';
      else if (this.#looksFull % RELIEVE_EVERY === 0) return this.#relieve();
      return false;
    }
    if (!over) {
      this.#state = 'free';
      return false;
    }
    if (this.#state === 'free') {
      this.#state = 'relieved';
      return this.#relieve();
    }
    this.#state = 'full';
    this.#looksFull = 0;
    return false;
  }

  #relieve(): boolean {
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
