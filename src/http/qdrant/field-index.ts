/** The dialect's indexes of payload fields: which of ours each of its types is. Must not know: routes. */

import { type PayloadIndexType, TEXT_LANGUAGES, type TextSettings } from '../../model/collection.js';
import type { FieldChange } from '../../model/operation.js';
import { pathFault } from '../field-path.js';
import { formMistake, wrongInput } from './mistakes.js';
import { crossingPath } from './payload-path.js';
import { isObject } from './plain-object.js';

/** A uuid is a text that is compared as it stands. */
const TYPES: Readonly<Record<string, PayloadIndexType | 'text'>> = {
  keyword: 'keyword',
  uuid: 'keyword',
  integer: 'integer',
  float: 'float',
  bool: 'bool',
  datetime: 'datetime',
  geo: 'geo',
  text: 'text',
};
/** Where bytes lie, and which questions are asked: all are answered. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  'type',
  'on_disk',
  'is_tenant',
  'is_principal',
  'lookup',
  'range',
  'enable_hnsw',
]);
/** Of texts: this is how they are read in any case. */
const TOKENIZERS = ['word', 'multilingual', 'whitespace'];
/** As the dialect reads texts that say nothing else: all words, as they stand. */
const PLAIN_TEXT = { language: 'none', stopWords: [] as readonly string[] };

/** @param field as the dialect writes paths  @param schema a type, or {type, …}; undefined: none was given @throws InvalidRequest */
export function fieldChange(field: string, schema: unknown): FieldChange {
  const path = fieldPath(field);
  if (schema === undefined) throw wrongInput('give it: the type of a field is not guessed here', 'field_schema');
  const type = isObject(schema) ? schema['type'] : schema;
  const declare = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (declare === undefined)
    throw formMistake('field_schema', `must be one of ${Object.keys(TYPES).join(', ')}, or an object with such a type`);
  if (!isObject(schema)) return { path, declare, ...(declare === 'text' && { text: PLAIN_TEXT }) };
  const rest = Object.entries(schema).filter(([key, value]) => value !== null && !PASSED_OVER.has(key));
  if (declare === 'text') return { path, declare, text: textSettings(Object.fromEntries(rest)) };
  const [other] = rest;
  if (other !== undefined) throw formMistake(`field_schema.${other[0]}`, 'unknown field');
  return { path, declare };
}

/** As the own API writes it. @throws InvalidRequest (body_form) */
export function fieldPath(field: string, place = 'field_name'): string {
  const path = crossingPath(field, place);
  const fault = pathFault(path);
  if (fault !== null) throw formMistake(place, fault);
  return path;
}

function textSettings(given: Readonly<Record<string, unknown>>): Partial<Omit<TextSettings, 'fields'>> {
  const { tokenizer, lowercase, stemmer, phrase_matching: _phrases, ascii_folding: folding, ...others } = given;
  if (tokenizer !== undefined && !TOKENIZERS.includes(String(tokenizer)))
    throw wrongInput('texts are cut into words here; other tokenizers are not to be had', 'field_schema.tokenizer');
  if (lowercase === false) throw wrongInput('texts are read without regard to case here', 'field_schema.lowercase');
  if (folding === true) throw wrongInput('letters keep their accents here', 'field_schema.ascii_folding');
  const [other] = Object.keys(others);
  if (other !== undefined) throw wrongInput('is not to be had here', `field_schema.${other}`);
  return { ...PLAIN_TEXT, ...(stemmer === undefined ? {} : { language: languageOf(stemmer) }) };
}

function languageOf(stemmer: unknown): string {
  const language = isObject(stemmer) && stemmer['type'] === 'snowball' ? stemmer['language'] : undefined;
  if (typeof language === 'string' && TEXT_LANGUAGES.some((known) => known === language)) return language;
  throw wrongInput(`must be {"type": "snowball", "language": …} of one of ${TEXT_LANGUAGES.join(', ')}`, 'field_schema.stemmer');
}
