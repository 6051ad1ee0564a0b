/** Where the bytes of an export go.
 *
 *  Invariant: a file appears under its name only when it is whole and on disk; a failure leaves what was there before and nothing else. */

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../model/errors.js';
import { printPatiently, type TextStream } from '../surroundings.js';

/** @param pieces of text */
export async function toStream(pieces: AsyncIterable<Uint8Array>, output: TextStream): Promise<void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const piece of pieces) await printPatiently(output, decoder.decode(piece, { stream: true }));
}

/** @throws Error that names what was asked for, not what stands beside it */
function opened(temporary: string, path: string): number {
  try {
    return openSync(temporary, 'w');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new Error(`${path} cannot be written: ${missing ? `there is no folder ${dirname(path)}` : messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Writes beside the name, then takes the name. */
export async function toFile(pieces: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = opened(temporary, path);
  try {
    for await (const piece of pieces) for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
    fsyncSync(file);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}
