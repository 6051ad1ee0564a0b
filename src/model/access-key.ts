/** Access keys: who may do what. A key is `skn_<id>_<secret>`; only the SHA-256 of the secret is kept, and it is in the log like all data.
 *
 *  A role says what may be done, a scope with which collections. A scope is a list of names, or of beginnings of names that end in `*`;
 *  null is all of them. What is asked of the node as a whole needs a key without a scope.
 *  Must not know: requests, how keys are stored, where randomness comes from. */

import { FIXED } from './limits.js';

export const KEY_ROLES = ['admin', 'write', 'read', 'replicate'] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

/** What a route asks of its caller; none: nothing at all. */
export type Need = KeyRole | 'none';

/** Names of collections and beginnings of names (`films`, `tenant-7-*`), or null for all. */
export type KeyScope = readonly string[] | null;

/** How often a key may ask: so many requests a second on average, so many at once. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface AccessKey {
  /** 16 lower-case hex digits. */
  readonly id: string;
  readonly name: string;
  readonly role: KeyRole;
  readonly scope: KeyScope;
  readonly rateLimit: RateLimit | null;
  /** Milliseconds since 1970, of the master's clock. */
  readonly createdAtMs: number;
  /** From this moment on it is refused; null: never. */
  readonly expiresAtMs: number | null;
  readonly rotatedAtMs: number | null;
  /** SHA-256 of the secret, 32 bytes. */
  readonly hash: Uint8Array;
  /** The secret before the last rotation, while it still works. */
  readonly previous: { readonly hash: Uint8Array; readonly untilMs: number } | null;
}

/** What a commit did to a key; null: it is gone. */
export interface AccessKeyChange {
  readonly id: string;
  readonly key: AccessKey | null;
}

const ALLOWED: Readonly<Record<KeyRole, readonly Need[]>> = {
  admin: ['none', 'read', 'write', 'admin', 'replicate'],
  write: ['none', 'read', 'write', 'replicate'],
  read: ['none', 'read', 'replicate'],
  replicate: ['none', 'replicate'],
};

export function allows(role: KeyRole, need: Need): boolean {
  return ALLOWED[role].includes(need);
}

/** Is a collection of this name in the scope? Cost: one comparison for each pattern. */
export function inScope(scope: KeyScope, name: string): boolean {
  if (scope === null) return true;
  return scope.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

/** A name as collections have it, or the beginning of one with `*` behind it; `*` alone is every name. */
export function isScopePattern(pattern: string): boolean {
  return (
    pattern.length <= FIXED.collectionNameLengthMax + 1 &&
    /^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*)?\*$|^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(pattern)
  );
}

/** Does this key keep its holder able to administer the node for good? */
export function isLastingAdmin({ role, scope, expiresAtMs }: Pick<AccessKey, 'role' | 'scope' | 'expiresAtMs'>): boolean {
  return role === 'admin' && scope === null && expiresAtMs === null;
}

export function isExpired({ expiresAtMs }: Pick<AccessKey, 'expiresAtMs'>, nowMs: number): boolean {
  return expiresAtMs !== null && nowMs >= expiresAtMs;
}
