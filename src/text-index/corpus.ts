/** Documents under their labels, and for every term the documents that have it.
 *
 *    ordinal   the number of a text in this corpus: 0, 1, 2, … as they come; a changed text has a new one, and its old one is dead
 *    term      the number of a word in this corpus, by the vocabulary
 *
 *  Invariant: live, worded, liveWords and documents(term) count live documents only. Vocabulary, bytes and ordinals only ever grow; a corpus in
 *  which most is dead is left for a fresh one (renewing-corpus.ts).
 *  Must not know: texts, how documents are ranked, files. */

import { DocumentBytes, DocumentEncoder, decodeDocument, noTerms, type TermCounts } from './document-bytes.js';
import { LabelOrdinals } from './label-ordinals.js';
import { FREQUENCY_MAX, type PostingList, Postings } from './postings.js';

/** In place of the length of a document that is dead. */
export const DEAD = 0xffff_ffff;

/** About so much are a string of a word, its place in the vocabulary, and its entry there. */
const VOCABULARY_ENTRY_BYTES = 100;

/** What a corpus held at one moment; it stays true while the corpus goes on changing. */
export interface CorpusSnapshot {
  readonly documents: number;
  /** The vocabulary: terms in the order of their numbers. */
  readonly terms: readonly string[];
  /** The labels and terms of the live documents, in the order in which they came; bytes as document-bytes.ts has them. */
  entries(): Iterable<{ readonly label: number; readonly bytes: Uint8Array }>;
}

export class Corpus {
  readonly #termOf = new Map<string, number>();
  readonly #words: string[] = [];
  readonly #postings = new Postings();
  readonly #bytes = new DocumentBytes();
  readonly #encoder = new DocumentEncoder();
  readonly #ordinalOf = new LabelOrdinals();
  readonly #decoded = noTerms();
  /** Terms whose lists have become crowded; some may not be any more. */
  #crowded: number[] = [];

  /** By ordinal. */
  #labels = new Uint32Array(64);
  #lengths = new Uint32Array(64).fill(DEAD);
  #addresses = new Float64Array(64);
  #ordinals = 0;
  #liveWords = 0;
  #worded = 0;

  /** Live documents. */
  get live(): number {
    return this.#ordinalOf.size;
  }

  /** Live documents with a word. */
  get worded(): number {
    return this.#worded;
  }

  /** Words of all live documents. */
  get liveWords(): number {
    return this.#liveWords;
  }

  /** Texts that were added, dead ones included. */
  get ordinals(): number {
    return this.#ordinals;
  }

  get terms(): number {
    return this.#words.length;
  }

  /** Resident bytes, estimated. */
  get memoryBytes(): number {
    const byOrdinal = this.#labels.length * 16;
    const parts = this.#postings.memoryBytes + this.#bytes.memoryBytes + this.#ordinalOf.memoryBytes;
    return parts + byOrdinal + this.#words.length * VOCABULARY_ENTRY_BYTES;
  }

  /** By ordinal; longer than there are ordinals. */
  get labels(): Uint32Array {
    return this.#labels;
  }

  /** Words by ordinal, DEAD for a dead one; longer than there are ordinals. */
  get lengths(): Uint32Array {
    return this.#lengths;
  }

  has(label: number): boolean {
    return this.#ordinalOf.get(label) >= 0;
  }

  liveLabels(): Uint32Array {
    return this.#ordinalOf.labels();
  }

  /** The number of a word that some document had, dead or alive. */
  findTerm(word: string): number | undefined {
    return this.#termOf.get(word);
  }

  /** The number of a word, new or not. */
  termOf(word: string): number {
    const known = this.#termOf.get(word);
    if (known !== undefined) return known;
    const term = this.#postings.addTerm();
    this.#termOf.set(word, term);
    this.#words.push(word);
    return term;
  }

  word(term: number): string {
    return this.#words[term] ?? '';
  }

  /** Live documents that have the term. */
  documents(term: number): number {
    return this.#postings.documents(term);
  }

  postings(term: number): PostingList {
    return this.#postings.list(term);
  }

