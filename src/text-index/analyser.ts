/** From a text to its terms: words (words.ts), without stop words, as stems, of the lengths that are wanted.
 *
 *  Documents and queries are read by the same analyser, so that they meet. Another ANALYSIS_VERSION, or other settings, give other terms:
 *  what was made with them is of no use then. Must not know: which documents there are. */

import type { TextSettings, WordLength } from '../model/collection.js';
import { type Language, languageOf, stemmerOf } from './languages.js';
import { wordsOf } from './words.js';

/** Rises whenever some text gives other terms than before: other rules, another list of stop words, another stemmer.
 *  History: 1 the first; 2 no more than 30 marks on one letter. */
export const ANALYSIS_VERSION = 2;

/** What of the settings terms depend on. */
export type AnalysisSettings = Pick<TextSettings, 'language' | 'stopWords' | 'wordLength'>;

export interface Analysis {
  readonly terms: readonly string[];
  /** The terms depend on the ICU of this process. */
  readonly segmented: boolean;
}

/** Words whose terms are remembered; twice as many at most, as the older half is kept until the younger is full. */
const REMEMBERED_WORDS_MAX = 65_536;
/** Analysers that are remembered. */
const REMEMBERED_ANALYSERS_MAX = 64;
const STOPPED = '';

const remembered = new Map<string, Analyser>();

/** Reads texts as an index with these settings does: their terms, in order. Remembered by settings.
 *  @throws RangeError on a language that is not known */
export function textAnalyser(settings: AnalysisSettings): (text: string) => string[] {
  const analyser = analyserOf(settings);
  return (text) => [...analyser.analyse(text).terms];
}

/** @throws RangeError on a language that is not known */
export function analyserOf({ language, stopWords, wordLength }: AnalysisSettings): Analyser {
  const key = JSON.stringify([language, stopWords, wordLength]);
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const made = new Analyser(languageOf(language), stopWords, wordLength);
  if (remembered.size >= REMEMBERED_ANALYSERS_MAX) remembered.clear();
  remembered.set(key, made);
  return made;
}

export class Analyser {
  readonly #stopWords: ReadonlySet<string>;
  readonly #elisions: ReadonlySet<string>;
  readonly #possessive: string | null;
  readonly #length: WordLength | undefined;
  readonly #stem: (word: string) => string;
  #termOf = new Map<string, string>();
  #olderTermOf: ReadonlyMap<string, string> = new Map();

  /** @param stopWords entries that are not one word stop nothing */
  constructor(language: Language, stopWords: TextSettings['stopWords'], length?: WordLength) {
    this.#length = length;
    this.#elisions = new Set(language.elisions);
    this.#possessive = language.possessive;
    this.#stem = stemmerOf(language);
    const list = stopWords === 'default' ? [...language.stopWords, ...language.elisions] : stopWords;
    const asWords = list.map((entry) => wordsOf(entry).words.map((word) => this.#bare(word)));
    this.#stopWords = new Set(asWords.filter(({ length }) => length === 1).flat());
  }

  /** Cost: about 50 ns a word; 1 µs where words are told apart by a dictionary, and for a word that is not remembered. */
  analyse(text: string): Analysis {
    const { words, segmented } = wordsOf(text);
    const terms: string[] = [];
    for (const word of words) {
      const term = this.#termOf.get(word) ?? this.#read(word);
      if (term !== STOPPED) terms.push(term);
    }
    return { terms, segmented };
  }

  /** Remembers what it finds. */
  #read(word: string): string {
    const older = this.#olderTermOf.get(word);
    const own = apart(word);
    const term = older ?? this.#termFor(own);
    if (this.#termOf.size >= REMEMBERED_WORDS_MAX) {
      this.#olderTermOf = this.#termOf;
      this.#termOf = new Map();
    }
    this.#termOf.set(own, term);
    return term;
  }

  #termFor(word: string): string {
    const bare = this.#bare(word);
    // A stemmer that leaves nothing of a word has not understood it.
    const term = this.#stopWords.has(bare) ? STOPPED : this.#stem(bare) || bare;
    return this.#length === undefined || isWithin(term, this.#length) ? term : STOPPED;
  }

  /** Without what the language hangs on to it by an apostrophe. */
  #bare(word: string): string {
    const apostrophe = word.indexOf("'");
    if (apostrophe <= 0) return word;
    if (this.#elisions.has(word.slice(0, apostrophe))) return word.slice(apostrophe + 1);
    return this.#possessive !== null && word.endsWith(this.#possessive) ? word.slice(0, -this.#possessive.length) : word;
  }
}

function isWithin(term: string, { min, max }: WordLength): boolean {
  const { length } = [...term];
  return length >= min && length <= max;
}

/** A copy on its own: a word cut out of a text may be a view of it, and would keep all of the text in memory for as long as it is known. */
function apart(word: string): string {
  return word.split('').join('');
}
