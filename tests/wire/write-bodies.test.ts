/** Bodies of upserts, patches and batches: into operations, all or nothing. */

import * as assert from 'uvu/assert';
import { packMessage } from '../../src/codec/msgpack.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { readBatchBody } from '../../src/wire/batch-body.js';
import { operationsHash } from '../../src/wire/canonical-hash.js';
import { JsonReader } from '../../src/wire/json-reader.js';
import { MsgpackReader } from '../../src/wire/msgpack-reader.js';
import { readPatchBody, readUpsertBody, type WriteRules } from '../../src/wire/write-bodies.js';
import { refusalOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('wire/write-bodies');
const RULES: WriteRules = {
  pointsPerRequestMax: 5,
  payloadBytesMax: 1_000,
  vectors: { two: { dimension: 2, distance: 'euclid' }, cosine: { dimension: 2, distance: 'cosine' } },
};

const json = (body: unknown): JsonReader => new JsonReader(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
const pathOf = (action: () => unknown): string => {
  const record = refusalOf(action);
  assert.is(record.type, 'InvalidRequest', record.message);
  return (record.details['issues'] as { path: string }[])[0]?.path ?? '';
};
const points = (count: number): unknown[] => Array.from({ length: count }, (_, id) => ({ id, vector: [id, 1] }));

test('an upsert becomes one operation', () => {
  const operation = readUpsertBody(json({ points: points(2) }), 'two', RULES);
  assert.is(operation.kind, 'upsert');
  assert.equal(operation.kind === 'upsert' && operation.points.ids, [0, 1]);
});

test('bodies of another shape are refused by their place', () => {
  assert.is(
    pathOf(() => readUpsertBody(json([]), 'two', RULES)),
    '',
  );
  assert.is(
    pathOf(() => readUpsertBody(json({}), 'two', RULES)),
    'points',
  );
  assert.is(
    pathOf(() => readUpsertBody(json({ points: {} }), 'two', RULES)),
    'points',
  );
  assert.is(
    pathOf(() => readUpsertBody(json({ points: [1] }), 'two', RULES)),
    'points[0]',
  );
  assert.is(
    pathOf(() => readUpsertBody(json({ points: [{ id: 1, payload: { deep: [2 ** 53 + 2] } }] }), 'two', RULES)),
    'points[0].payload',
  );
  assert.is(
    pathOf(() => readUpsertBody(json({ points: [], upsert: true }), 'two', RULES)),
    'upsert',
  );
});

test('more points than the limit are refused with the limit', () => {
  const record = refusalOf(() => readUpsertBody(json({ points: points(6) }), 'two', RULES));
  assert.is(record.type, 'InvalidRequest');
  assert.is(record.details['limit'], 5);
});

test('a patch carries only what it changes', () => {
  const body = { points: [{ id: 1 }, { id: 'b', vector: [1, 2], payload: { x: null }, unset: ['a.b'], if_version: 4 }] };
  const operation = readPatchBody(json(body), 'two', RULES);
  assert.is(operation.kind, 'patch');
  if (operation.kind !== 'patch') return;
  const [bare, full] = operation.patches;
  assert.equal(bare, { id: 1 });
  assert.equal([...(full?.vector ?? [])], [1, 2]);
  assert.is(Buffer.from(full?.payload ?? []).toString(), '{"x":null}');
  assert.equal([full?.unset, full?.ifVersion], [['a.b'], 4]);
});

test('patches are refused by their place', () => {
  const patch = (one: unknown) => () => readPatchBody(json({ points: [{ id: 0 }, one] }), 'cosine', RULES);
  assert.is(pathOf(patch({ payload: {} })), 'points[1].id');
  assert.is(pathOf(patch({ id: 1, unset: 'a' })), 'points[1].unset');
  assert.is(pathOf(patch({ id: 1, unset: [''] })), 'points[1].unset');
  assert.is(pathOf(patch({ id: 0 })), 'points[1].id');
  assert.is(pathOf(patch({ id: 1, payload: { deep: [2 ** 53 + 2] } })), 'points[1].payload');
  assert.is(pathOf(patch({ id: 1, expires_at: '2030-01-01T00:00:00Z' })), 'points[1].expires_at');
  assert.is(refusalOf(patch({ id: 1, vector: [1] })).type, 'DimensionMismatch');
  assert.is(refusalOf(patch({ id: 1, vector: [0, 0] })).type, 'ZeroVector');
});

test('a batch keeps the order of its operations and holds vectors against collections it makes itself', () => {
  const rules: WriteRules = { ...RULES, pointsPerRequestMax: 10 };
  const body = {
    operations: [
      { create_collection: { collection: 'new', dimension: 3, distance: 'cosine' } },
      { upsert: { collection: 'new', points: [{ id: 1, vector: [1, 2, 3] }] } },
      { patch: { collection: 'two', points: [{ id: 1, payload: {} }] } },
      { delete: { collection: 'two', ids: [1] } },
      { delete_collection: { collection: 'two' } },
      { put_alias: { alias: 'now', collection: 'new' } },
      { upsert: { collection: 'now', points: [{ id: 1, vector: [1, 2, 3] }] } },
      { delete_alias: { alias: 'now' } },
    ],
  };
  const kinds = readBatchBody(json(body), rules).map(({ kind, ...of }) =>
    ['alias' in of ? of.alias : '', 'collection' in of ? of.collection : '', kind].filter((word) => word !== '').join(' '),
  );
  assert.equal(kinds, [
    'new unchecked_create',
    'new upsert',
    'two patch',
    'two delete',
    'two delete_collection',
    'now new put_alias',
    'now upsert',
    'now delete_alias',
  ]);
  const aliased = {
    operations: [...body.operations.slice(0, 6), { upsert: { collection: 'now', points: [{ id: 1, vector: [1] }] } }],
  };
  assert.is(refusalOf(() => readBatchBody(json(aliased), rules)).type, 'DimensionMismatch');
  const wrong = { operations: [body.operations[0], { upsert: { collection: 'new', points: [{ id: 1, vector: [1, 2] }] } }] };
  const record = refusalOf(() => readBatchBody(json(wrong), rules));
  assert.equal(
    [record.type, record.details['path'], record.details['expected']],
    ['DimensionMismatch', 'operations[1].upsert.points[0].vector', 3],
  );
});

test('batches are refused by their place', () => {
  const batch =
    (...operations: unknown[]) =>
    () =>
      readBatchBody(json({ operations }), RULES);
  assert.is(pathOf(batch({})), 'operations[0]');
  assert.is(
    pathOf(batch({ delete: { collection: 'two', ids: [] }, upsert: { collection: 'two', points: [] } })),
    'operations[0]',
  );
  assert.is(pathOf(batch({ insert: {} })), 'operations[0].insert');
  assert.is(pathOf(batch({ upsert: { points: [] } })), 'operations[0].upsert.collection');
  assert.is(
    pathOf(batch({ create_collection: { dimension: 2, distance: 'dot' } })),
    'operations[0].create_collection.collection',
  );
  assert.is(pathOf(batch({ create_collection: { collection: 7, dimension: 2 } })), 'operations[0].create_collection.collection');
  assert.is(pathOf(batch({ delete: { collection: 'two', ids: [1, {}] } })), 'operations[0].delete.ids[1]');
  assert.is(pathOf(batch({ delete: { collection: 'two', ids: [1, 1] } })), 'operations[0].delete.ids[1]');
  assert.is(pathOf(batch({ delete: { collection: 'two', filter: {} } })), 'operations[0].delete.filter');
  assert.is(refusalOf(batch({ delete_collection: { collection: 'a/b' } })).type, 'InvalidCollectionName');
  assert.is(pathOf(batch({ put_alias: { alias: 'a' } })), 'operations[0].put_alias.collection');
  assert.is(pathOf(batch({ put_alias: { collection: 'two' } })), 'operations[0].put_alias.alias');
  assert.is(pathOf(batch({ put_alias: { alias: 7, collection: 'two' } })), 'operations[0].put_alias.alias');
  assert.is(pathOf(batch({ delete_alias: { alias: 'a', collection: 'two' } })), 'operations[0].delete_alias.collection');
  assert.is(refusalOf(batch({ put_alias: { alias: '.a', collection: 'two' } })).type, 'InvalidCollectionName');
  assert.is(refusalOf(batch({ delete_alias: { alias: 'a b' } })).type, 'InvalidCollectionName');
});

test('the limit of points holds for the whole batch', () => {
  const body = {
    operations: [{ upsert: { collection: 'two', points: points(4) } }, { delete: { collection: 'two', ids: [7, 8] } }],
  };
  assert.is(
    pathOf(() => readBatchBody(json(body), RULES)),
    'operations[1].delete.ids',
  );
});

test('the canonical hash is equal for both forms, any order and spelling, and differs with the meaning', () => {
  const rules: WriteRules = { ...RULES, pointsPerRequestMax: DEFAULT_LIMITS.pointsPerRequestMax };
  const hash = (operations: readonly Operation[]): string => Buffer.from(operationsHash(operations)).toString('hex');
  const text = '{"points":[{"vector":[1.0,2e0],"id":1,"payload":{"a":"\\u00e9","n":1.50}}]}';
  const body = { points: [{ id: 1, vector: [1, 2], payload: { a: 'é', n: 1.5 } }] };
  const first = hash([readUpsertBody(json(text), 'two', rules)]);
  assert.is(hash([readUpsertBody(json(body), 'two', rules)]), first);
  const turned = { points: [{ payload: { n: 1.5, a: 'é' }, vector: [1, 2], id: 1 }] };
  assert.is(hash([readUpsertBody(json(turned), 'two', rules)]), first);
  assert.is(hash([readPatchBody(json(turned), 'two', rules)]), hash([readPatchBody(json(body), 'two', rules)]));
  assert.is(hash([readUpsertBody(new MsgpackReader(packMessage(body)), 'two', rules)]), first);
  const others = [
    { points: [{ ...body.points[0], id: '1' }] },
    { points: [{ ...body.points[0], vector: [1, 3] }] },
    { points: [{ ...body.points[0], payload: { a: 'e', n: 1.5 } }] },
    { points: [{ ...body.points[0], payload: { a: 'é', n: [1.5] } }] },
    { points: [{ ...body.points[0], if_version: 1 }] },
    { points: [...body.points, { id: 2, vector: [1, 2] }] },
    {
      points: [
        { id: 1, vector: [1, 2] },
        { ...body.points[0], id: 2 },
      ],
    },
    { points: [] },
  ].map((other) => hash([readUpsertBody(json(other), 'two', rules)]));
  others.push(hash([readUpsertBody(json(body), 'cosine', rules)]), hash([readPatchBody(json(body), 'two', rules)]));
  const aliases: Operation[] = [
    { kind: 'put_alias', alias: 'a', collection: 'b' },
    { kind: 'put_alias', alias: 'b', collection: 'a' },
    { kind: 'delete_alias', alias: 'a' },
    { kind: 'delete_alias', alias: 'b' },
    { kind: 'delete_collection', collection: 'a' },
  ];
  others.push(...aliases.map((operation) => hash([operation])));
  assert.is(new Set([first, ...others]).size, others.length + 1);
});

test.run();
