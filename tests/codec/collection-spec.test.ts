/** The byte form of a collection's spec: one golden file per version, round trips of anything, and old bytes for what declares nothing. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { decodeSpec, encodeSpec } from '../../src/codec/collection-spec.js';
import {
  type CollectionSpec,
  NOTHING_DECLARED,
  PAYLOAD_INDEX_TYPES,
  QUANTIZATION_TYPES,
  TEXT_LANGUAGES,
} from '../../src/model/collection.js';
import { wholeStrictMode } from '../../src/model/strict-mode.js';
import { suite } from '../support/suite.js';

const test = suite('codec/collection-spec');

const PLAIN: CollectionSpec = {
  dimension: 384,
  distance: 'cosine',
  hnsw: { m: 16, efConstruct: 200, efSearch: 64 },
  ttlMs: 86_400_000,
  createdAtMs: 1_790_000_000_123,
  ...NOTHING_DECLARED,
};
const DECLARED: CollectionSpec = {
  ...PLAIN,
  text: { fields: ['title', 'body.de'], language: 'german', stopWords: ['und', 'über'], k1: 0.9, b: 0.4 },
  payloadIndexes: [
    { path: 'year', type: 'integer' },
    { path: 'place', type: 'geo' },
  ],
  quantization: { type: 'int8', rescore: true, oversampling: 3 },
};

const STRICT: CollectionSpec = {
  ...DECLARED,
  strictMode: wholeStrictMode({ enabled: true, conditionMaxSize: 100, unindexedFilteringRetrieve: false, readRateLimit: 600 }),
};

const NAMED: CollectionSpec = {
  ...PLAIN,
  dimension: null,
  distance: null,
  vectors: [
    {
      name: 'image',
      generation: 0,
      dimension: 512,
      distance: 'dot',
      hnsw: { m: 32, efConstruct: 100, efSearch: 80 },
      quantization: { type: 'float16', rescore: false, oversampling: 2 },
    },
    {
      name: 'title ü',
      generation: 2,
      dimension: 3,
      distance: 'euclid',
      hnsw: { m: 16, efConstruct: 200, efSearch: 64 },
      quantization: null,
    },
  ],
  sparseVectors: [{ name: 'words', generation: 1, modifier: 'idf' }],
  vectorGeneration: 2,
};

const LENGTHS: CollectionSpec = { ...DECLARED, text: { ...DECLARED.text, wordLength: { min: 2, max: 20 } } };

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 });
const distance = fc.constantFrom('cosine' as const, 'dot' as const, 'euclid' as const);
const hnsw = fc.record({ m: fc.nat(64), efConstruct: fc.nat(500), efSearch: fc.nat(500) });
const quantization = fc.option(
  fc.record({
    type: fc.constantFrom(...QUANTIZATION_TYPES),
    rescore: fc.boolean(),
    oversampling: fc.double({ min: 1, max: 100, noNaN: true }),
  }),
);
const generated: fc.Arbitrary<CollectionSpec> = fc.record({
  dimension: fc.integer({ min: 1, max: 65_535 }),
  distance,
  hnsw,
  ttlMs: fc.option(fc.nat()),
  createdAtMs: fc.nat(),
  text: fc.oneof(
    fc.constant(NOTHING_DECLARED.text),
    fc.record({
      fields: fc.array(word, { maxLength: 3 }),
      language: fc.constantFrom(...TEXT_LANGUAGES),
      stopWords: fc.oneof(fc.constant('default' as const), fc.array(word, { maxLength: 3 })),
      k1: fc.double({ min: 0, max: 10, noNaN: true }).map((value) => value + 0),
      b: fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0),
    }),
    fc
      .record({ min: fc.integer({ min: 1, max: 9 }), max: fc.integer({ min: 9, max: 128 }) })
      .map((wordLength) => ({ ...NOTHING_DECLARED.text, wordLength })),
  ),
  payloadIndexes: fc.array(fc.record({ path: word, type: fc.constantFrom(...PAYLOAD_INDEX_TYPES) }), { maxLength: 3 }),
  quantization,
  vectors: fc.array(fc.record({ name: word, generation: fc.nat(3), dimension: fc.nat(9), distance, hnsw, quantization }), {
    maxLength: 2,
  }),
  sparseVectors: fc.array(fc.record({ name: word, generation: fc.nat(3), modifier: fc.constantFrom(null, 'idf' as const) }), {
    maxLength: 2,
  }),
  vectorGeneration: fc.nat(3),
  strictMode: fc.option(
    fc
      .record({ enabled: fc.boolean(), maxTimeout: fc.option(fc.nat()), searchAllowExact: fc.option(fc.boolean()) })
      .map((given) => wholeStrictMode(given)),
  ),
});
/** Ordinary objects: some of fast-check's have no prototype. */
const spec = generated.map((given) => structuredClone(given));

