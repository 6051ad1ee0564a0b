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
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i += 1) words[i] = random.uint32();
  return Buffer.from(words.buffer, 0, length);
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
