/** The settings that an index is made by, as a short text that is equal where they are: what a worker serves is held against what the
 *  collection declares. Must not know: threads, what the settings mean. */

import { createHash } from 'node:crypto';
import type { CollectionSpec } from '../model/collection.js';
import type { CollectionChange } from '../model/operation.js';

const known = new WeakMap<CollectionSpec, string>();

/** Cost: a hash, once for each object. */
export function settingsOf(spec: CollectionSpec): string {
  let settings = known.get(spec);
  if (settings === undefined) {
    const { text, payloadIndexes } = spec;
    settings = createHash('sha256')
      .update(JSON.stringify([text, payloadIndexes]))
      .digest('base64')
      .slice(0, 22);
    known.set(spec, settings);
  }
  return settings;
}

export function changesSettings({ textFields, text, payloadIndexes, fields }: CollectionChange): boolean {
  return textFields !== undefined || text !== undefined || payloadIndexes !== undefined || fields !== undefined;
}
