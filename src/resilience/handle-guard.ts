/** File handles as a budget: how many are open, how many there may be, and who may still open some.
 *
 *  A part of the limit is kept for what must go on: the store, checkpoints, links of replication, connections that are there. Who opens
 *  handles in numbers asks first (`acquire`) and gives back what he was granted; a grant counts from the moment it is given, because the
 *  next look at the process comes later. Must not know: where handles are counted, sockets. */

import { SkeinError } from '../model/errors.js';

export interface HandleReading {
  readonly open: number;
  /** The soft limit of the process. */
  readonly limit: number;
}

/** What others must leave: this share of the limit, within these bounds. */
const RESERVE_SHARE = 0.05;
const RESERVE_MIN = 8;
const RESERVE_MAX = 256;

export class HandleGuard {
  /** Null: only the limit of the process; 'off': nothing is refused. */
  readonly #limitMax: number | null | 'off';
  #open = 0;
  #limit = Number.POSITIVE_INFINITY;
  /** Granted since the last look, and not seen in it. */
  #granted = 0;

  constructor(limitMax: number | null | 'off') {
    this.#limitMax = limitMax;
  }

  get open(): number {
    return this.#open;
  }

  /** Infinite until the first look, and where it cannot be read. */
  get limit(): number {
    return this.#limit;
  }

  /** @param reading 'exhausted': none is left, however many there may be */
  look(reading: HandleReading | 'exhausted'): void {
    this.#granted = 0;
    if (reading === 'exhausted') {
      this.#open = Number.isFinite(this.#limit) ? this.#limit : this.#open;
      return;
    }
    this.#open = reading.open;
    this.#limit = typeof this.#limitMax === 'number' ? Math.min(this.#limitMax, reading.limit) : reading.limit;
  }

  /** Handles that may be opened before the reserve is touched; negative when it is. */
  get left(): number {
    if (this.#limitMax === 'off') return Number.POSITIVE_INFINITY;
    const reserve = Math.min(RESERVE_MAX, Math.max(RESERVE_MIN, this.#limit * RESERVE_SHARE));
    return this.#limit - this.#open - this.#granted - reserve;
  }

  get isShort(): boolean {
    return this.left <= 0;
  }

  /** Counts what is about to be opened. @returns how to give it back when it was not, or is closed again
   *  @throws Overloaded (handles): nothing was done */
  acquire(count: number): () => void {
    if (count > this.left) throw tooManyOpenFiles();
    this.#granted += count;
    let held = true;
    return () => {
      if (held) this.#granted = Math.max(0, this.#granted - count);
      held = false;
    };
  }
}

export function tooManyOpenFiles(): SkeinError {
  return new SkeinError('Overloaded', 'Too many files and connections are open; nothing was done', { reason: 'handles' });
}