function golden(version: number): string {
  return readFileSync(new URL(`../../../tests/codec/collection-spec-v${version}.golden`, import.meta.url), 'utf8').trim();
}

/** Each change alone of the golden bytes of a version makes them no spec. */
function refusedWith(version: number, changes: readonly (readonly [from: string, to: string])[]): void {
  for (const [from, to] of changes)
    assert.throws(() => decodeSpec(Buffer.from(golden(version).replace(from, to))), RangeError, to);
}

test('a spec that declares nothing is read and written as version 1, byte for byte', () => {
  assert.is(encodeSpec(PLAIN).toString(), golden(1));
  assert.equal(decodeSpec(Buffer.from(golden(1))), PLAIN);
});

test('a spec that declares something is read and written as version 2, byte for byte', () => {
  assert.is(encodeSpec(DECLARED).toString(), golden(2));
  assert.equal(decodeSpec(Buffer.from(golden(2))), DECLARED);
});

test('a spec with a strict mode is read and written as version 3, byte for byte, whatever the order it was given in', () => {
  assert.is(encodeSpec(STRICT).toString(), golden(3));
  assert.equal(decodeSpec(Buffer.from(golden(3))), STRICT);
  refusedWith(3, [
    ['"v":3', '"v":2'],
    ['"readRateLimit"', '"laterLimit"'],
  ]);
});

test('a spec with other vectors than the default one is read and written as version 4, byte for byte', () => {
  assert.is(encodeSpec(NAMED).toString(), golden(4));
  assert.equal(decodeSpec(Buffer.from(golden(4))), NAMED);
  refusedWith(4, [
    ['"v":4', '"v":3'],
    ['"idf"', '"tf"'],
    ['"euclid"', '"manhattan"'],
    ['"float16"', '"float8"'],
    ['"distance":null', '"distance":"dot"'],
  ]);
  const removed = { ...PLAIN, vectorGeneration: 1 };
  assert.equal(decodeSpec(encodeSpec(removed)), removed, 'that a name was taken away is not forgotten');
});

test('a spec that passes over words by their length is read and written as version 5, byte for byte', () => {
  assert.is(encodeSpec(LENGTHS).toString(), golden(5));
  assert.equal(decodeSpec(Buffer.from(golden(5))), LENGTHS);
  refusedWith(5, [
    ['"v":5', '"v":4'],
    ['"v":5', '"v":6'],
    ['"min":2', '"min":21'],
    ['"min":2', '"min":0'],
    ['"max":20', '"max":129'],
    ['"wordLength"', '"wordLengths"'],
  ]);
});

test('a spec comes back from its bytes as it was, and equal specs have equal bytes', () => {
  fc.assert(
    fc.property(spec, (given) => {
      const encoded = encodeSpec(given);
      const decoded = decodeSpec(encoded);
      assert.equal(decoded, given);
      const turned = Object.fromEntries(Object.entries(decoded).reverse()) as unknown as CollectionSpec;
      assert.is(encodeSpec(turned).toString(), encoded.toString());
    }),
    { numRuns: 300 },
  );
});

test('a spec of another version, or with words of another version, is refused', () => {
  for (const [from, to] of [
    ['"v":2', '"v":3'],
    ['"cosine"', '"manhattan"'],
    ['"german"', '"klingon"'],
    ['"geo"', '"colour"'],
    ['"int8"', '"int4"'],
  ] as const) {
    assert.throws(() => decodeSpec(Buffer.from(golden(2).replace(from, to))), RangeError, to);
  }
});

test.run();