  /** How often a term stands in a text, where the postings say FREQUENCY_MAX. */
  exactFrequency(term: number, ordinal: number): number {
    const { terms, counts, size } = this.#read(ordinal);
    for (let i = 0; i < size; i++) if (terms[i] === term) return counts[i] as number;
    return FREQUENCY_MAX;
  }

  /** Adds the text of a label that is not inside, or gives one that is inside another.
   *  @param document each term once, numbers from termOf()  @returns false when the label has that text already */
  put(label: number, document: TermCounts): boolean {
    const bytes = this.#encoder.encode(document);
    const before = this.#ordinalOf.get(label);
    if (before >= 0) {
      if (startsWith(this.#bytes.from(this.#addresses[before] as number), bytes)) return false;
      this.#bury(before);
    }
    const ordinal = this.#nextOrdinal();
    let length = 0;
    for (let i = 0; i < document.size; i++) {
      const count = document.counts[i] as number;
      this.#postings.append(document.terms[i] as number, ordinal, count);
      length += count;
    }
    this.#labels[ordinal] = label;
    this.#lengths[ordinal] = length;
    this.#addresses[ordinal] = this.#bytes.append(bytes);
    this.#liveWords += length;
    if (length > 0) this.#worded += 1;
    this.#ordinalOf.set(label, ordinal);
    return true;
  }

  /** A label that is not inside is ignored. */
  remove(label: number): void {
    const ordinal = this.#ordinalOf.get(label);
    if (ordinal < 0) return;
    this.#bury(ordinal);
    this.#ordinalOf.delete(label);
  }

  /** Writes one crowded list anew. @returns false when there is none */
  compactOne(): boolean {
    const term = this.#crowded.pop();
    if (term === undefined) return false;
    if (this.#postings.crowded(term)) this.#postings.compact(term, (ordinal) => this.#lengths[ordinal] !== DEAD);
    return true;
  }

  /** The label and terms of a text, or null: it is dead. @returns terms that are valid until the next call */
  document(ordinal: number): { readonly label: number; readonly terms: TermCounts } | null {
    if (this.#lengths[ordinal] === DEAD) return null;
    return { label: this.#labels[ordinal] as number, terms: this.#read(ordinal) };
  }

  /** Cost: a copy of the lengths and of the list of words. */
  snapshot(): CorpusSnapshot {
    const bytes = this.#bytes;
    // Labels and addresses of ordinals that exist never change, and when the arrays grow, these stay as they are.
    const [labels, addresses] = [this.#labels, this.#addresses];
    const lengths = this.#lengths.slice(0, this.#ordinals);
    return {
      documents: this.live,
      terms: this.#words.slice(),
      *entries() {
        for (const [ordinal, length] of lengths.entries()) {
          if (length === DEAD) continue;
          yield { label: labels[ordinal] as number, bytes: bytes.from(addresses[ordinal] as number) };
        }
      },
    };
  }

  #read(ordinal: number): TermCounts {
    decodeDocument(this.#bytes.from(this.#addresses[ordinal] as number), this.#decoded);
    return this.#decoded;
  }

  #bury(ordinal: number): void {
    const { terms, size } = this.#read(ordinal);
    const length = this.#lengths[ordinal] as number;
    this.#liveWords -= length;
    if (length > 0) this.#worded -= 1;
    this.#lengths[ordinal] = DEAD;
    for (let i = 0; i < size; i++) {
      const term = terms[i] as number;
      if (this.#postings.bury(term)) this.#crowded.push(term);
    }
  }

  #nextOrdinal(): number {
    if (this.#ordinals === this.#labels.length) {
      const length = this.#ordinals * 2;
      const [labels, addresses, lengths] = [new Uint32Array(length), new Float64Array(length), new Uint32Array(length)];
      labels.set(this.#labels);
      addresses.set(this.#addresses);
      lengths.fill(DEAD).set(this.#lengths);
      [this.#labels, this.#addresses, this.#lengths] = [labels, addresses, lengths];
    }
    return this.#ordinals++;
  }
}

function startsWith(long: Uint8Array, short: Uint8Array): boolean {
  for (let i = 0; i < short.length; i++) if (long[i] !== short[i]) return false;
  return true;
}
