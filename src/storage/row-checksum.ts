/** The CRC32 that stands in every row, over all its columns.
 *
 *    crc = CRC32( numbers | lengths of the byte columns | byte columns ), zlib's polynomial, kept as a signed 32-bit integer
 *    a number is an IEEE 754 double, little-endian; null is −1; text is its UTF-8 bytes
 *
 *  A row whose last column may be large (payload, entry) keeps a CRC of that column beside it, and the row's CRC covers that CRC
 *  instead of the bytes: a scan can then check rows without reading what it does not need.
 *  Must not know: tables, the database. */

import { crc32 } from 'node:zlib';

const SCRATCH_BYTES = 2_048;
const scratchNumbers = new Float64Array(SCRATCH_BYTES / 8);
const scratch = new Uint8Array(scratchNumbers.buffer);
/** The beginnings of the scratch by length, made when they are first needed: a row is read for every hit of every search. */
const beginnings: Uint8Array[] = [];

/** @param numbers safe integers or null, at most 32 of them
 *  @throws RangeError when a number is not a safe integer: such a value would not come back as it went in. Cost: about 0.3 µs. */
export function rowChecksum(numbers: readonly (number | null)[], blobs: readonly Uint8Array[]): number {
  // By position: iterators made here are a tenth of what a search leaves to the garbage collector.
  let count = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number | null;
    if (number !== null && !Number.isSafeInteger(number)) throw new RangeError(`${number} is not a safe integer`);
    scratchNumbers[count++] = number ?? -1;
  }
  for (let i = 0; i < blobs.length; i++) scratchNumbers[count++] = (blobs[i] as Uint8Array).length;
  let at = count * 8;
  let crc = 0;
  let started = false;
  for (let i = 0; i < blobs.length; i++) {
    const blob = blobs[i] as Uint8Array;
    if (at + blob.length <= SCRATCH_BYTES) {
      scratch.set(blob, at);
      at += blob.length;
      continue;
    }
    if (at > 0) crc = crc32(beginning(at), crc);
    crc = crc32(blob, crc);
    at = 0;
    started = true;
  }
  if (at > 0 || !started) crc = crc32(beginning(at), crc);
  return crc | 0;
}

function beginning(length: number): Uint8Array {
  const known = beginnings[length];
  if (known !== undefined) return known;
  const made = scratch.subarray(0, length);
  beginnings[length] = made;
  return made;
}

/** The CRC of one large column. */
export function columnChecksum(bytes: Uint8Array): number {
  return crc32(bytes) | 0;
}

/** Is this cell a number as the store writes them: a whole number from 0 to 2^53−1? */
export function isCount(cell: unknown): cell is number {
  return Number.isSafeInteger(cell) && (cell as number) >= 0;
}

export function isCountOrNull(cell: unknown): cell is number | null {
  return cell === null || isCount(cell);
}

export function isBytes(cell: unknown): cell is Buffer {
  return Buffer.isBuffer(cell);
}
