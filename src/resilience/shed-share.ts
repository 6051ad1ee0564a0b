/** Which share of new work is refused because the event loop runs late, and which of the requests that is.
 *
 *  The share grows while the loop is late for two looks in a row and shrinks as soon as it is well in time, step by step: refusing all or
 *  nothing would swing. Refusals are spread evenly, so that the same share of any row of requests is refused.
 *  Must not know: clocks, requests. */

export interface ShedRules {
  /** The loop is late above this; 0: nothing is ever refused. */
  readonly delayMaxMs: number;
}

/** Milliseconds between two looks at the loop. */
export const LOOK_MS = 250;
/** Looks in a row: one stall, however long, is over when it is seen. */
const LATE_LOOKS = 2;
const SHARE_MAX = 0.95;
/** Of what is still taken. */
const GROWTH = 0.25;
const SHRINK = 0.25;
const SHRINK_MIN = 0.05;

export class ShedShare {
  readonly #rules: ShedRules;
  #lateLooks = 0;
  #share = 0;
  /** What of a request is owed to the share; at 1 one is refused. */
  #owed = 0;

  constructor(rules: ShedRules) {
    this.#rules = rules;
  }

  /** 0 … 0.95 */
  get share(): number {
    return this.#share;
  }

  /** @param delayMs how late the loop ran since the last look, in the middle */
  look(delayMs: number): void {
    const { delayMaxMs } = this.#rules;
    if (delayMaxMs === 0) return;
    this.#lateLooks = delayMs > delayMaxMs ? this.#lateLooks + 1 : 0;
    if (this.#lateLooks >= LATE_LOOKS) this.#share = Math.min(SHARE_MAX, this.#share + (1 - this.#share) * GROWTH);
    else if (delayMs < delayMaxMs / 2) this.#share = Math.max(0, this.#share - Math.max(SHRINK_MIN, this.#share * SHRINK));
    if (this.#share === 0) this.#owed = 0;
  }

  /** Is the next request refused? */
  next(): boolean {
    if (this.#share === 0) return false;
    this.#owed += this.#share;
    if (this.#owed < 1) return false;
    this.#owed -= 1;
    return true;
  }
}
