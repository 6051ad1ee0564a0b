/** Packing of one object: gzip, with the size and SHA-256 of the plain bytes and of the packed ones taken on the way.
 *
 *  Level 1: vectors hardly shrink at any level, and payloads, ids and logs nearly as much as at higher ones (docs/BENCHMARKS.md).
 *  Compression runs in Node's thread pool; sums cost this thread about 1 ms per MiB, in pieces. Must not know: targets, heads. */

import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, createGzip } from 'node:zlib';
import type { PackedFile } from './head.js';

/** Size and sums of both forms. */
export type PackedSums = Omit<PackedFile, 'name'>;

export interface Packing {
  /** The packed bytes, once. Ends with the error of the plain ones. */
  readonly body: AsyncIterable<Uint8Array>;
  /** When the body has been read to its end. */
  sums(): PackedSums;
}

/** What was read is not what was written. The message says how. */
export class Unsound extends Error {
  override readonly name = 'Unsound';
}

const PIECE_BYTES = 256 * 1024;

export function pack(plain: AsyncIterable<Uint8Array>): Packing {
  const before = new Sum();
  const after = new Sum();
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: PIECE_BYTES });
  return {
    body: after.counting(through(before.counting(plain), gzip)),
    sums: () => ({ ...before.end(), storedBytes: after.end().bytes, storedSha256: after.end().sha256 }),
  };
}

/** The plain bytes of packed ones. Until it has ended without an error nothing of it is to be believed.
 *  @throws Unsound · what `packed` throws */
export async function* unpack(packed: AsyncIterable<Uint8Array>, expected: PackedSums): AsyncGenerator<Uint8Array> {
  const before = new Sum();
  const after = new Sum();
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  try {
    for await (const piece of through(before.counting(upTo(packed, expected.storedBytes)), gunzip)) {
      after.add(piece);
      if (after.bytes > expected.bytes) throw new Unsound(`it has more than ${expected.bytes} bytes unpacked`);
      yield piece;
    }
  } catch (error) {
    throw isZlib(error) ? new Unsound(`it cannot be unpacked (${(error as Error).message})`) : error;
  }
  mustBe('bytes', before.end().bytes, expected.storedBytes);
  mustBe('SHA-256', before.end().sha256, expected.storedSha256);
  mustBe('bytes unpacked', after.end().bytes, expected.bytes);
  mustBe('SHA-256 unpacked', after.end().sha256, expected.sha256);
}

/** The packed bytes as they are, checked. @throws Unsound · what `packed` throws */
export async function* checkedPacked(packed: AsyncIterable<Uint8Array>, expected: PackedSums): AsyncGenerator<Uint8Array> {
  const sum = new Sum();
  yield* sum.counting(upTo(packed, expected.storedBytes));
  mustBe('bytes', sum.end().bytes, expected.storedBytes);
  mustBe('SHA-256', sum.end().sha256, expected.storedSha256);
}

async function* upTo(pieces: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new Unsound(`it has more than ${bytesMax} bytes`);
    yield piece;
  }
}

function mustBe(what: string, found: number | string, expected: number | string): void {
  if (found !== expected) throw new Unsound(`it has ${what} ${found}, not ${expected}`);
}

function isZlib(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_');
}

async function* through(source: AsyncIterable<Uint8Array>, zlib: NodeJS.ReadWriteStream): AsyncGenerator<Uint8Array> {
  // An error of the source destroys the other end with it, which the loop below then throws.
  pipeline(Readable.from(source, { objectMode: false }), zlib, () => {});
  for await (const piece of zlib) yield piece as Buffer;
}

class Sum {
  readonly #hash = createHash('sha256');
  #ended: { readonly bytes: number; readonly sha256: string } | null = null;
  bytes = 0;

  add(piece: Uint8Array): void {
    this.bytes += piece.length;
    this.#hash.update(piece);
  }

  async *counting(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.add(piece);
      yield piece;
    }
  }

  end(): { readonly bytes: number; readonly sha256: string } {
    this.#ended ??= { bytes: this.bytes, sha256: this.#hash.digest('hex') };
    return this.#ended;
  }
}
