/** Routes of collections. */

import * as assert from 'uvu/assert';
import { type CollectionSpec, DEFAULT_HNSW, NOTHING_DECLARED } from '../../src/model/collection.js';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('http/routes/collections');

const BASE = { dimension: 3, distance: 'dot' };
const SPEC = { dimension: 3, distance: 'dot', hnsw: DEFAULT_HNSW, ttlMs: null, createdAtMs: 0 } as const;
const index = (path: string): { path: string; type: string } => ({ path, type: 'keyword' });

function declarationsOf({ text_fields, text, payload_indexes, quantization }: Record<string, unknown>): object {
  return { text_fields, text, payload_indexes, quantization };
}

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
  for (const [field, value] of [['embedding', { provider: 'x', model: 'y' }]] as const) {
    const { status, body } = await ask('PUT', '/v1/collections/c', { ...base, [field]: value });
    assert.equal([status, body.error.details.issues[0].path], [400, field]);
    assert.match(body.error.message, 'not available');
  }
  const nothing = { text_fields: [], payload_indexes: [], quantization: null, embedding: null };
  assert.is((await ask('PUT', '/v1/collections/c', { ...base, ...nothing })).status, 201);
});

test('what is declared of text, payload indexes and quantization is shown with its defaults', async (t) => {
  const { ask, engine } = await startHttp(t);
  const declared = { text_fields: ['title', 'body.de'], payload_indexes: [{ type: 'integer', path: 'year' }] };
  const made = await ask('PUT', '/v1/collections/c', { ...BASE, ...declared, quantization: { type: 'int8' } });
  assert.is(made.status, 201);
  assert.equal(declarationsOf(made.body), {
    ...declared,
    text: { language: 'english', stop_words: 'default', k1: 1.2, b: 0.75 },
    quantization: { type: 'int8', rescore: true, oversampling: 3 },
  });
  assert.equal((await ask('GET', '/v1/collections/c')).body, made.body);
  const text = { language: 'none', stop_words: ['a', 'b'], word_length: { min: 2, max: 128 }, k1: 0, b: 1 };
  const quantization = { type: 'float16', rescore: false, oversampling: 1.25 };
  const other = await ask('PUT', '/v1/collections/d', { ...BASE, text_fields: ['t'], text, quantization });
  assert.equal(declarationsOf(other.body), { text_fields: ['t'], text, payload_indexes: [], quantization });
  const half = await ask('PUT', '/v1/collections/e', { ...BASE, quantization: { type: 'float16' } });
  assert.equal(half.body.quantization, { type: 'float16', rescore: true, oversampling: 1.5 });
  await ask('PUT', '/v1/collections/f', { ...BASE, text_fields: [], payload_indexes: [], quantization: null });
  const plain = engine.writes.at(-1)?.operations[0];
  assert.equal(Object.keys(plain?.kind === 'create_collection' ? plain.spec : {}), ['dimension', 'distance', 'hnsw', 'ttlMs']);
});

test('a declaration that cannot be is refused by its place, all of them at once', async (t) => {
  const { ask, engine } = await startHttp(t);
  const long = 'x'.repeat(513);
  const deep = Array(65).fill('a').join('.');
  for (const [body, ...paths] of [
    [{ text_fields: ['a', '', 'a', 'b..c', 7] }, 'text_fields[1]', 'text_fields[2]', 'text_fields[3]', 'text_fields[4]'],
    [{ text_fields: [long, deep, '.a'] }, 'text_fields[0]', 'text_fields[1]', 'text_fields[2]'],
    [{ text_fields: Array.from({ length: 33 }, (_, i) => `f${i}`) }, 'text_fields'],
    [{ text_fields: 'title' }, 'text_fields'],
    [{ text: {} }, 'text'],
    [{ text: { k1: 1 }, text_fields: [] }, 'text'],
    [{ text: { language: 'klingon' }, text_fields: ['t'] }, 'text.language'],
    [{ text: { k1: 10.1 }, text_fields: ['t'] }, 'text.k1'],
    [{ text: { b: -0.1 }, text_fields: ['t'] }, 'text.b'],
    [{ text: { stop_words: 'none' }, text_fields: ['t'] }, 'text.stop_words'],
    [{ text: { stop_words: ['a', '', 'y'.repeat(65)] }, text_fields: ['t'] }, 'text.stop_words[1]', 'text.stop_words[2]'],
    [{ text: { stop_words: Array(10_001).fill('a') }, text_fields: ['t'] }, 'text.stop_words'],
    [{ text: { word_length: { min: 0 } }, text_fields: ['t'] }, 'text.word_length.min'],
    [{ text: { word_length: { min: 9, max: 8 } }, text_fields: ['t'] }, 'text.word_length'],
    [{ text: { word_length: { max: 129 } }, text_fields: ['t'] }, 'text.word_length.max'],
    [{ text: { colour: 1 }, text_fields: ['t'] }, 'text.colour'],
    [{ payload_indexes: [{ path: 'a', type: 'text' }] }, 'payload_indexes[0].type'],
    [{ payload_indexes: [{ path: 'a' }] }, 'payload_indexes[0].type'],
    [{ payload_indexes: [{ type: 'geo' }] }, 'payload_indexes[0].path'],
    [{ payload_indexes: [{ path: 'a', type: 'geo', size: 1 }] }, 'payload_indexes[0].size'],
    [
      { payload_indexes: [index('a'), index('b'), index('a'), index('b.')] },
      'payload_indexes[2].path',
      'payload_indexes[3].path',
    ],
    [{ payload_indexes: Array.from({ length: 65 }, (_, i) => index(`f${i}`)) }, 'payload_indexes'],
    [{ quantization: {} }, 'quantization.type'],
    [{ quantization: { type: 'int4' } }, 'quantization.type'],
    [{ quantization: 'int8' }, 'quantization'],
    [{ quantization: { type: 'int8', oversampling: 0.9 } }, 'quantization.oversampling'],
    [{ quantization: { type: 'int8', oversampling: 101 } }, 'quantization.oversampling'],
    [{ quantization: { type: 'int8', bits: 4 } }, 'quantization.bits'],
  ] as const) {
    const { status, body: answer } = await ask('PUT', '/v1/collections/c', { ...BASE, ...body });
    const issues = (answer.error?.details.issues ?? []) as { path: string }[];
    const shown = JSON.stringify(body).slice(0, 100);
    assert.equal([status, answer.error?.type, ...issues.map(({ path }) => path)], [400, 'InvalidRequest', ...paths], shown);
  }
  assert.is(engine.seq, 0);
  const most = {
    text_fields: Array.from({ length: 32 }, (_, i) => (i === 0 ? 'y'.repeat(512) : Array(64).fill(`f${i}`).join('.'))),
    payload_indexes: Array.from({ length: 64 }, (_, i) => index(`f${i}`)),
    text: { stop_words: Array(10_000).fill('z'.repeat(64)) },
  };
  assert.is((await ask('PUT', '/v1/collections/c', { ...BASE, ...most })).status, 201);
});

