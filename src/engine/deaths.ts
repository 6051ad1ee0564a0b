/** Rows that died between two seqs, read a page at a time. Must not know: who asks. */

import type { StoreReads } from '../storage/storage.js';

const DEATHS_AT_ONCE = 4_096;

export interface Death {
  readonly label: number;
  readonly deadSeq: number;
}

/** In the order of their seqs. A full page may stop in the middle of a seq: that one is left to the next page. */
export function* deathsBetween(reads: StoreReads, uid: number, afterSeq: number, throughSeq: number): Generator<Death> {
  for (let after = afterSeq, limit = DEATHS_AT_ONCE; after < throughSeq; ) {
    const deaths = reads.deadBetween(uid, after, throughSeq, limit);
    const last = deaths.at(-1)?.deadSeq ?? throughSeq;
    const whole = deaths.length < limit ? deaths : deaths.filter(({ deadSeq }) => deadSeq < last);
    if (whole.length === 0 && deaths.length > 0) {
      // All of the page is one seq, and it may have more.
      limit *= 4;
      continue;
    }
    yield* whole;
    after = deaths.length < limit ? throughSeq : last - 1;
    limit = DEATHS_AT_ONCE;
  }
}
