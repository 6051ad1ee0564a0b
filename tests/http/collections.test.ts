/** Routes of collections. */

import * as assert from 'uvu/assert';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('http/routes/collections');

test('a collection is made, shown, listed, changed and dropped', async (t) => {
  const { ask } = await startHttp(t);
  const made = await ask('PUT', '/v1/collections/c', { dimension: 3, distance: 'cosine', hnsw: { m: 8 }, ttl_ms: 60_000 });
  assert.is(made.status, 201);
  assert.equal(made.body.hnsw, { m: 8, ef_construct: 200, ef_search: 64 });
  assert.equal([made.body.name, made.body.dimension, made.body.distance, made.body.points_count], ['c', 3, 'cosine', 0]);
  assert.equal([made.body.status, made.body.progress, made.body.ttl_ms], ['ready', 1, 60_000]);
  assert.equal(
    [made.body.text_fields, made.body.payload_indexes, made.body.embedding, made.body.quantization],
    [[], [], null, null],
  );
  assert.match(made.body.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.is(made.headers.get('x-skein-position'), made.body.position);
  const shown = await ask('GET', '/v1/collections/c');
  assert.equal(shown.body, made.body);
  assert.equal((await ask('GET', '/v1/collections')).body, { collections: [shown.body] });
  const changed = await ask('PATCH', '/v1/collections/c', { hnsw: { ef_search: 128 }, ttl_ms: null });
  assert.equal([changed.status, changed.body.hnsw.ef_search, changed.body.ttl_ms], [200, 128, null]);
  const dropped = await ask('DELETE', '/v1/collections/c');
  assert.equal([dropped.status, dropped.body.deleted], [200, true]);
  assert.is(dropped.body.position, dropped.headers.get('x-skein-position'));
  assert.is((await ask('GET', '/v1/collections/c')).body.error.type, 'CollectionNotFound');
  assert.is((await ask('DELETE', '/v1/collections/c')).status, 404);
});

test('a second one of a name is a conflict', async (t) => {
  const { ask } = await startHttp(t);
  const body = { dimension: 3, distance: 'dot' };
  await ask('PUT', '/v1/collections/c', body);
  const again = await ask('PUT', '/v1/collections/c', body);
  assert.equal([again.status, again.body.error.type], [409, 'CollectionAlreadyExists']);
});

test('a collection that is not there is named with those that are', async (t) => {
  const { ask } = await startHttp(t);
  await ask('PUT', '/v1/collections/other-collection', { dimension: 3, distance: 'dot' });
  const { body } = await ask('GET', '/v1/collections/my-collection');
  assert.is(body.error.message, "Collection 'my-collection' not found");
  assert.equal(body.error.details, { collection: 'my-collection', available_collections: ['other-collection'] });
});

test('specs that break the schema are refused by their place', async (t) => {
  const { ask, engine } = await startHttp(t);
  for (const [body, path] of [
    [{}, 'dimension'],
    [{ dimension: 0, distance: 'dot' }, 'dimension'],
    [{ dimension: 65_536, distance: 'dot' }, 'dimension'],
    [{ dimension: 1.5, distance: 'dot' }, 'dimension'],
    [{ dimension: '3', distance: 'dot' }, 'dimension'],
    [{ dimension: 3, distance: 'manhattan' }, 'distance'],
    [{ dimension: 3, distance: 'dot', hnsw: { m: 1 } }, 'hnsw.m'],
    [{ dimension: 3, distance: 'dot', hnsw: { M: 16 } }, 'hnsw.M'],
    [{ dimension: 3, distance: 'dot', ttl_ms: 0 }, 'ttl_ms'],
    [{ dimension: 3, distance: 'dot', shards: 2 }, 'shards'],
    [[], ''],
    ['x', ''],
  ] as const) {
    const { status, body: answer } = await ask('PUT', '/v1/collections/c', body);
    assert.equal([status, answer.error.type], [400, 'InvalidRequest'], JSON.stringify(body));
    assert.ok(
      answer.error.details.issues.some((issue: { path: string }) => issue.path === path),
      JSON.stringify(answer.error),
    );
  }
  assert.is((await ask('PUT', '/v1/collections/c')).body.error.details.issues[0].message, 'missing');
  assert.is(engine.seq, 0);
});

test('what later versions bring is refused by name; asking for none of it is fine', async (t) => {
  const { ask } = await startHttp(t);
  const base = { dimension: 3, distance: 'dot' };
  for (const [field, value] of [
    ['text_fields', ['title']],
    ['payload_indexes', [{ path: 'a', type: 'keyword' }]],
    ['embedding', { provider: 'x', model: 'y' }],
    ['quantization', { kind: 'int8' }],
  ] as const) {
    const { status, body } = await ask('PUT', '/v1/collections/c', { ...base, [field]: value });
    assert.equal([status, body.error.details.issues[0].path], [400, field]);
    assert.match(body.error.message, 'not available');
  }
  assert.is((await ask('PUT', '/v1/collections/c', { ...base, text_fields: [], quantization: null })).status, 201);
});

test('what is fixed at the start cannot be changed', async (t) => {
  const { ask } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', { dimension: 3, distance: 'dot' });
  for (const [change, path] of [
    [{ dimension: 4 }, 'dimension'],
    [{ hnsw: { m: 32 } }, 'hnsw.m'],
    [{ hnsw: { ef_search: 10_001 } }, 'hnsw.ef_search'],
  ] as const) {
    const { status, body } = await ask('PATCH', '/v1/collections/c', change);
    assert.equal([status, body.error.details.issues[0].path], [400, path]);
  }
});

test.run();
