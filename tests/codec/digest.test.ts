/** The digest: order plays no part, every bit of a point counts, and the 128-bit sums are true sums. */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { aliasHash, bucketOf, contentHash, type HashedPoint, Sum128 } from '../../src/codec/digest.js';
import { FIXED } from '../../src/model/limits.js';
import { suite } from '../support/suite.js';

const test = suite('codec/digest');

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

test('a sum equals arithmetic modulo 2^128', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), sixteen), { maxLength: 20 }), (steps) => {
      const sum = new Sum128();
      let expected = 0n;
      for (const [plus, bytes] of steps) {
        if (plus) sum.add(bytes);
        else sum.subtract(bytes);
        expected = BigInt.asUintN(128, plus ? expected + toBigInt(bytes) : expected - toBigInt(bytes));
      }
      assert.is(toBigInt(sum.toBytes()), expected);
    }),
  );
});

test('every part of a point changes its hash', () => {
  const point: HashedPoint = {
    uid: 1,
    idBytes: Buffer.from([1, 2]),
    version: 3,
    expiresAtMs: null,
    vectorSet: Buffer.from([4, 5, 6, 7]),
    payload: Buffer.from('{}'),
  };
  const others: Partial<HashedPoint>[] = [
    { uid: 2 },
    { idBytes: Buffer.from([1, 3]) },
    { version: 4 },
    { expiresAtMs: 0 },
    { vectorSet: Buffer.from([4, 5, 6, 8]) },
    { payload: Buffer.from('[]') },
    { vectorSet: Buffer.from([4, 5, 6]), payload: Buffer.from([7, 2, 0, 0, 0, 0x7b, 0x7d]) },
  ];
  const hashes = [point, ...others.map((other) => ({ ...point, ...other }))].map((each) => contentHash(each).toString('hex'));
  assert.is(new Set(hashes).size, hashes.length);
});

test('an alias is hashed as its definition says, name and collection', () => {
  const bytes = Buffer.concat([Buffer.from([1, 0xc3, 7, 0, 0, 0, 1, 0, 0, 0]), Buffer.from('films')]);
  const expected = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  assert.is(aliasHash({ name: 'films', uid: 2 ** 32 + 7 }).toString('hex'), expected);
});

test('buckets cover the tree evenly enough', () => {
  const counts = new Uint32Array(FIXED.digestBuckets);
  const points = 64 * FIXED.digestBuckets;
  for (let i = 0; i < points; i++) {
    const bucket = bucketOf(Buffer.from(`point ${i}`));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  assert.ok(Math.min(...counts) > 16 && Math.max(...counts) < 160);
});

test.run();
