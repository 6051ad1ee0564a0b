/** A collection's spec after a change. Pure: what is changed, what stays, what cannot be changed.
 *  Absent fields stay as they are, lists are replaced as a whole. Must not know: who asked, how a spec is stored. */

import { type CollectionSpec, DEFAULT_TEXT, type Quantization, type TextSettings } from '../model/collection.js';
import { invalidRequest } from '../model/errors.js';
import type { CollectionChange } from '../model/operation.js';
import { type StrictMode, wholeStrictMode } from '../model/strict-mode.js';

/** @throws InvalidRequest naming the field of the change, as the body of the request has it */
export function changedSpec(spec: CollectionSpec, change: CollectionChange): CollectionSpec {
  const { efSearch = spec.hnsw.efSearch, ttlMs = spec.ttlMs, payloadIndexes = spec.payloadIndexes } = change;
  return {
    ...spec,
    hnsw: { ...spec.hnsw, efSearch },
    ttlMs,
    text: changedText(spec.text, change),
    payloadIndexes,
    quantization: changedQuantization(spec.quantization, change.quantization),
    strictMode: changedStrictMode(spec.strictMode, change.strictMode),
  };
}

function changedText(before: TextSettings, { textFields: fields = before.fields, text }: CollectionChange): TextSettings {
  if (fields.length > 0) return { ...before, ...text, fields };
  if (text !== undefined) throw invalidRequest('text', 'says how text_fields are read, and the collection has none');
  // Settings without fields would be kept for nobody to see.
  return DEFAULT_TEXT;
}

function changedQuantization(before: Quantization | null, change: Partial<Quantization> | null | undefined): Quantization | null {
  if (change === undefined) return before;
  if (before === null) {
    if (change === null) return null;
    throw invalidRequest('quantization', 'is chosen when a collection is made, and this one has none');
  }
  if (change === null) throw invalidRequest('quantization', 'is chosen when a collection is made and cannot be taken away');
  if (change.type !== undefined && change.type !== before.type)
    throw invalidRequest('quantization.type', `is fixed when a collection is made; here it is ${before.type}`);
  return { ...before, ...change };
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
