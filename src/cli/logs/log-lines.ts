/** The lines of a log file, plain or gzip, one at a time. A line that is too long, or cut off by the end of a damaged file, is given as
 *  null. Must not know: what the lines say. */

import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

const LINE_BYTES_MAX = 1024 * 1024;
const GZIP = Buffer.from([0x1f, 0x8b]);
const LINE_END = 0x0a;

/** @throws Error when the file cannot be read */
export async function* logLines(path: string): AsyncGenerator<string | null> {
  const lines = new LineCutter();
  try {
    for await (const chunk of await bytesOf(path)) yield* lines.push(chunk as Buffer);
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    // What was packed before the damage is good; what follows cannot be told.
    yield null;
    return;
  }
  yield* lines.end();
}

async function bytesOf(path: string): Promise<Readable> {
  const file = await open(path);
  const begin = Buffer.alloc(2);
  let bytesRead: number;
  try {
    ({ bytesRead } = await file.read(begin, 0, 2, 0));
  } finally {
    await file.close();
  }
  const stream = createReadStream(path);
  if (bytesRead < 2 || !begin.equals(GZIP)) return stream;
  const plain = createGunzip();
  stream.on('error', (error) => plain.destroy(error));
  return stream.pipe(plain);
}

class LineCutter {
  #rest: Buffer = Buffer.alloc(0);
  /** The line that comes is longer than any should be. */
  #passing = false;

  *push(chunk: Buffer): Generator<string | null> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END)) {
      if (this.#passing) this.#passing = false;
      else if (end > 0) yield bytes.toString('utf8', 0, end);
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > LINE_BYTES_MAX) {
      if (!this.#passing) yield null;
      this.#passing = true;
    }
    this.#rest = this.#passing ? Buffer.alloc(0) : bytes;
  }

  *end(): Generator<string | null> {
    if (!this.#passing && this.#rest.length > 0) yield this.#rest.toString();
  }
}
