/** The byte form of entries: round trips of anything, one golden file per version, and no byte read beyond its end. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { decodeEntry, encodeEntry, readEntryHead } from '../../src/codec/entry.js';
import { encodeVectorSet } from '../../src/codec/vector-set.js';
import { NOTHING_DECLARED } from '../../src/model/collection.js';
import type { Effect, Entry } from '../../src/model/entry.js';
import type { NamedVectors } from '../../src/model/point.js';
import { anyAccessKey, KNOWN_KEY } from '../support/any-access-key.js';
import { suite } from '../support/suite.js';

const test = suite('codec/entry');

const integer = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const id = fc.oneof(integer, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }));
const bytes = fc.uint8Array({ maxLength: 40 });
const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });
const dense = fc
  .array(float32, { minLength: 1, maxLength: 9 })
  .map((values) => ({ kind: 'dense' as const, values: new Float32Array(values) }));
const sparse = fc.array(float32, { maxLength: 5 }).map((values) => ({
  kind: 'sparse' as const,
  indices: Uint32Array.from(values.keys()),
  values: new Float32Array(values),
}));
const vectors: fc.Arbitrary<NamedVectors> = fc.oneof(
  dense.map((vector) => new Map([['', vector]])),
  fc
    .dictionary(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.oneof(dense, sparse), { maxKeys: 4 })
    .map((named) => new Map(Object.entries(named))),
);
const vectorSet = vectors.map(encodeVectorSet);
const point = fc.record({ id, vectorSet, payload: bytes, expiresAtMs: fc.option(fc.integer({ min: 0, max: 4e12 })) });
const spec = fc.record({
  dimension: fc.integer({ min: 1, max: 65_535 }),
  distance: fc.constantFrom('cosine' as const, 'dot' as const, 'euclid' as const),
  hnsw: fc.record({ m: fc.nat(64), efConstruct: fc.nat(500), efSearch: fc.nat(500) }),
  ttlMs: fc.option(fc.nat()),
  createdAtMs: fc.nat(),
  text: fc.constant(NOTHING_DECLARED.text),
  payloadIndexes: fc.constant(NOTHING_DECLARED.payloadIndexes),
  quantization: fc.constant(NOTHING_DECLARED.quantization),
  strictMode: fc.constant(NOTHING_DECLARED.strictMode),
  vectors: fc.constant(NOTHING_DECLARED.vectors),
  sparseVectors: fc.constant(NOTHING_DECLARED.sparseVectors),
  vectorGeneration: fc.constant(0),
});
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const hexId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((value) => Buffer.from(value).toString('hex'));
const port = fc.nat(65_535);
const effect: fc.Arbitrary<Effect> = fc.oneof(
  fc.record({ kind: fc.constant('noop' as const) }),
  fc.record({ kind: fc.constant('put_points' as const), uid: integer, points: fc.array(point, { maxLength: 4 }) }),
  fc.record({ kind: fc.constant('delete_points' as const), uid: integer, ids: fc.array(id, { maxLength: 5 }) }),
  fc.record({ kind: fc.constant('create_collection' as const), uid: integer, name: fc.string({ maxLength: 20 }), spec }),
  fc.record({ kind: fc.constant('update_collection' as const), uid: integer, spec }),
  fc.record({ kind: fc.constant('drop_collection' as const), uid: integer }),
  fc.record({ kind: fc.constant('remember' as const), scope: hash, body: hash, results: bytes }),
  fc.record({ kind: fc.constant('begin_history' as const), historyId: hexId, nodeId: hexId }),
  fc.record({ kind: fc.constant('put_voter' as const), nodeId: hexId, host: fc.string({ unit: 'grapheme' }), port }),
  fc.record({ kind: fc.constant('remove_voter' as const), nodeId: hexId }),
  fc.record({ kind: fc.constant('put_alias' as const), uid: integer, name: fc.string({ unit: 'grapheme' }) }),
  fc.record({ kind: fc.constant('remove_alias' as const), name: fc.string({ unit: 'grapheme' }) }),
  fc.record({ kind: fc.constant('put_key' as const), key: anyAccessKey }),
  fc.record({ kind: fc.constant('remove_key' as const), id: fc.stringMatching(/^[0-9a-f]{16}$/) }),
);
const entry: fc.Arbitrary<Entry> = fc.record({
  seq: integer,
  epoch: integer,
  firstSeq: integer,
  last: fc.boolean(),
  timeMs: fc.nat(4e12),
  trace: fc.option(fc.stringMatching(/^[0-9a-f-]{1,55}$/)),
  digest: fc.option(fc.uint8Array({ minLength: 16, maxLength: 16 })),
  effect,
});

/** Plain data with typed arrays as bytes and maps as sorted pairs, so that two decodings compare by value. */
function plain(value: unknown): unknown {
  if (value instanceof Float32Array || value instanceof Uint32Array)
    return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  if (value instanceof Uint8Array) return [...value];
  if (value instanceof Map) return [...value].map(([key, item]) => [key, plain(item)]).sort();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}

