/** How the dialect says that texts are to be read, as this server reads them. What changes no answer is taken; what would change answers and is
 *  not to be had is refused by its name. Must not know: which fields are texts. */

import { TEXT_LANGUAGES, type TextChange, type TextSettings, type WordLength, wordLengthWithin } from '../../model/collection.js';
import { FIXED } from '../../model/limits.js';
import { formMistake, wrongInput } from './mistakes.js';
import { isObject } from './plain-object.js';

type Read = Required<Omit<TextChange, 'k1' | 'b'>>;

/** As the dialect reads texts that say nothing else: all words, as they stand. */
export const PLAIN_TEXT: Read = { language: 'none', stopWords: [], wordLength: null };
/** This is how words are told apart in any case. */
const TOKENIZERS = ['word', 'multilingual', 'whitespace'];
/** Longer words are cut to it. */
const LENGTH_MAX = FIXED.wordLengthMax;

/** @param given the fields of a text index, without those that are null @throws InvalidRequest */
export function textSettings(given: Readonly<Record<string, unknown>>): Read {
  const { tokenizer, lowercase, stemmer, stopwords, phrase_matching: phrases, ascii_folding: folding, ...others } = given;
  const { min_token_len: least = 0, max_token_len: most = LENGTH_MAX, ...strangers } = others;
  if (tokenizer !== undefined && !TOKENIZERS.includes(String(tokenizer)))
    throw wrongInput('texts are cut into words here; other tokenizers are not to be had', 'field_schema.tokenizer');
  if (lowercase === false) throw wrongInput('texts are read without regard to case here', 'field_schema.lowercase');
  if (folding === true) throw wrongInput('letters keep their accents here', 'field_schema.ascii_folding');
  mustBeFlags({ lowercase, phrase_matching: phrases, ascii_folding: folding });
  const [stranger] = Object.keys(strangers);
  if (stranger !== undefined) throw formMistake(`field_schema.${stranger}`, 'unknown field');
  const language = stemmer === undefined ? PLAIN_TEXT.language : languageOf(stemmer);
  const stopWords = stopwords === undefined ? PLAIN_TEXT.stopWords : stopWordsOf(stopwords, language);
  return { language, stopWords, wordLength: wordLengthOf(least, most) };
}

/** The same the other way: what a text index would be declared with. */
export function shownText({ language, stopWords, wordLength }: Omit<TextSettings, 'fields'>): object {
  const isStemmed = language !== 'none';
  return {
    type: 'text',
    tokenizer: 'word',
    lowercase: true,
    ...(wordLength !== undefined && { min_token_len: wordLength.min, max_token_len: wordLength.max }),
    ...(isStemmed && { stemmer: { type: 'snowball', language } }),
    ...(stopWords === 'default'
      ? isStemmed && { stopwords: language }
      : stopWords.length > 0 && { stopwords: { custom: stopWords } }),
  };
}

function mustBeFlags(values: Readonly<Record<string, unknown>>): void {
  const other = Object.entries(values).find(([, value]) => value !== undefined && typeof value !== 'boolean');
  if (other !== undefined) throw formMistake(`field_schema.${other[0]}`, 'must be true or false');
}

/** Null: all words count, as longer ones are cut. */
function wordLengthOf(least: unknown, most: unknown): WordLength | null {
  const length = wordLengthWithin(countOf(least, 'min_token_len'), countOf(most, 'max_token_len'));
  if (length !== null && length.min > length.max)
    throw wrongInput('no word is so long and so short', 'field_schema.min_token_len');
  return length;
}

function countOf(value: unknown, field: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw formMistake(`field_schema.${field}`, 'must be an integer from 0 on');
}

function languageOf(stemmer: unknown): string {
  const language = isObject(stemmer) && stemmer['type'] === 'snowball' ? stemmer['language'] : undefined;
  if (typeof language === 'string' && TEXT_LANGUAGES.some((known) => known === language)) return language;
  throw wrongInput(`must be {"type": "snowball", "language": …} of one of ${TEXT_LANGUAGES.join(', ')}`, 'field_schema.stemmer');
}

/** A language, or {languages, custom}. @param language of the stemmer */
function stopWordsOf(value: unknown, language: string): Read['stopWords'] {
  const path = 'field_schema.stopwords';
  const { languages = [], custom = [] } = isObject(value) ? value : { languages: [value] };
  if (!isTexts(languages ?? []) || !isTexts(custom ?? []))
    throw formMistake(path, 'must be a language, or {"languages": [languages], "custom": [words]}');
  const words = (custom ?? []) as readonly string[];
  const [one, ...more] = (languages ?? []) as readonly string[];
  if (words.length > FIXED.stopWordsMax) throw formMistake(path, `has more than ${FIXED.stopWordsMax} words`);
  if (words.some((word) => word === '' || word.length > FIXED.stopWordLengthMax))
    throw formMistake(path, `has a word that is not of 1 to ${FIXED.stopWordLengthMax} characters`);
  if (one === undefined) return words;
  if (one.toLowerCase() === language && more.length === 0 && words.length === 0) return 'default';
  throw wrongInput('the list of a language goes with its stemmer here, alone; give other words as custom', path);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
