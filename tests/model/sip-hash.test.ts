/** SipHash-2-4 against what its authors and another implementation say. */

import * as assert from 'uvu/assert';
import { sliceOf } from '../../src/model/id-slice.js';
import { sipHash } from '../../src/model/sip-hash.js';
import { suite } from '../support/suite.js';

const test = suite('model/sip-hash');

/** The algorithm of the paper, word for word, over big integers, with any key. */
function plainSipHash(bytes: Uint8Array, key: readonly [bigint, bigint] = [0n, 0n]): bigint {
  const mask = (value: bigint): bigint => BigInt.asUintN(64, value);
  const turned = (value: bigint, bits: bigint): bigint => mask((value << bits) | (value >> (64n - bits)));
  let v0 = key[0] ^ 0x736f6d6570736575n;
  let v1 = key[1] ^ 0x646f72616e646f6dn;
  let v2 = key[0] ^ 0x6c7967656e657261n;
  let v3 = key[1] ^ 0x7465646279746573n;
  const round = (): void => {
    v0 = mask(v0 + v1);
    v1 = turned(v1, 13n) ^ v0;
    v0 = turned(v0, 32n);
    v2 = mask(v2 + v3);
    v3 = turned(v3, 16n) ^ v2;
    v0 = mask(v0 + v3);
    v3 = turned(v3, 21n) ^ v0;
    v2 = mask(v2 + v1);
    v1 = turned(v1, 17n) ^ v2;
    v2 = turned(v2, 32n);
  };
  const padded = new Uint8Array((Math.floor(bytes.length / 8) + 1) * 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length;
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const word = view.getBigUint64(at, true);
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
  v2 ^= 0xffn;
  for (let count = 0; count < 4; count++) round();
  return v0 ^ v1 ^ v2 ^ v3;
}

const upTo = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at);

test('the reading of the paper gives the value of the paper', () => {
  assert.is(plainSipHash(upTo(15), [0x0706050403020100n, 0x0f0e0d0c0b0a0908n]), 0xa129ca6149be45e5n);
});

test('halves of 32 bits give what words of 64 bits give, for every length', () => {
  for (let length = 0; length < 70; length++) {
    const bytes = upTo(length).map((value) => value * 37 + length);
    const { high, low } = sipHash(bytes);
    assert.is((BigInt(high) << 32n) | BigInt(low), plainSipHash(bytes), `${length} bytes`);
  }
});

test('a slice is the hash of the id modulo the number of slices, of integers, UUIDs and texts', () => {
  const bytesOf = new Map<string | number, Uint8Array>([
    [7, Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0)],
    [2 ** 53 - 1, Uint8Array.of(255, 255, 255, 255, 255, 255, 31, 0)],
    ['00010203-0405-0607-0809-0a0b0c0d0e0f', upTo(16)],
    ['00010203-0405-0607-0809-0A0B0C0D0E0F', upTo(16)],
    ['é', Uint8Array.of(0xc3, 0xa9)],
  ]);
  for (const [id, bytes] of bytesOf) {
    for (const total of [1, 2, 7, 1_000, 2 ** 32 - 1])
      assert.is(sliceOf(id, total), Number(plainSipHash(bytes) % BigInt(total)), `${id} of ${total}`);
  }
});

test('slices are of about one size', () => {
  const counts = new Array<number>(8).fill(0);
  for (let id = 0; id < 8_000; id++) counts[sliceOf(id, 8)] = (counts[sliceOf(id, 8)] ?? 0) + 1;
  for (const count of counts) assert.ok(count > 850 && count < 1_150, `${counts}`);
});

test.run();
