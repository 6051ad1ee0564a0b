/** Which documents of a corpus fit a query best: BM25 (Robertson & Zaragoza, The Probabilistic Relevance Framework, 2009, §3).
 *
 *    score = Σ over the query's terms, in its order, of  idf · (k1 + 1) · f / (f + k1 · (1 − b + b · length / mean length)) · times in the query
 *    idf   = ln(1 + (N − n + 0.5) / (n + 0.5))        N documents, n of them have the term, f times in this one
 *
 *  Term after term, into one number for each document; then the best of those that have any. Invariant: a score depends on the live
 *  documents and the query alone, bit for bit: the sums have a fixed order, and what they are made of is counted in integers.
 *  Must not know: texts, how the corpus came to be. */

import { type LabelFilter, passesFilter } from '../model/label-filter.js';
import { BestHits } from './best-hits.js';
import { type Corpus, DEAD } from './corpus.js';
import { FREQUENCY_MAX } from './postings.js';
import type { TextHits } from './text-index.js';

export interface RankingParameters {
  readonly k1: number;
  readonly b: number;
}

/** A word of the query, and how often it stands there. */
export interface QueryTerm {
  readonly word: string;
  readonly times: number;
}

export class Ranking {
  readonly #k1: number;
  readonly #b: number;
  /** By ordinal, 0 between two searches. */
  #sums = new Float64Array(0);
  /** Ordinals whose sum is not 0. */
  #touched = new Uint32Array(0);

  constructor({ k1, b }: RankingParameters) {
    this.#k1 = k1;
    this.#b = b;
  }

  /** Resident bytes. */
  get memoryBytes(): number {
    return this.#sums.length * 12;
  }

  /** @param query each word once  @param limit ≥ 1 */
  search(corpus: Corpus, query: readonly QueryTerm[], limit: number, filter: LabelFilter | undefined): TextHits {
    if (this.#sums.length < corpus.ordinals) {
      this.#sums = new Float64Array(corpus.labels.length);
      this.#touched = new Uint32Array(corpus.labels.length);
    }
    const terms: { term: string; documents: number }[] = [];
    let touched = 0;
    let visited = 0;
    for (const { word, times } of query) {
      const term = corpus.findTerm(word);
      const documents = term === undefined ? 0 : corpus.documents(term);
      terms.push({ term: word, documents });
      if (term === undefined || documents === 0) continue;
      const idf = Math.log1p((corpus.live - documents + 0.5) / (documents + 0.5));
      touched = this.#addTerm(corpus, term, idf * (this.#k1 + 1) * times, touched);
      visited += corpus.postings(term).count;
    }
    const best = new BestHits(Math.min(limit, touched));
    const rejected = this.#collect(corpus, touched, filter, best);
    return { ...best.takeAll(), matched: touched - rejected, visited, rejected, terms };
  }

  /** Adds one term's share to the sums. @returns how many documents have been touched by now */
  #addTerm(corpus: Corpus, term: number, weight: number, touchedBefore: number): number {
    const { ordinals, frequencies, start, count } = corpus.postings(term);
    const { lengths } = corpus;
    const sums = this.#sums;
    const touchedOrdinals = this.#touched;
    const base = this.#k1 * (1 - this.#b);
    const perWord = (this.#k1 * this.#b * corpus.live) / corpus.liveWords;
    let touched = touchedBefore;
    for (let place = start; place < start + count; place++) {
      const ordinal = ordinals[place] as number;
      const length = lengths[ordinal] as number;
      if (length === DEAD) continue;
      let frequency = frequencies[place] as number;
      if (frequency === FREQUENCY_MAX) frequency = corpus.exactFrequency(term, ordinal);
      const sum = sums[ordinal] as number;
      if (sum === 0) touchedOrdinals[touched++] = ordinal;
      sums[ordinal] = sum + (weight * frequency) / (frequency + base + perWord * length);
    }
    return touched;
  }

  /** Offers what passes to `best`, and clears the sums. @returns how many did not pass */
  #collect(corpus: Corpus, touched: number, filter: LabelFilter | undefined, best: BestHits): number {
    const { labels } = corpus;
    const sums = this.#sums;
    const touchedOrdinals = this.#touched;
    let rejected = 0;
    for (let i = 0; i < touched; i++) {
      const ordinal = touchedOrdinals[i] as number;
      const label = labels[ordinal] as number;
      if (filter === undefined || passesFilter(filter, label)) best.offer(sums[ordinal] as number, label);
      else rejected += 1;
      sums[ordinal] = 0;
    }
    return rejected;
  }
}
