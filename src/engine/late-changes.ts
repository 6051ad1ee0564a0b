/** Rows that changed in place and died, as an index meets them that is not past their death: among the store's live rows, where changes
 *  are looked for, they are no more, and the index still answers with them.
 *
 *  Every death is looked at once, when it first comes into sight: a dead row does not change any more.
 *  Must not know: payloads, the order of the log. */

import type { StoreReads } from '../storage/storage.js';
import { type Death, deathsBetween } from './deaths.js';
import type { IndexedContent } from './indexed-content.js';

export interface LateChange {
  readonly label: number;
  readonly version: number;
}

export class LateChanges {
  readonly #reads: StoreReads;
  readonly #uid: number;
  readonly #content: IndexedContent;
  /** Deaths up to here have been looked at. */
  #throughSeq = 0;
  /** The look that is going on, up to `goalSeq`, and which changes count for it. */
  #look: { readonly deaths: Iterator<Death>; readonly goalSeq: number; readonly afterSeq: number } | null = null;
  #waiting: LateChange[] = [];

  constructor(reads: StoreReads, uid: number, content: IndexedContent) {
    this.#reads = reads;
    this.#uid = uid;
    this.#content = content;
  }

  /** Looks at the deaths up to `goalSeq` that it has not seen, for changes after `afterSeq`, at one at least.
   *  @returns false when time was over before the end */
  look(afterSeq: number, goalSeq: number, until: number): boolean {
    if (!this.goOn(until)) return false;
    const from = Math.max(this.#throughSeq, afterSeq);
    if (from < goalSeq) this.#look = { deaths: deathsBetween(this.#reads, this.#uid, from, goalSeq), goalSeq, afterSeq };
    return this.goOn(until);
  }

  /** Goes on with the look that was begun. @returns false when time was over before its end */
  goOn(until: number): boolean {
    while (this.#look !== null) {
      const { deaths, goalSeq, afterSeq } = this.#look;
      const { value, done } = deaths.next();
      if (done === true) {
        this.#throughSeq = goalSeq;
        this.#look = null;
      } else {
        this.#meet(value.label, afterSeq);
        if (performance.now() >= until) return false;
      }
    }
    return true;
  }

  /** What is not inside yet comes in as it was last. */
  #meet(label: number, afterSeq: number): void {
    const row = this.#content.has(label) ? this.#reads.headByLabel(this.#uid, label) : undefined;
    if (row !== undefined && row.version > afterSeq && row.version > row.labelSeq)
      this.#waiting.push({ label, version: row.version });
  }

  /** Takes out all of them, also those beyond a page: a later change may stand where an earlier one stood. */
  take(): LateChange[] {
    const taken = this.#waiting.sort((a, b) => a.version - b.version);
    this.#waiting = [];
    return taken;
  }
}
