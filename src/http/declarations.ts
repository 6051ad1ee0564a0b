/** What a collection declares of text, payload indexes, quantization and strict mode, between the model and the wire.
 *
 *  The schemas (wire/declaration-bodies.ts) have checked the form; here every path and stop word is checked and named by its place,
 *  and what was left out gets its default. Must not know: what a declaration does. */

import {
  DEFAULT_TEXT,
  type Declarations,
  type PayloadIndexSpec,
  type TextChange,
  type TextLanguage,
  type TextSettings,
  type WordLength,
  wordLengthWithin,
} from '../model/collection.js';
import { type RequestIssue, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { CollectionChange, NewCollection } from '../model/operation.js';
import { wholeStrictMode } from '../model/strict-mode.js';
import { wholeQuantization } from '../model/vector-spec.js';
import {
  type ChangedDeclarationsBody,
  type NewDeclarationsBody,
  type ShownDeclarationsBody,
  shownStrictMode,
  strictFromBody,
} from '../wire/http-bodies.js';
import { join } from '../wire/place.js';
import { pathFault } from './field-path.js';
import { quantizationSettings } from './quantization-body.js';

type TextBody = NonNullable<NewDeclarationsBody['text']>;

const ISSUES_MAX = 20;
/** @param inside where the body stands: '' or such as `operations[2].create_collection` @throws InvalidRequest */
export function newDeclarations(body: NewDeclarationsBody, inside: string): Pick<NewCollection, keyof Declarations> {
  const issues = issuesOf(body, inside);
  const fields = body.text_fields ?? [];
  if (body.text !== undefined && fields.length === 0)
    issues.push({ path: join(inside, 'text'), message: 'says how text_fields are read, and there are none' });
  refuse(issues);
  const indexes = body.payload_indexes ?? [];
  const { quantization, strict_mode: strict } = body;
  return {
    ...(fields.length === 0 ? {} : { text: newText(body.text ?? {}, fields) }),
    ...(indexes.length === 0 ? {} : { payloadIndexes: payloadIndexes(indexes) }),
    ...(quantization === undefined || quantization === null ? {} : { quantization: wholeQuantization(quantization) }),
    ...(strict === undefined || strict === null
      ? {}
      : { strictMode: wholeStrictMode({ ...strictFromBody(strict), enabled: strict.enabled }) }),
  };
}

type DeclarationChange = Pick<CollectionChange, 'textFields' | 'text' | 'payloadIndexes' | 'quantization' | 'strictMode'>;

/** @throws InvalidRequest; what only the collection knows is left to the engine */
export function declarationChange(body: ChangedDeclarationsBody): DeclarationChange {
  refuse(issuesOf(body, ''));
  const { text_fields: textFields, text, payload_indexes: indexes, quantization, strict_mode: strict } = body;
  return {
    ...(strict === undefined ? {} : { strictMode: strict === null ? null : strictFromBody(strict) }),
    ...(textFields === undefined ? {} : { textFields }),
    ...(text === undefined ? {} : { text: textSettings(text) }),
    ...(indexes === undefined ? {} : { payloadIndexes: payloadIndexes(indexes) }),
    ...(quantization === undefined ? {} : { quantization: quantization === null ? null : quantizationSettings(quantization) }),
  };
}

export function shownDeclarations({
  text,
  payloadIndexes: indexes,
  quantization,
  strictMode: strict,
}: Declarations): ShownDeclarationsBody {
  const { stopWords, wordLength, k1, b } = text;
  // Checked when it was declared.
  const language = text.language as TextLanguage;
  return {
    text_fields: [...text.fields],
    text:
      text.fields.length === 0
        ? null
        : { language, stop_words: stopWords, ...(wordLength && { word_length: wordLength }), k1, b },
    payload_indexes: indexes.map(({ path, type }) => ({ path, type })),
    quantization:
      quantization === null
        ? null
        : { type: quantization.type, rescore: quantization.rescore, oversampling: quantization.oversampling },
    ...(strict !== null && { strict_mode: shownStrictMode(strict) }),
  };
}

function newText(body: TextBody, fields: readonly string[]): TextSettings {
  const { wordLength, ...settings } = textSettings(body);
  return { ...DEFAULT_TEXT, ...settings, ...(wordLength && { wordLength }), fields };
}

function textSettings({ language, stop_words: stopWords, word_length: length, k1, b }: TextBody): TextChange {
  return {
    ...(length === undefined ? {} : { wordLength: wordLengthOf(length) }),
    ...(language === undefined ? {} : { language }),
    ...(stopWords === undefined ? {} : { stopWords }),
    ...(k1 === undefined ? {} : { k1 }),
    ...(b === undefined ? {} : { b }),
  };
}

function wordLengthOf(length: TextBody['word_length']): WordLength | null {
  return wordLengthWithin(length?.min ?? 1, length?.max ?? FIXED.wordLengthMax);
}

/** Field by field, so that equal declarations are equal whatever order their keys came in. */
function payloadIndexes(indexes: readonly PayloadIndexSpec[]): PayloadIndexSpec[] {
  return indexes.map(({ path, type }) => ({ path, type }));
}

function issuesOf(body: ChangedDeclarationsBody, inside: string): RequestIssue[] {
  const at = (field: string): string => join(inside, field);
  return [
    ...pathIssues((body.text_fields ?? []).map((path, i) => ({ path, place: at(`text_fields[${i}]`) }))),
    ...stopWordIssues(body.text?.stop_words, at('text.stop_words')),
    ...lengthIssues(body.text?.word_length, at('text.word_length')),
    ...pathIssues((body.payload_indexes ?? []).map(({ path }, i) => ({ path, place: at(`payload_indexes[${i}].path`) }))),
  ];
}

/** @param paths as they came: the schema has not looked at them */
function pathIssues(paths: readonly { readonly path: unknown; readonly place: string }[]): RequestIssue[] {
  const seen = new Map<unknown, string>();
  const issues: RequestIssue[] = [];
  for (const { path, place } of paths) {
    const before = seen.get(path);
    const message = before === undefined ? pathFault(path) : `stands at ${before} already`;
    if (message !== null) issues.push({ path: place, message });
    seen.set(path, place);
  }
  return issues;
}

function lengthIssues(length: TextBody['word_length'], place: string): RequestIssue[] {
  if (length == null || (length.min ?? 1) <= (length.max ?? FIXED.wordLengthMax)) return [];
  return [{ path: place, message: 'min must not be above max' }];
}

function stopWordIssues(words: unknown, place: string): RequestIssue[] {
  if (words === undefined || words === 'default') return [];
  if (!Array.isArray(words)) return [{ path: place, message: 'must be "default" or a list of words' }];
  if (words.length > FIXED.stopWordsMax) return [{ path: place, message: `at most ${FIXED.stopWordsMax} words` }];
  return (words as readonly unknown[]).flatMap((word, i) => {
    const fine = typeof word === 'string' && word !== '' && word.length <= FIXED.stopWordLengthMax;
    return fine ? [] : [{ path: `${place}[${i}]`, message: `must be a word of 1 to ${FIXED.stopWordLengthMax} characters` }];
  });
}

function refuse(issues: readonly RequestIssue[]): void {
  const [first] = issues;
  if (first === undefined) return;
  throw new SkeinError('InvalidRequest', `${first.path}: ${first.message}`, { issues: issues.slice(0, ISSUES_MAX) });
}
