/** /v1/batch. */

import * as assert from 'uvu/assert';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('http/routes/batch');

test('operations over collections take effect as one unit, each answered as its own route does', async (t) => {
  const { ask, engine } = await startHttp(t);
  await ask('PUT', '/v1/collections/old', { dimension: 1, distance: 'dot' });
  const before = engine.seq;
  const operations = [
    { create_collection: { collection: 'new', dimension: 2, distance: 'cosine' } },
    {
      upsert: {
        collection: 'new',
        points: [
          { id: 1, vector: [1, 2] },
          { id: 2, vector: [2, 1] },
        ],
      },
    },
    { patch: { collection: 'new', points: [{ id: 1, payload: { a: 1 } }] } },
    { delete: { collection: 'new', ids: [2, 3] } },
    { delete_collection: { collection: 'old' } },
  ];
  const { status, body, headers } = await ask('POST', '/v1/batch', { operations });
  assert.is(status, 200, JSON.stringify(body));
  const [created, ...others] = body.results;
  assert.equal(others, [{ upserted: 2 }, { patched: 1 }, { deleted: 1 }, { deleted: true }]);
  assert.equal([created.name, created.dimension, created.position], ['new', 2, undefined]);
  assert.is(body.position, headers.get('x-skein-position'));
  assert.equal(body.write_concern, { required: 1, acknowledged: 1 });
  assert.is(engine.seq, before + 1);
  assert.equal((await ask('GET', '/v1/collections/new/points/1')).body.payload, { a: 1 });
});

test('one mistake refuses the whole, named by its place', async (t) => {
  const { ask, engine } = await startHttp(t);
  const before = engine.seq;
  for (const [operations, path] of [
    [
      [
        { create_collection: { collection: 'a', dimension: 2, distance: 'dot' } },
        { upsert: { collection: 'a', points: [{ id: 1 }] } },
      ],
      'operations[1].upsert.points[0].vector',
    ],
    [[{ create_collection: { collection: 'a', dimension: 0, distance: 'dot' } }], 'operations[0].create_collection.dimension'],
    [
      [{ create_collection: { collection: 'a', dimension: 2, distance: 'dot', text_fields: ['t', 'a..b'] } }],
      'operations[0].create_collection.text_fields[1]',
    ],
    [[{ rename: {} }], 'operations[0].rename'],
  ] as const) {
    const { status, body } = await ask('POST', '/v1/batch', { operations });
    assert.equal([status, body.error.details.issues[0].path], [400, path]);
  }
  assert.is((await ask('POST', '/v1/batch', {})).body.error.details.issues[0].path, 'operations');
  assert.is(engine.seq, before);
});

test('operations share the bound on points, and the refusal names the bound', async (t) => {
  const { ask } = await startHttp(t, { limits: { pointsPerRequestMax: 3 } });
  await ask('PUT', '/v1/collections/c', { dimension: 1, distance: 'dot' });
  const upsert = (...ids: number[]): object => ({ upsert: { collection: 'c', points: ids.map((id) => ({ id, vector: [1] })) } });
  assert.is((await ask('POST', '/v1/batch', { operations: [upsert(1, 2), upsert(3)] })).status, 200);
  const { status, body } = await ask('POST', '/v1/batch', { operations: [upsert(1, 2), upsert(3, 4)] });
  assert.equal([status, body.error.details.limit], [400, 3]);
  assert.is(body.error.details.issues[0].path, 'operations[1].upsert.points');
});

test('a batch makes, uses, switches and removes aliases as one unit', async (t) => {
  const { ask, engine } = await startHttp(t);
  await ask('PUT', '/v1/collections/old', { dimension: 1, distance: 'dot' });
  await ask('PUT', '/v1/aliases/now', { collection: 'old' });
  const point = { id: 1, vector: [1, 2] };
  const operations = [
    { create_collection: { collection: 'new', dimension: 2, distance: 'dot' } },
    { put_alias: { alias: 'now', collection: 'new' } },
    { upsert: { collection: 'now', points: [point] } },
    { put_alias: { alias: 'then', collection: 'old' } },
    { delete_alias: { alias: 'then' } },
  ];
  const before = engine.seq;
  const { status, body } = await ask('POST', '/v1/batch', { operations });
  assert.is(status, 200, JSON.stringify(body));
  assert.equal(body.results.slice(1), [
    { alias: 'now', collection: 'new', created: false, previous: 'old' },
    { upserted: 1 },
    { alias: 'then', collection: 'old', created: true, previous: null },
    { deleted: true },
  ]);
  assert.is(engine.seq, before + 1);
  const wrong = await ask('POST', '/v1/batch', {
    operations: [{ upsert: { collection: 'now', points: [{ id: 2, vector: [1] }] } }],
  });
  assert.is(wrong.body.error.details.path, 'operations[0].upsert.points[0].vector', 'known by its alias from the start');
});

test('a collection that the batch drops again is still answered', async (t) => {
  const { ask } = await startHttp(t);
  const operations = [
    { create_collection: { collection: 'x', dimension: 2, distance: 'dot' } },
    { delete_collection: { collection: 'x' } },
  ];
  const { body } = await ask('POST', '/v1/batch', { operations });
  assert.equal([body.results[0].name, body.results[0].points_count, body.results[1]], ['x', 0, { deleted: true }]);
});

test.run();
