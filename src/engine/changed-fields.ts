/** The fields that a collection indexes after some were declared or taken away one by one; whoever replaces a whole list says so in
 *  CollectionChange itself. Pure. A field has one index: of one type, or of text. */

import type { CollectionSpec, Declarations } from '../model/collection.js';
import { invalidRequest } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { CollectionChange, FieldChange } from '../model/operation.js';

/** The change with whole lists in the place of single fields. @throws InvalidRequest (more fields than may be) */
export function withWholeLists(spec: CollectionSpec, change: CollectionChange): CollectionChange {
  const { fields, ...rest } = change;
  if (fields === undefined) return change;
  const { payloadIndexes, textFields } = changedLists(spec, fields);
  // The first field of a text says how all of them are read; alone it may say so anew.
  const isFirst = spec.text.fields.every((field) => field === fields.path);
  const keeps = fields.keepsText === true && spec.text.fields.includes(fields.path);
  const text = isFirst && textFields.length > 0 && !keeps ? fields.text : undefined;
  return { ...rest, payloadIndexes, textFields, ...(text !== undefined && { text }) };
}

function changedLists({ payloadIndexes, text }: CollectionSpec, { declare, path }: FieldChange) {
  const indexes = payloadIndexes.filter((index) => index.path !== path);
  const texts = text.fields.filter((field) => field !== path);
  const after: { payloadIndexes: Declarations['payloadIndexes']; textFields: readonly string[] } = {
    payloadIndexes: declare === null || declare === 'text' ? indexes : [...indexes, { path, type: declare }],
    textFields: declare === 'text' ? [...texts, path] : texts,
  };
  atMost(after.payloadIndexes.length, FIXED.payloadIndexesMax);
  atMost(after.textFields.length, FIXED.textFieldsMax);
  return after;
}

function atMost(count: number, limit: number): void {
  if (count > limit) throw invalidRequest('', `a collection has at most ${limit} such indexes`);
}