test('a first answer of a time when nothing could be declared is repeated whole', async (t) => {
  const { ask, engine } = await startHttp(t);
  const { text: _t, payloadIndexes: _p, quantization: _q, ...old } = { ...NOTHING_DECLARED, ...SPEC };
  const collection = { uid: 9, spec: old as CollectionSpec, pointsCount: 0, dataBytes: 0 };
  const results = [{ kind: 'create_collection', collection }] as const;
  engine.write = async () => ({ results, seq: 1, position: engine.position(), repeated: true });
  const { status, body } = await ask('PUT', '/v1/collections/c', BASE);
  assert.equal([status, body.name, body.text_fields, body.quantization], [201, 'c', [], null]);
});

test('a change replaces lists as a whole, and leaves what it does not name', async (t) => {
  const { ask } = await startHttp(t);
  const declared = { text_fields: ['a', 'b'], text: { k1: 2 }, payload_indexes: [index('x'), index('y')] };
  await ask('PUT', '/v1/collections/c', { ...BASE, ...declared, quantization: { type: 'int8', oversampling: 7 } });
  const change = async (body: object): Promise<unknown> => declarationsOf((await ask('PATCH', '/v1/collections/c', body)).body);
  const before = {
    text_fields: ['a', 'b'],
    text: { language: 'english', stop_words: 'default', k1: 2, b: 0.75 },
    payload_indexes: [index('x'), index('y')],
    quantization: { type: 'int8', rescore: true, oversampling: 7 },
  };
  assert.equal(await change({ hnsw: { ef_search: 5 } }), before);
  assert.equal(await change({ text_fields: ['c'] }), { ...before, text_fields: ['c'] });
  assert.equal(
    await change({ text: { b: 0.5 }, payload_indexes: [index('z')], quantization: { type: 'int8', rescore: false } }),
    {
      text_fields: ['c'],
      text: { ...before.text, b: 0.5 },
      payload_indexes: [index('z')],
      quantization: { ...before.quantization, rescore: false },
    },
  );
  const lengths = async (word_length: unknown) => ((await change({ text: { word_length } })) as { text: object }).text;
  assert.equal(await lengths({ max: 20 }), { ...before.text, b: 0.5, word_length: { min: 1, max: 20 } });
  assert.equal(await lengths(null), { ...before.text, b: 0.5 });
  const none = {
    text_fields: [],
    text: null,
    payload_indexes: [],
    quantization: { type: 'int8', rescore: false, oversampling: 2 },
  };
  assert.equal(await change({ text_fields: [], payload_indexes: [], quantization: { oversampling: 2 } }), none);
  assert.equal(((await change({ text_fields: ['d'] })) as { text: unknown }).text, { ...before.text, k1: 1.2 });
});

test('quantization is chosen once, and text needs its fields in a change too', async (t) => {
  const { ask } = await startHttp(t);
  await ask('PUT', '/v1/collections/plain', BASE);
  await ask('PUT', '/v1/collections/quantized', { ...BASE, quantization: { type: 'int8' } });
  for (const [collection, change, path] of [
    ['plain', { quantization: { type: 'int8' } }, 'quantization'],
    ['plain', { quantization: { oversampling: 2 } }, 'quantization'],
    ['plain', { text: { k1: 1 } }, 'text'],
    ['plain', { text: { k1: 1 }, text_fields: [] }, 'text'],
    ['plain', { text_fields: ['a', 'a'] }, 'text_fields[1]'],
    ['plain', { payload_indexes: [index('')] }, 'payload_indexes[0].path'],
    ['quantized', { quantization: { type: 'float16' } }, 'quantization.type'],
    ['quantized', { quantization: null }, 'quantization'],
    ['quantized', { quantization: { oversampling: 0 } }, 'quantization.oversampling'],
    ['quantized', { embedding: { provider: 'x' } }, 'embedding'],
  ] as const) {
    const { status, body } = await ask('PATCH', `/v1/collections/${collection}`, change);
    assert.equal([status, body.error?.type, body.error?.details.issues[0].path], [400, 'InvalidRequest', path]);
  }
  assert.is((await ask('PATCH', '/v1/collections/plain', { quantization: null })).status, 200);
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
