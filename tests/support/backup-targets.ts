/** What tests of backup targets share: bodies, and what an iterable holds. */

import type { BackupTarget } from '../../src/backup/target.js';
import type { Random } from './random.js';

export async function* bodyOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

/** Gives its pieces, then fails. */
export async function* brokenBody(error: Error, ...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
  throw error;
}

export function bytesOf(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 1) bytes[i] = random.uint32() & 0xff;
  return bytes;
}

export async function collected(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

export async function keysOf(target: BackupTarget, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of target.list(prefix)) keys.push(key);
  return keys;
}
