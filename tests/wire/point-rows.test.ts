/** Points into columns: the same from JSON and MessagePack; every refusal names row, point and component, and leaves nothing behind. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { floatBytes, packMessage } from '../../src/codec/msgpack.js';
import type { ErrorRecord } from '../../src/model/errors.js';
import type { PointBlock } from '../../src/model/point.js';
import { JsonReader } from '../../src/wire/json-reader.js';
import { MsgpackReader } from '../../src/wire/msgpack-reader.js';
import { PointRows, type RowRules } from '../../src/wire/point-rows.js';
import { refusalOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('wire/point-rows');
const RULES: RowRules = { dimension: 2, distance: 'euclid', payloadBytesMax: 100 };

function blockOf(points: readonly unknown[], rules = RULES): PointBlock {
  const rows = new PointRows(rules);
  for (const [index, point] of points.entries()) {
    rows.read(new JsonReader(Buffer.from(JSON.stringify(point))), { list: 'points', index });
  }
  return rows.finish();
}

function refused(point: unknown, rules = RULES): ErrorRecord {
  return refusalOf(() => blockOf([{ id: 'first', vector: [1, 1] }, point], rules));
}

function issueOf(record: ErrorRecord): { path: string; message: string } {
  assert.is(record.type, 'InvalidRequest', record.message);
  return (record.details['issues'] as { path: string; message: string }[])[0] ?? { path: '', message: '' };
}

test('points stand in columns', () => {
  const block = blockOf([
    { id: 7, vector: [1, 2], payload: { a: 'é' } },
    { id: '7', vector: [3, 4], if_version: 0 },
    { vector: [5, 6], id: 'c', payload: {}, expires_at: '2030-01-01T00:00:00.500Z' },
  ]);
  assert.equal(block.ids, [7, '7', 'c']);
  assert.equal([...block.vectors], [1, 2, 3, 4, 5, 6]);
  assert.is(Buffer.from(block.payloadBytes).toString(), '{"a":"é"}');
  assert.equal([...block.payloadEnds], [10, 10, 10]);
  assert.equal([...(block.ifVersions ?? [])], [Number.NaN, 0, Number.NaN]);
  assert.equal([...(block.expiresAt ?? [])], [Number.NaN, Number.NaN, Date.UTC(2030, 0, 1, 0, 0, 0, 500)]);
  assert.is(block.vectors.buffer.byteLength, block.vectors.byteLength, 'in a buffer of its own, to be moved');
});

test('an expiry may be never, and no expiry is for the collection to say', () => {
  const { expiresAt } = blockOf([
    { id: 1, vector: [1, 2], expires_at: 'never' },
    { id: 2, vector: [1, 2] },
  ]);
  assert.equal([...(expiresAt ?? [])], [Number.POSITIVE_INFINITY, Number.NaN]);
});

test('columns that nobody asked for are null', () => {
  const { ifVersions, expiresAt } = blockOf([{ id: 1, vector: [1, 2] }]);
  assert.is(ifVersions, null);
  assert.is(expiresAt, null);
});

test('JSON and MessagePack, listed or binary, give the same block', (t) => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0));
  const payload = fc.dictionary(
    fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
    fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.double({ noNaN: true, min: -(2 ** 53), max: 2 ** 53 })),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ vector: fc.tuple(float, float), payload }), { maxLength: 20 }), (items) => {
      const points = items.map((item, id) => ({ id, ...item }));
      const rules: RowRules = { dimension: 2, distance: null, payloadBytesMax: 1e6 };
      const packed = (binary: boolean): PointBlock => {
        const rows = new PointRows(rules);
        points.forEach((point, index) => {
          const vector = binary ? floatBytes(Float32Array.from(point.vector)) : point.vector;
          rows.read(new MsgpackReader(packMessage({ ...point, vector })), { list: 'points', index });
        });
        return rows.finish();
      };
      const listed = blockOf(points, rules);
      assert.equal(packed(false), listed);
      assert.equal(packed(true), listed);
    }),
    { seed: t.seed(), numRuns: 200 },
  );
});

test('a vector of another length is named with what was expected and got', () => {
  const record = refused({ id: 'x', vector: [1, 2, 3] });
  assert.is(record.type, 'DimensionMismatch');
  assert.equal(record.details, { expected: 2, got: 3, point_id: 'x', path: 'points[1].vector' });
  assert.is(refused({ id: 'x', vector: [] }).details['got'], 0);
});

test('a bad component is named by point and index', () => {
  for (const bad of [null, 'a', true, [1], { a: 1 }, 1e39, -1e39]) {
    const record = refused({ id: 9, vector: [1, bad] });
    assert.is(record.type, 'InvalidVector');
    assert.equal(record.details, { point_id: 9, component: 1, path: 'points[1].vector[1]' });
    assert.match(record.message, 'points[1].vector[1]');
  }
});

test('NaN and infinities in binary are found', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const rows = new PointRows(RULES);
    const body = packMessage({ vector: floatBytes(Float32Array.from([bad, 1])), id: 5 });
    const record = refusalOf(() => rows.read(new MsgpackReader(body), { list: 'points', index: 3 }));
    assert.equal(record.details, { point_id: 5, component: 0, path: 'points[3].vector[0]' });
  }
});

test('a missing vector and one that is no list are faults of the request', () => {
  assert.equal(issueOf(refused({ id: 1 })), { path: 'points[1].vector', message: 'missing' });
  assert.is(issueOf(refused({ id: 1, vector: null })).path, 'points[1].vector');
  assert.is(issueOf(refused({ id: 1, vector: 'AAAA' })).path, 'points[1].vector');
});

test('a vector without direction is refused under cosine only', () => {
  const record = refused({ id: 1, vector: [0, -0] }, { ...RULES, distance: 'cosine' });
  assert.is(record.type, 'ZeroVector');
  assert.is(record.details['point_id'], 1);
  assert.is(blockOf([{ id: 1, vector: [0, 0] }]).ids.length, 1);
});

test('ids that are none, or stand twice, are named', () => {
  for (const id of [undefined, null, '', -1, 1.5, 'x'.repeat(257), 'é'.repeat(129), {}, true]) {
    assert.is(issueOf(refused({ id, vector: [1, 2] })).path, 'points[1].id');
  }
  assert.equal(refusalOf(() => blockOf([{ id: 2 ** 53, vector: [1, 2] }])).type, 'InvalidRequest');
  assert.match(issueOf(refused({ id: 'first', vector: [1, 2] })).message, 'twice');
  assert.is(blockOf([{ id: 'é'.repeat(128), vector: [1, 2] }]).ids.length, 1);
});

test('payloads are objects and have a bound', () => {
  assert.is(issueOf(refused({ id: 1, vector: [1, 2], payload: [] })).path, 'points[1].payload');
  assert.is(issueOf(refused({ id: 1, vector: [1, 2], payload: null })).path, 'points[1].payload');
  const record = refused({ id: 1, vector: [1, 2], payload: { a: 'x'.repeat(93) } });
  assert.is(record.type, 'PayloadTooLarge');
  assert.is(record.details['limit_bytes'], 100);
  assert.is(record.details['point_id'], 1);
});

test('unknown fields, and those of later versions, are named', () => {
  assert.equal(issueOf(refused({ id: 1, vector: [1, 2], colour: 1 })), { path: 'points[1].colour', message: 'unknown field' });
  const later = issueOf(refused({ id: 1, text: 'words' }));
  assert.is(later.path, 'points[1].text');
  assert.match(later.message, 'not available');
});

test('versions and times that are none are named', () => {
  for (const if_version of [-1, 1.5, '1', null])
    assert.is(issueOf(refused({ id: 1, vector: [1, 2], if_version })).path, 'points[1].if_version');
  for (const expires_at of ['tomorrow', '2030-02-31T00:00:00Z', 5, false, '1960-01-01T00:00:00Z']) {
    assert.is(issueOf(refused({ id: 1, vector: [1, 2], expires_at })).path, 'points[1].expires_at');
  }
});

test('a refused row leaves nothing behind', () => {
  const rows = new PointRows(RULES);
  const read = (point: unknown): void => rows.read(new JsonReader(Buffer.from(JSON.stringify(point))), { list: '', index: 0 });
  read({ id: 1, vector: [1, 2], payload: { a: 1 } });
  refusalOf(() => read({ payload: { lost: true }, id: 2, vector: [1, 2, 3] }));
  read({ id: 2, vector: [3, 4] });
  const block = rows.finish();
  assert.equal(block.ids, [1, 2]);
  assert.equal([...block.vectors], [1, 2, 3, 4]);
  assert.equal([...block.payloadEnds], [7, 7]);
});

test('of two fields of one name the last counts', () => {
  const rows = new PointRows(RULES);
  rows.read(new JsonReader(Buffer.from('{"id":1,"vector":[9,9,9],"payload":{"a":1},"id":2,"vector":[1,2],"payload":{"b":2}}')), {
    list: '',
    index: 0,
  });
  const block = rows.finish();
  assert.equal(block.ids, [2]);
  assert.equal([...block.vectors], [1, 2]);
  assert.is(Buffer.from(block.payloadBytes).toString(), '{"b":2}');
});

test('without a known dimension the first vector is the measure', () => {
  const rules: RowRules = { dimension: null, distance: null, payloadBytesMax: 100 };
  assert.is(blockOf([{ id: 1, vector: [1, 2, 3] }], rules).dimension, 3);
  const record = refused({ id: 2, vector: [1] }, rules);
  assert.is(record.type, 'DimensionMismatch');
});

test.run();
