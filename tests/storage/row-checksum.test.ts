/** The checksum of a row against its documented form, with golden values. */

import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { columnChecksum, isCount, rowChecksum } from '../../src/storage/row-checksum.js';
import { suite } from '../support/suite.js';

const test = suite('storage/row-checksum');

/** The form as docs/STORAGE_FORMAT.md has it, written plainly. */
function plain(numbers: readonly (number | null)[], blobs: readonly Uint8Array[]): number {
  const head = Buffer.alloc(8 * (numbers.length + blobs.length));
  const all = [...numbers, ...blobs.map((blob) => blob.length)];
  for (const [i, number] of all.entries()) head.writeDoubleLE(number ?? -1, 8 * i);
  return crc32(Buffer.concat([head, ...blobs])) | 0;
}

test('the checksum is the CRC32 of the documented bytes, whatever their sizes', () => {
  const numbers = fc.array(fc.option(fc.maxSafeNat()), { maxLength: 12 });
  const blobs = fc.array(fc.uint8Array({ maxLength: 3_000, size: 'max' }), { maxLength: 4 });
  fc.assert(
    fc.property(numbers, blobs, (some, bytes) => rowChecksum(some, bytes) === plain(some, bytes)),
    { numRuns: 300 },
  );
});

test('the golden checksum of version 1 stays', () => {
  assert.is(rowChecksum([2 ** 31 + 7, null, 2 ** 53 - 1], [Buffer.from('id'), Buffer.alloc(0)]), -680_992_725);
  assert.is(columnChecksum(Buffer.from('123456789')), 0xcbf43926 | 0);
});

test('moving a byte from one column to the next changes it', () => {
  assert.is.not(rowChecksum([1], [Buffer.from('ab'), Buffer.from('c')]), rowChecksum([1], [Buffer.from('a'), Buffer.from('bc')]));
});

test('numbers that are not safe integers are refused', () => {
  for (const bad of [2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => rowChecksum([bad], []), /safe integer/);
  assert.ok(isCount(0) && isCount(2 ** 53 - 1));
  assert.not(isCount(-1) || isCount(1.5) || isCount('1') || isCount(null) || isCount(1n));
});

test.run();
