/** What is asked of access keys: a new one, another secret for one, the end of one.
 *
 *  Resolved like a client's operation, in the writer thread of a master, against the state that the effects will change; so of two
 *  requests that would each leave the other's key as the last one, the second is refused. Secrets never come here, only their hashes.
 *  Must not know: requests, who asked, where randomness comes from. */

import { type AccessKey, isLastingAdmin } from '../model/access-key.js';
import type { Effect } from '../model/entry.js';
import { SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { WriterState } from './writer-state.js';

type NewKey = Omit<AccessKey, 'createdAtMs' | 'rotatedAtMs' | 'previous'>;

/** keepsAdmin: refuse what would leave keys and no lasting admin key among them, because nobody could undo it. */
export type KeyOperation =
  | { readonly kind: 'create_key'; readonly key: NewKey; readonly keepsAdmin: boolean }
  /** The secret that it has works for graceMs more; one from an earlier rotation ends now. */
  | { readonly kind: 'rotate_key'; readonly id: string; readonly hash: Uint8Array; readonly graceMs: number }
  | { readonly kind: 'delete_key'; readonly id: string; readonly keepsAdmin: boolean };

type KeyedState = Pick<WriterState, 'accessKeys'>;

/** @throws KeyNotFound · AdminKeyRequired · Overloaded (too many) · Internal (an id twice) */
export function resolveKey(
  operation: KeyOperation,
  { accessKeys: keys }: KeyedState,
  timeMs: number,
): { readonly effects: readonly Effect[]; readonly result: null } {
  switch (operation.kind) {
    case 'create_key': {
      const { key, keepsAdmin } = operation;
      if (keys.has(key.id)) throw new SkeinError('Internal', `There is a key ${key.id} already`);
      if (keys.size >= FIXED.accessKeysMax) throw tooMany();
      if (keepsAdmin && !isLastingAdmin(key)) mustHaveAdmin(keys.values());
      return put({ ...key, createdAtMs: timeMs, rotatedAtMs: null, previous: null });
    }
    case 'rotate_key': {
      const before = known(keys, operation.id);
      const { hash, graceMs } = operation;
      const previous = graceMs === 0 ? null : { hash: before.hash, untilMs: timeMs + graceMs };
      return put({ ...before, hash, rotatedAtMs: timeMs, previous });
    }
    case 'delete_key': {
      const { id, keepsAdmin } = operation;
      const before = known(keys, id);
      if (keepsAdmin && isLastingAdmin(before)) mustHaveAdmin([...keys.values()].filter((key) => key.id !== id));
      return { effects: [{ kind: 'remove_key', id }], result: null };
    }
  }
}

function put(key: AccessKey): { effects: readonly Effect[]; result: null } {
  return { effects: [{ kind: 'put_key', key }], result: null };
}

function known(keys: ReadonlyMap<string, AccessKey>, id: string): AccessKey {
  const key = keys.get(id);
  if (key === undefined) throw new SkeinError('KeyNotFound', `No access key has the id ${JSON.stringify(id)}`, { key_id: id });
  return key;
}

function mustHaveAdmin(keys: Iterable<AccessKey>): void {
  for (const key of keys) if (isLastingAdmin(key)) return;
  throw new SkeinError(
    'AdminKeyRequired',
    'Afterwards no admin key of all collections would be left that does not expire, and nobody could manage the keys: make one first',
  );
}

function tooMany(): SkeinError {
  return new SkeinError('Overloaded', `This node holds its maximum of ${FIXED.accessKeysMax} access keys`, {
    reason: 'access_keys_max',
    limit: FIXED.accessKeysMax,
  });
}
