/** The access keys of a store that no engine has open yet, so that a node which is still checking its data knows who may look at it.
 *  Must not know: requests. */

import type { AccessKeys } from '../engine/engine.js';
import type { AccessKey } from '../model/access-key.js';
import { SkeinError } from '../model/errors.js';
import { openReader } from '../storage/open-store.js';

/** Reads them once. @returns null when they cannot be read: the check of the store will say why
 *  Cost: one connection, one small table. */
export function readKeysOf(databasePath: string, cacheBytes: number): AccessKeys | null {
  try {
    const reads = openReader(databasePath, { cacheBytes });
    try {
      return fixedKeys(reads.accessKeys());
    } finally {
      reads.close();
    }
  } catch {
    return null;
  }
}

/** Keys that nobody can change yet. */
export function fixedKeys(keys: readonly AccessKey[]): AccessKeys {
  const byId = new Map(keys.map((key) => [key.id, key]));
  return {
    count: keys.length,
    find: (id) => byId.get(id),
    all: () => [...keys],
    write: () => Promise.reject(new SkeinError('Starting', 'The store is not open yet')),
  };
}
