/** What keeping-child.ts keeps, so that a test can tell which version of an object it finds, and whether it is whole. */

import { createHash } from 'node:crypto';

/** New folders, a shared one, and none. */
export const KEPT_KEYS = ['a/b/one', 'a/two', 'three'] as const;
const BYTES = 9_000;

export function contentOf(key: string, round: number): Buffer {
  const seed = createHash('sha256').update(`${key} ${round}`).digest();
  return Buffer.alloc(BYTES, seed);
}
