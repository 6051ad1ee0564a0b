/** A process that puts one object into a folder, for tests that kill it or give it a small disk:
 *
 *    node putting-child.js FOLDER BYTES    prints {"bytes"} or {"type","details"} of what came out; BYTES 0: never ends */

import { openFolderTarget } from '../../src/backup/folder-target.js';
import { systemClock } from '../../src/model/clock.js';
import { SkeinError } from '../../src/model/errors.js';
import { keysOf } from './backup-targets.js';

const PIECE = Buffer.alloc(64 * 1024, 1);

async function* pieces(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; bytes === 0 || left > 0; left -= PIECE.length) {
    yield PIECE.subarray(0, bytes === 0 ? PIECE.length : Math.min(left, PIECE.length));
  }
}

const [folder = '', bytes = '0'] = process.argv.slice(2);
try {
  const target = await openFolderTarget({ folder, writer: 'node-1', stallMs: 10_000, clock: systemClock });
  const put = await target.put('objects/one', pieces(Number(bytes))).catch((error: unknown) => {
    if (error instanceof SkeinError) return { type: error.type, details: error.details };
    throw error;
  });
  console.log(JSON.stringify({ ...put, keys: await keysOf(target) }));
} catch (error) {
  console.log(JSON.stringify({ failed: String(error) }));
}
