/** The door of decoding: both forms, every task, and which buffers can be moved. */

import { pack } from 'msgpackr';
import * as assert from 'uvu/assert';
import { floatBytes, packMessage } from '../../src/codec/msgpack.js';
import { type BodyTask, buffersOf, decodeBody } from '../../src/wire/decode-body.js';
import type { WriteRules } from '../../src/wire/write-bodies.js';
import { refusalOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('wire/decode-body');
const RULES: WriteRules = { pointsPerRequestMax: 10, payloadBytesMax: 1_000, vectors: {} };

test('an empty body and text behind the value are refused', () => {
  assert.is(refusalOf(() => decodeBody(Buffer.alloc(0), 'json', { kind: 'plain' })).type, 'InvalidJson');
  assert.is(refusalOf(() => decodeBody(Buffer.from('{}x'), 'json', { kind: 'plain' })).type, 'InvalidJson');
  assert.is(refusalOf(() => decodeBody(Buffer.from([0x80, 0x80]), 'msgpack', { kind: 'plain' })).type, 'InvalidJson');
});

test('a search keeps its vector as floats and everything else as plain data', () => {
  const vector = Float32Array.from([0.5, 2]);
  const packed = decodeBody(packMessage({ vector: floatBytes(vector), limit: 3, with_payload: false }), 'msgpack', {
    kind: 'search',
  });
  const text = decodeBody(Buffer.from('{"limit":3,"with_payload":false,"vector":[0.5,2]}'), 'json', { kind: 'search' });
  assert.equal(packed, text);
  assert.equal(text, { vector, fields: { limit: 3, with_payload: false }, path: '' });
});

test('a search batch names its searches', () => {
  const body = { searches: [{ id: 1 }, { vector: [1, null] }], max_wait_ms: 5 };
  const record = refusalOf(() => decodeBody(packMessage(body), 'msgpack', { kind: 'search_batch', searchesMax: 2 }));
  assert.equal([record.type, record.details['path']], ['InvalidVector', 'searches[1].vector[1]']);
  const over = refusalOf(() => decodeBody(packMessage(body), 'msgpack', { kind: 'search_batch', searchesMax: 1 }));
  assert.is(over.details['limit'], 1);
});

test('an integer that would lose digits is refused by its place, also where the body is read as a whole', () => {
  const plain = { kind: 'plain' } as const;
  const pathOf = (body: Uint8Array, form: 'json' | 'msgpack', task: BodyTask = plain): unknown => {
    const record = refusalOf(() => decodeBody(body, form, task));
    assert.is(record.type, 'InvalidRequest');
    return (record.details['issues'] as { path: string }[])[0]?.path;
  };
  const big = 2n ** 60n;
  const cases: readonly (readonly [path: string, json: string, plain: unknown])[] = [
    ['ids[1]', `{"big":1e300,"ids":[1,${big}]}`, { big: 1e300, ids: [1, big] }],
    ['filter.must[0].match.any[2]', `{"filter":{"must":[{"match":{"any":["a",{},${big}]}}]}}`, nested(big)],
    ['', String(big), big],
  ];
  for (const [path, json, value] of cases) {
    assert.is(pathOf(Buffer.from(json), 'json'), path);
    assert.is(pathOf(pack(value), 'msgpack'), path);
  }
  assert.is(pathOf(Buffer.from(`{"vector":[${big}],"limit":${big}}`), 'json', { kind: 'search' }), 'limit');
});

function nested(big: bigint): unknown {
  return { filter: { must: [{ match: { any: ['a', {}, big] } }] } };
}

test('hashes are made when asked for', () => {
  const body = Buffer.from('{"points":[{"id":1,"vector":[1]}]}');
  const task = { kind: 'upsert', collection: 'c', rules: RULES } as const;
  assert.is(decodeBody(body, 'json', { ...task, hashed: false }).hash, null);
  assert.is(decodeBody(body, 'json', { ...task, hashed: true }).hash?.length, 32);
});

test('decoded data crosses a thread border with its buffers moved', () => {
  const points = [
    { id: 1, vector: [1, 2], payload: { a: 1 } },
    { id: 2, vector: [3, 4] },
  ];
  const rules = { ...RULES, vectors: { c: { dimension: 2, distance: null } } };
  const body = Buffer.from(JSON.stringify({ points }));
  const lines = { dimension: 2, distance: null, payloadBytesMax: 1_000, firstLine: 1, single: false, hashFor: 'c' } as const;
  for (const decoded of [
    decodeBody(body, 'json', { kind: 'upsert', collection: 'c', rules, hashed: true }),
    decodeBody(body, 'json', { kind: 'patch', collection: 'c', rules, hashed: true }),
    decodeBody(Buffer.from(points.map((point) => JSON.stringify(point)).join('\n')), 'json', { kind: 'import', rules: lines }),
  ]) {
    const before = structuredClone(decoded);
    const buffers = buffersOf(decoded);
    assert.ok(buffers.length >= 2);
    const moved = structuredClone(decoded, { transfer: buffers });
    assert.equal(moved, before);
    for (const buffer of buffers) assert.is(buffer.byteLength, 0, 'was moved, not copied');
  }
});

test.run();
