/** From terms (texts, or small numbers) to the labels that have them, and back.
 *
 *    ids: term → number      terms[number] · postings[number]      forward: label → numbers of its terms
 *
 *  Numbers of terms that no label has any more are given out again. Must not know: which field, what a term means. */

import type { Bitmap } from './bitmap.js';
import { bytesOf } from './bitmap.js';
import { exceptSource } from './except-source.js';
import { ForwardValues } from './forward-values.js';
import { cardinality, HeldLabels, type LabelSource, MadeOnDemand, NO_LABELS } from './label-source.js';
import { gatherPostings, type Posting, postingSize, postingWith, postingWithout } from './postings.js';

/** Entry of the map, places in the lists, the head of the term. */
const TERM_BYTES = 100;
const LIST_BYTES = 64;

export class TermIndex<Term extends string | number> {
  readonly #ids = new Map<Term, number>();
  readonly #terms: (Term | undefined)[] = [];
  readonly #postings: (Posting | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #forward = new ForwardValues();
  #textBytes = 0;

  /** @param label not inside  @param terms each once; none: nothing is kept */
  put(label: number, terms: readonly Term[]): void {
    if (terms.length === 0) return;
    const ids = terms.map((term) => this.#idOf(term));
    for (const id of ids) this.#postings[id] = postingWith(this.#postings[id], label);
    this.#forward.put(label, ids);
  }

  /** A label that is not inside is passed over. */
  remove(label: number): void {
    for (const id of this.#forward.take(label)) {
      const posting = postingWithout(this.#postings[id] as Posting, label);
      this.#postings[id] = posting;
      if (posting === undefined) this.#forget(id);
    }
  }

  /** Labels with any of these terms, each given once. */
  source(terms: readonly Term[]): LabelSource {
    const ids = terms.map((term) => this.#ids.get(term)).filter((id) => id !== undefined);
    const postings = ids.map((id) => this.#postings[id] as Posting);
    const [only] = postings;
    if (only === undefined) return NO_LABELS;
    if (postings.length === 1 && typeof only === 'object' && !Array.isArray(only)) return new HeldLabels(only);
    const wanted = new Set(ids);
    return new MadeOnDemand({
      size: () => {
        const sizes = postings.map(postingSize);
        const sum = sizes.reduce((total, size) => total + size, 0);
        const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
        // A label with one term is in one posting.
        const least = this.#forward.several.size === 0 ? sum : largest;
        return cardinality(least, sum, sum);
      },
      gather: () => gatherPostings(postings),
      holds: (label) => this.#forward.some(label, (id) => wanted.has(id)),
    });
  }

  /** Labels with any term that passes. Cost: one step a term. */
  sourceWhere(passes: (term: Term) => boolean): LabelSource {
    return this.source([...this.#ids.keys()].filter(passes));
  }

  /** Labels with a term that is none of these. @param holding all labels with a term */
  sourceExcept(terms: readonly Term[], holding: Bitmap): LabelSource {
    const named = new Set(terms.map((term) => this.#ids.get(term)));
    return exceptSource({ holding, named: this.source(terms), forward: this.#forward, isOther: (id) => !named.has(id) });
  }

  /** All terms that some label has, in no order. */
  terms(): IterableIterator<Term> {
    return this.#ids.keys();
  }

  /** Calls back with each term and how many labels have it. Cost: one step a term. */
  visitCounts(look: (term: Term, count: number) => void): void {
    for (const [term, id] of this.#ids) look(term, postingSize(this.#postings[id] as Posting));
  }

  /** The same of some labels only. Cost: one step a label. */
  visitCountsAmong(labels: Uint32Array, look: (term: Term, count: number) => void): void {
    const counts = new Map<number, number>();
    const addOne = (id: number): boolean => {
      counts.set(id, (counts.get(id) ?? 0) + 1);
      return false;
    };
    for (const label of labels) this.#forward.some(label, addOne);
    for (const [id, count] of counts) look(this.#terms[id] as Term, count);
  }

  /** Cost: one step a term. */
  get memoryBytes(): number {
    let bytes = this.#forward.memoryBytes + this.#textBytes + this.#ids.size * TERM_BYTES;
    for (const posting of this.#postings) {
      if (Array.isArray(posting)) bytes += LIST_BYTES + posting.length * 8;
      else if (typeof posting === 'object') bytes += bytesOf(posting);
    }
    return bytes;
  }

  #idOf(term: Term): number {
    let id = this.#ids.get(term);
    if (id !== undefined) return id;
    id = this.#free.pop() ?? this.#terms.length;
    this.#ids.set(term, id);
    this.#terms[id] = term;
    this.#textBytes += typeof term === 'string' ? term.length : 8;
    return id;
  }

  #forget(id: number): void {
    const term = this.#terms[id] as Term;
    this.#ids.delete(term);
    this.#terms[id] = undefined;
    this.#free.push(id);
    this.#textBytes -= typeof term === 'string' ? term.length : 8;
  }
}
