/** A corpus that is left for a fresh one once most of it is dead.
 *
 *    serving ─ more dead than alive ─► serving, and the next one takes the live documents over, slice by slice ─ all over ─► the next serves
 *
 *  Ordinals, bytes and words of dead documents are given back that way. Invariant: at any moment one corpus has every live document, and
 *  it alone answers; what is removed meanwhile is taken out of the next one too, and what is new comes to it in its turn.
 *  Must not know: texts, how documents are ranked. */

import { Corpus } from './corpus.js';
import { noTerms, pushTerm, type TermCounts } from './document-bytes.js';

interface Renewal {
  readonly corpus: Corpus;
  /** The next ordinal of the serving corpus that is to be moved. */
  ordinal: number;
  /** By term of the serving corpus: that of the next one, + 1. */
  termOf: Uint32Array;
}

export class RenewingCorpus {
  readonly #deadMin: number;
  readonly #moved = noTerms();
  #corpus: Corpus;
  #next: Renewal | null = null;
  #renewals = 0;
  #moves = 0;

  /** @param deadMin with fewer dead documents than this, and any live one, no renewal begins */
  constructor(corpus: Corpus, deadMin: number) {
    this.#corpus = corpus;
    this.#deadMin = deadMin;
  }

  /** The one that answers. */
  get corpus(): Corpus {
    return this.#corpus;
  }

  /** Texts that are dead and still take room. */
  get dead(): number {
    return this.#corpus.ordinals - this.#corpus.live;
  }

  /** Texts still to be looked at while there is a renewal, else 0. */
  get renewing(): number {
    return this.#next === null ? 0 : this.#corpus.ordinals - this.#next.ordinal;
  }

  /** Renewals that ended. */
  get renewals(): number {
    return this.#renewals;
  }

  /** Documents that renewals moved. */
  get moves(): number {
    return this.#moves;
  }

  /** Resident bytes, estimated. */
  get memoryBytes(): number {
    const next = this.#next;
    return this.#corpus.memoryBytes + (next === null ? 0 : next.corpus.memoryBytes + next.termOf.length * 4);
  }

  /** As Corpus.put(). The text that a label has now has a new ordinal, which a renewal reaches later, and puts in place of the old one. */
  put(label: number, document: TermCounts): boolean {
    return this.#corpus.put(label, document);
  }

  /** A label that is not inside is ignored. */
  remove(label: number): void {
    this.#corpus.remove(label);
    this.#next?.corpus.remove(label);
  }

  /** Moves one document, or compacts one list. @returns false when there is nothing to do */
  step(): boolean {
    if (this.#next === null && !this.#isDue()) return this.#corpus.compactOne();
    this.#next ??= { corpus: new Corpus(), ordinal: 0, termOf: new Uint32Array(0) };
    const next = this.#next;
    if (next.ordinal < this.#corpus.ordinals) this.#move(next, next.ordinal++);
    else {
      this.#corpus = next.corpus;
      this.#next = null;
      this.#renewals += 1;
    }
    return true;
  }

  #isDue(): boolean {
    const { live } = this.#corpus;
    return this.dead > live && (live === 0 || this.dead >= this.#deadMin);
  }

  #move(next: Renewal, ordinal: number): void {
    const document = this.#corpus.document(ordinal);
    if (document === null) return;
    if (next.termOf.length < this.#corpus.terms) {
      const longer = new Uint32Array(this.#corpus.terms * 2);
      longer.set(next.termOf);
      next.termOf = longer;
    }
    this.#moved.size = 0;
    const { terms, counts, size } = document.terms;
    for (let i = 0; i < size; i++) {
      const term = terms[i] as number;
      let moved = next.termOf[term] as number;
      if (moved === 0) {
        moved = next.corpus.termOf(this.#corpus.word(term)) + 1;
        next.termOf[term] = moved;
      }
      pushTerm(this.#moved, moved - 1, counts[i] as number);
    }
    next.corpus.put(document.label, this.#moved);
    this.#moves += 1;
  }
}
