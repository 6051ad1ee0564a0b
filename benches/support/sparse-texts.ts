/** Real texts as sparse vectors: an index for each word, 1 + ln(how often it occurs) as its value; weighting by idf is the search's.
 *
 *  There are 1,398 abstracts. More documents are these again, each time with a tenth of the words left out and a tenth exchanged for words of
 *  another abstract, so that words occur as often as in real texts and no two documents are equal.
 *  Invariant: the same count gives the same documents. */

import type { SparseVector } from '../../src/model/point.js';
import { Random } from '../../tests/support/random.js';
import { readCranfield } from './cranfield.js';

const LEFT_OUT = 0.1;
const EXCHANGED = 0.1;
const SEED = 11;

export class SparseTexts {
  readonly #documents: readonly (readonly string[])[];
  readonly #indexOf = new Map<string, number>();
  /** Of the real questions, as words. */
  readonly #questions: readonly (readonly string[])[];

  /** @param folder of real data, which has Cranfield */
  constructor(folder: string) {
    const { documents, queries } = readCranfield(folder);
    this.#documents = documents.map(({ title, text }) => wordsOf(`${title} ${text}`));
    this.#questions = queries.map(({ text }) => wordsOf(text));
    for (const words of this.#documents)
      for (const word of words) if (!this.#indexOf.has(word)) this.#indexOf.set(word, this.#indexOf.size);
  }

  /** Abstracts as they are. */
  get realCount(): number {
    return this.#documents.length;
  }

  /** Indices are 0 … words − 1. */
  get words(): number {
    return this.#indexOf.size;
  }

  *documents(count: number): Generator<SparseVector> {
    const random = new Random(SEED);
    for (let i = 0; i < count; i += 1) {
      const words = this.#documentAt(i);
      yield this.#vectorOf(i < this.#documents.length ? words : this.#changed(words, random));
    }
  }

  /** A word that no abstract has is passed over. @param common so many of the most frequent words are left out */
  questions(common: number): SparseVector[] {
    const left = new Set(this.#mostCommon(common));
    const all = this.#questions.map((words) => this.#vectorOf(words.filter((word) => !left.has(word))));
    return all.filter(({ indices }) => indices.length > 0);
  }

  #documentAt(i: number): readonly string[] {
    return this.#documents[i % this.#documents.length] as readonly string[];
  }

  #changed(words: readonly string[], random: Random): string[] {
    const other = this.#documentAt(random.integer(0, this.#documents.length - 1));
    return words.flatMap((word) => {
      const draw = random.unit();
      if (draw < LEFT_OUT || other.length === 0) return [];
      return [draw < LEFT_OUT + EXCHANGED ? (other[random.integer(0, other.length - 1)] as string) : word];
    });
  }

  #mostCommon(count: number): string[] {
    const documents = new Map<string, number>();
    for (const words of this.#documents) for (const word of new Set(words)) documents.set(word, (documents.get(word) ?? 0) + 1);
    return [...documents]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([word]) => word);
  }

  #vectorOf(words: readonly string[]): SparseVector {
    const counts = new Map<number, number>();
    for (const word of words) {
      const index = this.#indexOf.get(word);
      if (index !== undefined) counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    const indices = Uint32Array.from(counts.keys()).sort();
    return { kind: 'sparse', indices, values: Float32Array.from(indices, (index) => 1 + Math.log(counts.get(index) as number)) };
  }
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}
