/** Bytes of documents: what goes in comes out, stays where it is, and is never read beyond its end. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  DocumentBytes,
  DocumentEncoder,
  decodeDocument,
  noTerms,
  pushTerm,
  readNumber,
  type TermCounts,
  writeNumber,
} from '../../src/text-index/document-bytes.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/document-bytes');

type Pairs = readonly (readonly [term: number, count: number])[];

function listOf(pairs: Pairs): TermCounts {
  const list = noTerms();
  for (const [term, count] of pairs) pushTerm(list, term, count);
  return list;
}

function pairsOf({ terms, counts, size }: TermCounts): Pairs {
  return Array.from({ length: size }, (_, i) => [terms[i] as number, counts[i] as number]);
}

const pair = fc.tuple(
  fc.oneof(fc.nat(100), fc.nat(100_000), fc.integer({ min: 2 ** 32 - 5, max: 2 ** 32 - 1 })),
  fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300_000 })),
);

test('documents of any size are read back as they were written, in any order, as often as wanted', () => {
  fc.assert(
    fc.property(fc.array(fc.array(pair, { maxLength: 600 }), { maxLength: 40 }), (documents) => {
      const bytes = new DocumentBytes();
      const encoder = new DocumentEncoder();
      const addresses = documents.map((document) => bytes.append(encoder.encode(listOf(document))));
      const list = noTerms();
      for (const turn of [addresses.keys(), [...addresses.keys()].reverse()]) {
        for (const i of turn) {
          decodeDocument(bytes.from(addresses[i] as number), list);
          assert.equal(pairsOf(list), documents[i]);
        }
      }
    }),
  );
});

test('what was read once stays as it was while more is added', () => {
  const bytes = new DocumentBytes();
  const encoder = new DocumentEncoder();
  const first = bytes.from(bytes.append(encoder.encode(listOf([[7, 3]]))));
  for (let i = 0; i < 100_000; i++)
    bytes.append(
      encoder.encode(
        listOf([
          [i, 1],
          [i + 1, 2],
        ]),
      ),
    );
  const list = noTerms();
  assert.is(decodeDocument(first, list), 3);
  assert.equal(pairsOf(list), [[7, 3]]);
});

test('common terms take two bytes at most, and what the chunks hold is told', () => {
  const bytes = new DocumentBytes();
  const document = new DocumentEncoder().encode(listOf(Array.from({ length: 60 }, (_, i) => [i * 100, 1])));
  assert.ok(document.length <= 121);
  for (let i = 0; i < 20_000; i++) bytes.append(document);
  assert.ok(bytes.memoryBytes >= 20_000 * document.length && bytes.memoryBytes < 20_000 * document.length + 2 ** 21);
});

test('bytes that end too early are refused', () => {
  const whole = Uint8Array.from(
    new DocumentEncoder().encode(
      listOf([
        [5, 1],
        [300, 1],
        [7, 1_000],
      ]),
    ),
  );
  for (let length = 0; length < whole.length; length++)
    assert.throws(() => decodeDocument(whole.subarray(0, length), noTerms()), /end within a number/);
});

test('numbers up to the greatest exact integer are read as they were written', () => {
  const buffer = new Uint8Array(16);
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const end = writeNumber(buffer, 1, value);
      const reader = { bytes: buffer.subarray(0, end), at: 1 };
      assert.is(readNumber(reader), value);
      assert.is(reader.at, end);
    }),
  );
});

test.run();
