/** The languages that texts can be read in: for each its Snowball stemmer, its stop words, and the short words that it writes in front of
 *  others with an apostrophe (l'avion), or its ending of possession (John's), both of which are cut off before stop words are looked for.
 *
 *  Lists and stemmers are those of two packages; tests/text-index/languages.test.ts notices when they change, which ANALYSIS_VERSION must
 *  follow. Must not know: texts. */

import { createRequire } from 'node:module';
import type * as SnowballStemmers from 'snowball-stemmers';
import type * as StopWords from 'stopword';

export interface Language {
  /** Of the package snowball-stemmers, or null: words stay as they are. */
  readonly stemmer: string | null;
  readonly stopWords: readonly string[];
  /** In front of an apostrophe. */
  readonly elisions: readonly string[];
  /** At the end of a word. */
  readonly possessive: string | null;
}

/** As Lucene has them (FrenchAnalyzer, ItalianAnalyzer, CatalanAnalyzer, IrishAnalyzer). */
const ELISIONS: Readonly<Partial<Record<string, readonly string[]>>> = {
  catalan: 'd l m n s t'.split(' '),
  french: 'l m t qu n s j d c jusqu quoiqu lorsqu puisqu'.split(' '),
  irish: 'd m b'.split(' '),
  italian: 'c l all dall dell nell sull coll pell gl agl dagl degl negl sugl un m t s v d'.split(' '),
};

const POSSESSIVES: Readonly<Partial<Record<string, string>>> = { english: "'s", porter: "'s" };

const require = createRequire(import.meta.url);
/** Loaded with the first language: every thread knows of this module, hardly any reads texts, and the two take a tenth of a second. */
const stemmers = (): typeof SnowballStemmers => require('snowball-stemmers');
const lists = (): typeof StopWords => require('stopword');

/** What the list of the Snowball project (its english/stop.txt) has and that of the package has not. */
const MORE_ENGLISH = [
  'myself ours ourselves yours yourself yourselves she hers herself its itself theirs themselves whom having does doing ought cannot',
  "i'm you're we're they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll they'll let's",
  "isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't won't wouldn't shan't shouldn't can't couldn't mustn't",
  'until against during above below down off again further once when why few no nor not own so',
].flatMap((line) => line.split(' '));

/** By the name of the stemmer: the list of stop words. */
const STOP_WORDS: ReadonlyMap<string, keyof typeof StopWords | null> = new Map([
  ...Object.entries({ arabic: 'ara', armenian: 'hye', basque: 'eus', catalan: 'cat', czech: 'ces', danish: 'dan' } as const),
  ...Object.entries({ dutch: 'nld', english: 'eng', finnish: 'fin', french: 'fra', german: 'deu', hungarian: 'hun' } as const),
  ...Object.entries({
    irish: 'gle',
    italian: 'ita',
    norwegian: 'nob',
    porter: 'eng',
    portuguese: 'por',
    romanian: 'ron',
  } as const),
  ...Object.entries({ russian: 'rus', slovene: 'slv', spanish: 'spa', swedish: 'swe', tamil: null, turkish: 'tur' } as const),
]);

/** Names that a collection's text settings may give as their language; 'none' reads words as they stand. */
export const knownLanguages: readonly string[] = ['none', ...STOP_WORDS.keys()];

/** @throws RangeError naming those that are known */
export function languageOf(name: string): Language {
  if (name === 'none') return { stemmer: null, stopWords: [], elisions: [], possessive: null };
  const list = STOP_WORDS.get(name);
  if (list === undefined) throw new RangeError(`language '${name}' is not known; known are ${knownLanguages.join(', ')}`);
  const words = list === null ? [] : lists()[list];
  const stopWords = list === 'eng' ? [...words, ...MORE_ENGLISH] : words;
  return { stemmer: name, stopWords, elisions: ELISIONS[name] ?? [], possessive: POSSESSIVES[name] ?? null };
}

/** From a word in lower case to its stem. */
export function stemmerOf({ stemmer }: Language): (word: string) => string {
  if (stemmer === null) return (word) => word;
  const made = stemmers().newStemmer(stemmer);
  return (word) => made.stem(word);
}
