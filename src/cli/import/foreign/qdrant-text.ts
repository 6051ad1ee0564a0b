/** How a Qdrant collection reads its texts, as settings of ours, and in sentences what is read otherwise here. Pure.
 *  Source: https://qdrant.tech/documentation/concepts/indexing/ (parameters of a full-text index). */

import { TEXT_LANGUAGES, type TextLanguage, wordLengthWithin } from '../../../model/collection.js';
import { FIXED } from '../../../model/limits.js';
import type { TextSettings } from '../../../sdk/index.js';
import { at, wholeNumber } from './json-shape.js';

type Read = Pick<TextSettings, 'language' | 'stopWords' | 'wordLength'>;

export interface ForeignText {
  readonly path: string;
  /** As the schema of the payload has them; null: all are the usual ones. */
  readonly params: unknown;
}

/** @param losses gets what does not come along */
export function textReading(fields: readonly ForeignText[], losses: string[]): Read | null {
  const [first, ...others] = fields;
  if (first === undefined) return null;
  const read = readingOf(first, losses);
  for (const other of others) {
    if (JSON.stringify(readingOf(other, losses)) !== JSON.stringify(read))
      losses.push(`its text field ${other.path} is read as ${first.path} is: all are read alike here`);
  }
  return read;
}

function readingOf({ path, params }: ForeignText, losses: string[]): Read {
  const lose = (what: string): void => {
    losses.push(`its text field ${path} ${what}`);
  };
  if (at(params, 'tokenizer') === 'prefix') lose('is cut into whole words here, not into their beginnings');
  if (at(params, 'lowercase') === false) lose('is read without regard to case here');
  if (at(params, 'ascii_folding') === true) lose('keeps its accents here');
  const language = languageOf(at(params, 'stemmer'));
  if (language === null) lose('is not stemmed here: its stemmer is not known');
  const stopWords = stopWordsOf(at(params, 'stopwords'), language);
  if (stopWords === null) lose('has none of its stop words here');
  const wordLength = lengthsOf(params);
  return { language: language ?? 'none', stopWords: stopWords ?? [], ...(wordLength !== null && { wordLength }) };
}

/** Null: a stemmer that is not here. */
function languageOf(stemmer: unknown): TextLanguage | null {
  if (stemmer === null) return 'none';
  const language = at(stemmer, 'type') === 'snowball' ? at(stemmer, 'language') : null;
  return TEXT_LANGUAGES.find((known) => known === language) ?? null;
}

/** A language, or {languages, custom}. Null: they cannot be said here. */
function stopWordsOf(value: unknown, language: TextLanguage | null): Read['stopWords'] | null {
  const languages = typeof value === 'string' ? [value] : textsOf(at(value, 'languages'));
  const custom = textsOf(at(value, 'custom')).filter((word) => word !== '' && word.length <= FIXED.stopWordLengthMax);
  const [one, ...more] = languages;
  if (one === undefined) return custom.slice(0, FIXED.stopWordsMax);
  return one.toLowerCase() === language && more.length + custom.length === 0 ? 'default' : null;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? (value as unknown[]).filter((one) => typeof one === 'string') : [];
}

/** Null: words of every length count. */
function lengthsOf(params: unknown): NonNullable<Read['wordLength']> | null {
  const least = wholeNumber(at(params, 'min_token_len')) ?? 1;
  const most = wholeNumber(at(params, 'max_token_len')) ?? FIXED.wordLengthMax;
  const length = wordLengthWithin(least, most);
  return length === null || length.min > length.max ? null : length;
}
