/** Rows that died between two seqs, read a page at a time. Must not know: who asks. */

import type { StoreReads } from '../storage/storage.js';

const DEATHS_AT_ONCE = 4_096;

export interface Death {
  readonly label: number;
  readonly deadSeq: number;
}

/** Every death from behind the page before up to throughSeq, in the order of their seqs. */
export interface DeathsPage {
  readonly deaths: readonly Death[];
  readonly throughSeq: number;
}

/** Whole seqs only, however many died at one: a full page may stop in the middle of a seq, which is left to the next one. */
export function deathsPage(reads: StoreReads, uid: number, afterSeq: number, throughSeq: number): DeathsPage {
  for (let limit = DEATHS_AT_ONCE; ; limit *= 4) {
    const deaths = reads.deadBetween(uid, afterSeq, throughSeq, limit);
    const last = deaths.at(-1);
    if (last === undefined || deaths.length < limit) return { deaths, throughSeq };
    const whole = deaths.filter(({ deadSeq }) => deadSeq < last.deadSeq);
    if (whole.length > 0) return { deaths: whole, throughSeq: last.deadSeq - 1 };
  }
}

export function* deathsBetween(reads: StoreReads, uid: number, afterSeq: number, throughSeq: number): Generator<Death> {
  for (let after = afterSeq; after < throughSeq; ) {
    const page = deathsPage(reads, uid, after, throughSeq);
    yield* page.deaths;
    after = page.throughSeq;
  }
}
