/** Heads come back as they were written, and no byte of them can change unseen. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DISTANCES } from '../../src/model/distance.js';
import { FIXED } from '../../src/model/limits.js';
import { decodeHead, encodeHead, type StoredHead, type StoredPart } from '../../src/vector-index/checkpoint-head.js';
import { NO_MARKS } from '../../src/vector-index/hnsw-graph.js';
import { VECTOR_FORMS } from '../../src/vector-index/vector-index.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/checkpoint-head');

const number = fc.maxSafeNat();
const plain = { noNullPrototype: true };
const label = fc.nat(FIXED.labelMax);
const labels = fc.uniqueArray(label).map((list) => Uint32Array.from(list).sort());
const part: fc.Arbitrary<StoredPart> = fc.record(
  {
    live: number,
    dataBytes: number,
    dataSha256: fc.stringMatching(/^[0-9a-f]{64}$/),
    removed: labels,
    unranked: fc
      .array(
        fc.tuple(
          label,
          fc.integer({ min: -149, max: 149 }).map((exponent) => 2 ** exponent),
        ),
      )
      .map((marks) => new Map(marks.sort(([a], [b]) => a - b))),
    twins: fc.array(fc.tuple(number, labels)).map((groups) => new Map(groups)),
  },
  plain,
);
const head: fc.Arbitrary<StoredHead> = fc.record(
  {
    format: fc.constant(4 as const),
    uid: number,
    labelGeneration: number,
    seq: number,
    nextLabel: number,
    parameters: fc.record(
      {
        dimension: number,
        distance: fc.constantFrom(...DISTANCES),
        m: number,
        efConstruct: number,
        quantization: fc.constantFrom(...VECTOR_FORMS),
      },
      plain,
    ),
    parts: fc.array(part, { minLength: 1, maxLength: 2 }),
  },
  plain,
);

test('a head reads back as it was written', () => {
  fc.assert(fc.property(head, (written) => assert.equal(decodeHead(encodeHead(written)), written)));
});

test('a changed, missing or added byte anywhere is refused', () => {
  const text = encodeHead({
    format: 4,
    uid: 3,
    labelGeneration: 0,
    seq: 17,
    nextLabel: 300,
    parameters: { dimension: 4, distance: 'cosine', m: 16, efConstruct: 200, quantization: 'none' },
    parts: [
      {
        live: 200,
        dataBytes: 12_345,
        dataSha256: 'ab'.repeat(32),
        removed: Uint32Array.from([1, 2, 200, 299]),
        unranked: new Map([
          [3, 2 ** 40],
          [298, 2 ** -40],
        ]),
        twins: new Map([[1, Uint32Array.from([7, 8])]]),
      },
      { live: 1, dataBytes: 96, dataSha256: 'cd'.repeat(32), ...NO_MARKS },
    ],
  });
  for (let at = 0; at < text.length; at++) {
    for (const other of [' ', '0', '1', 'a', '"', '}', String.fromCharCode(text.charCodeAt(at) ^ 1)]) {
      if (text[at] === other) continue;
      assert.throws(() => decodeHead(text.slice(0, at) + other + text.slice(at + 1)));
    }
    assert.throws(() => decodeHead(text.slice(0, at)));
    assert.throws(() => decodeHead(`${text.slice(0, at)} ${text.slice(at)}`));
  }
});

test('other JSON than a head is refused', () => {
  for (const text of ['', 'null', '[]', '{}', '{"head":{}}', '{"head":null,"sha256":""}', '{"head":{"format":1}}']) {
    assert.throws(() => decodeHead(text));
  }
});

test('a head of another format is refused as such, whatever it holds', () => {
  assert.throws(() => decodeHead('{"head":{"format":3,"kind":"graph"},"sha256":""}'), /format 3 is not known/);
});

test.run();
