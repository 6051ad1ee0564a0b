/** The dialect's indexes of payload fields: which of ours each of its types is. Must not know: routes. */

import type { PayloadIndexType, TextSettings } from '../../model/collection.js';
import type { FieldChange } from '../../model/operation.js';
import { pathFault } from '../field-path.js';
import { formMistake, wrongInput } from './mistakes.js';
import { crossingPath } from './payload-path.js';
import { isObject } from './plain-object.js';
import { PLAIN_TEXT, textSettings } from './text-settings.js';

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
/** @param field as the dialect writes paths  @param schema a type, or {type, …}; undefined: none was given @throws InvalidRequest */
export function fieldChange(field: string, schema: unknown): FieldChange {
  const path = fieldPath(field);
  if (schema === undefined) throw wrongInput('give it: the type of a field is not guessed here', 'field_schema');
  const type = isObject(schema) ? schema['type'] : schema;
  const declare = typeof type === 'string' && Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (declare === undefined)
    throw formMistake('field_schema', `must be one of ${Object.keys(TYPES).join(', ')}, or an object with such a type`);
  if (!isObject(schema)) return { path, declare, ...(declare === 'text' && { text: PLAIN_TEXT, keepsText: true }) };
  const rest = Object.entries(schema).filter(([key, value]) => value !== null && !PASSED_OVER.has(key));
  if (declare === 'text')
    return { path, declare, text: textSettings(Object.fromEntries(rest)), ...(rest.length === 0 && { keepsText: true }) };
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

/** All text fields are read alike, as the first one says: another one says the same, or nothing. @param read how they are
 *  @throws InvalidRequest */
export function mustReadAlike({ path, declare, text }: FieldChange, schema: unknown, read: TextSettings): void {
  if (declare !== 'text' || text === undefined || !isObject(schema) || read.fields.every((field) => field === path)) return;
  const isOther = (said: unknown, one: unknown, other: unknown): boolean =>
    said !== undefined && said !== null && JSON.stringify(one) !== JSON.stringify(other);
  if (isOther(schema['stemmer'], text.language, read.language)) throw readOtherwise('stemmer');
  if (isOther(schema['stopwords'], text.stopWords, read.stopWords)) throw readOtherwise('stopwords');
  const lengths = read.wordLength ?? null;
  for (const field of ['min_token_len', 'max_token_len'])
    if (isOther(schema[field], text.wordLength, lengths)) throw readOtherwise(field);
}

function readOtherwise(field: string): Error {
  return wrongInput(
    'all text fields of a collection are read alike, as its first one says: leave it out',
    `field_schema.${field}`,
  );
}
