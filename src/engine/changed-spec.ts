/** A collection's spec after a change. Pure: what is changed, what stays, what cannot be changed.
 *  Absent fields stay as they are, lists are replaced as a whole. Must not know: who asked, how a spec is stored. */

import { type CollectionSpec, DEFAULT_TEXT, type TextChange, type TextSettings } from '../model/collection.js';
import { invalidRequest } from '../model/errors.js';
import type { CollectionChange } from '../model/operation.js';
import { type StrictMode, wholeStrictMode } from '../model/strict-mode.js';
import { withWholeLists } from './changed-fields.js';
import { changedQuantization } from './changed-quantization.js';
import { changedVectors } from './declared-vectors.js';

/** @throws InvalidRequest naming the field of the change, as the body of the request has it */
export function changedSpec(spec: CollectionSpec, given: CollectionChange): CollectionSpec {
  const change = withWholeLists(spec, given);
  const { efSearch = spec.hnsw.efSearch, ttlMs = spec.ttlMs, payloadIndexes = spec.payloadIndexes } = change;
  return {
    ...spec,
    hnsw: { ...spec.hnsw, efSearch },
    ttlMs,
    text: changedText(spec.text, change),
    payloadIndexes,
    quantization: changedQuantization(spec.quantization, change.quantization, 'quantization'),
    strictMode: changedStrictMode(spec.strictMode, change.strictMode),
    ...changedVectors(spec, change),
  };
}

function changedText(before: TextSettings, { textFields: fields = before.fields, text }: CollectionChange): TextSettings {
  if (fields.length > 0) return merged(before, text ?? {}, fields);
  if (text !== undefined) throw invalidRequest('text', 'says how text_fields are read, and the collection has none');
  // Settings without fields would be kept for nobody to see.
  return DEFAULT_TEXT;
}

function merged(before: TextSettings, change: TextChange, fields: readonly string[]): TextSettings {
  const { wordLength, ...settings } = { ...before, ...change, fields };
  return wordLength == null ? settings : { ...settings, wordLength };
}

function changedStrictMode(before: StrictMode | null, change: Partial<StrictMode> | null | undefined): StrictMode | null {
  if (change === undefined) return before;
  if (change === null) return null;
  if (before !== null) return { ...before, ...change };
  const { enabled } = change;
  // Limits that nobody enforces must be somebody's word, not a default.
  if (enabled === undefined) throw invalidRequest('strict_mode.enabled', 'says whether the limits hold; there are none yet');
  return wholeStrictMode({ ...change, enabled });
}