test('an entry comes back from its bytes as it was, to the last float bit', () => {
  fc.assert(
    fc.property(entry, (given) => {
      const encoded = encodeEntry(given);
      assert.equal(plain(decodeEntry(encoded)), plain(given));
      assert.equal(plain(readEntryHead(encoded)), plain(headOf(given)));
    }),
    { numRuns: 300 },
  );
});

function headOf({ effect: _, ...head }: Entry): Omit<Entry, 'effect'> {
  return head;
}

test('equal entries have equal bytes, whatever the order their vectors were named in', () => {
  const named: [string, { kind: 'dense'; values: Float32Array }][] = [
    ['b', { kind: 'dense', values: new Float32Array([1]) }],
    ['', { kind: 'dense', values: new Float32Array([2, 3]) }],
    ['é', { kind: 'dense', values: new Float32Array([4]) }],
  ];
  const withVectors = (order: typeof named): Buffer =>
    encodeEntry({
      seq: 1,
      epoch: 1,
      firstSeq: 1,
      last: true,
      timeMs: 5,
      trace: null,
      digest: null,
      effect: {
        kind: 'put_points',
        uid: 1,
        points: [{ id: 1, vectorSet: encodeVectorSet(new Map(order)), payload: new Uint8Array(), expiresAtMs: null }],
      },
    });
  assert.equal(withVectors(named), withVectors([...named].reverse()));
});

test('cut or stretched bytes are refused, never misread', () => {
  fc.assert(
    fc.property(entry, fc.nat(), (given, cut) => {
      const encoded = encodeEntry(given);
      const length = cut % encoded.length;
      assert.throws(() => decodeEntry(encoded.subarray(0, length)));
      if (given.effect.kind === 'put_points') assert.throws(() => decodeEntry(Buffer.concat([encoded, Buffer.from([0])])));
    }),
    { numRuns: 300 },
  );
});

test('version 1 is read and written as its golden file says', () => {
  const [golden, ...later] = readFileSync(new URL('../../../tests/codec/entry-v1.golden', import.meta.url), 'utf8')
    .trim()
    .split('\n');
  const known: Entry = {
    seq: 42,
    epoch: 3,
    firstSeq: 41,
    last: true,
    timeMs: 1_790_000_000_123,
    trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    digest: Uint8Array.from({ length: 16 }, (_, i) => i),
    effect: {
      kind: 'put_points',
      uid: 7,
      points: [
        {
          id: 7,
          vectorSet: encodeVectorSet(new Map([['', { kind: 'dense', values: new Float32Array([1, -0, 0.1]) }]])),
          payload: Buffer.from('{"a":1}'),
          expiresAtMs: 99,
        },
        {
          id: '7',
          vectorSet: encodeVectorSet(
            new Map([
              ['', { kind: 'dense' as const, values: new Float32Array([3.4e38]) }],
              ['words', { kind: 'sparse' as const, indices: new Uint32Array([2, 9]), values: new Float32Array([0.5, 2]) }],
            ]),
          ),
          payload: new Uint8Array(),
          expiresAtMs: null,
        },
      ],
    },
  };
  const nodeId = '0123456789abcdef'.repeat(2);
  const effects: readonly Effect[] = [
    { kind: 'begin_history', historyId: 'fedcba9876543210'.repeat(2), nodeId },
    { kind: 'put_voter', nodeId, host: 'büro.example', port: 7_171 },
    { kind: 'remove_voter', nodeId },
    { kind: 'put_alias', name: 'films', uid: 7 },
    { kind: 'remove_alias', name: 'films' },
    { kind: 'put_key', key: KNOWN_KEY },
    { kind: 'remove_key', id: KNOWN_KEY.id },
  ];
  const all = [known, ...effects.map((effect): Entry => ({ ...known, trace: null, effect }))];
  assert.is(all.length, later.length + 1);
  for (const [i, text] of [golden as string, ...later].entries()) {
    const entry = all[i] as Entry;
    assert.is(encodeEntry(entry).toString('hex'), text);
    assert.equal(plain(decodeEntry(Buffer.from(text, 'hex'))), plain(entry));
  }
});

test.run();
