/** The client: every call goes to its route in the wire's own words, and comes back in the client's. */
import * as assert from 'uvu/assert';
import { floatBytes } from '../../src/codec/msgpack.js';
import { SkeinClient } from '../../src/sdk/index.js';
import type { TestContext } from '../support/suite.js';
import { suite } from '../support/suite.js';
import { type Reply, type StubServer, stubServer } from './stub-server.js';

const written = { seq: 7, position: 'p', write_concern: { required: 1, acknowledged: 1 } };
const writtenHere = { seq: 7, position: 'p', writeConcern: { required: 1, acknowledged: 1 } };
const info = {
  name: 'films',
  dimension: 3,
  distance: 'cosine',
  hnsw: { m: 16, ef_construct: 200, ef_search: 64 },
  points_count: 2,
  status: 'ready',
  progress: 1,
  memory_bytes: 10,
  disk_bytes: 20,
  tombstone_ratio: 0,
  text_fields: ['title'],
  text: { language: 'german', stop_words: ['und'], k1: 1, b: 0.5 },
  payload_indexes: [{ path: 'year', type: 'integer' }],
  ttl_ms: null,
  embedding: null,
  quantization: { type: 'int8', rescore: true, oversampling: 3 },
  created_at: '2026-11-20T00:00:00.000Z',
  position: 'p',
};
const floats = new Float32Array([1, -0, 1.1754943508222875e-38]);

async function clientOf(
  t: TestContext,
  reply: Reply,
): Promise<{ client: SkeinClient; stub: StubServer; sent: () => StubServer['received'][0] }> {
  const stub = await stubServer(t, () => reply);
  const client = new SkeinClient({ url: stub.url, apiKey: 'the-key', retries: false });
  t.after(() => client.close());
  const sent = (): StubServer['received'][0] => {
    const last = stub.received.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last;
  };
  return { client, stub, sent };
}

const test = suite('sdk/client');

test('collections are created, changed, listed and deleted with settings in snake case on the wire', async (t) => {
  const { client, sent } = await clientOf(t, { status: 201, body: { ...info, ...written, deleted: true, collections: [info] } });
  const created = await client.createCollection('films', { dimension: 3, distance: 'cosine', hnsw: { efSearch: 99 }, ttlMs: 5 });
  assert.is(`${sent().method} ${sent().path}`, 'PUT /v1/collections/films');
  assert.equal(sent().body, { dimension: 3, distance: 'cosine', hnsw: { ef_search: 99 }, ttl_ms: 5 });
  assert.is(sent().headers['authorization'], 'Bearer the-key');
  assert.equal(created.hnsw, { m: 16, efConstruct: 200, efSearch: 64 });
  assert.is(created.pointsCount, 2);
  assert.equal([created.textFields, created.payloadIndexes], [['title'], [{ path: 'year', type: 'integer' }]]);
  assert.equal(created.text, { language: 'german', stopWords: ['und'], k1: 1, b: 0.5 });
  assert.equal(created.quantization, { type: 'int8', rescore: true, oversampling: 3 });

  await client.updateCollection('films', { hnsw: { efSearch: 5 }, ttlMs: null });
  assert.equal(sent().body, { hnsw: { ef_search: 5 }, ttl_ms: null });
  assert.is(sent().method, 'PATCH');
  assert.is((await client.collections()).length, 1);
  assert.is((await client.collection('a/b?')).name, 'films');
  assert.is(sent().path, '/v1/collections/a%2Fb%3F');
  assert.equal(await client.deleteCollection('films'), writtenHere);
  assert.is(sent().method, 'DELETE');
  assert.is(sent().bytes.length, 0);
});

test('what is to be indexed is declared and changed in snake case on the wire', async (t) => {
  const { client, sent } = await clientOf(t, { status: 201, body: { ...info, text: null, text_fields: [] } });
  const indexing = {
    textFields: ['a.bC'],
    text: { stopWords: ['und'], wordLength: { min: 2, max: 20 }, k1: 1 },
    payloadIndexes: [{ path: 'aB', type: 'geo' as const }],
  };
  const text = { stop_words: ['und'], word_length: { min: 2, max: 20 }, k1: 1 };
  const body = { text_fields: ['a.bC'], text, payload_indexes: [{ path: 'aB', type: 'geo' }] };
  const base = { dimension: 3, distance: 'cosine' } as const;
  const created = await client.createCollection('films', {
    ...base,
    ...indexing,
    quantization: { type: 'float16', rescore: false },
  });
  assert.equal(sent().body, { ...base, ...body, quantization: { type: 'float16', rescore: false } });
  assert.is(created.text, null);
  await client.updateCollection('films', { ...indexing, quantization: { oversampling: 2 } });
  assert.equal(sent().body, { ...body, quantization: { oversampling: 2 } });
});

test('aliases are put, listed and deleted', async (t) => {
  const alias = { alias: 'now', collection: 'films', created: false, previous: 'old' };
  const { client, sent } = await clientOf(t, {
    body: { ...alias, ...written, deleted: true, aliases: [{ alias: 'now', collection: 'films' }] },
  });
  assert.equal(await client.putAlias('a/b', 'now', { w: 1 }), { ...alias, ...writtenHere });
  assert.is(`${sent().method} ${sent().path}`, 'PUT /v1/aliases/a%2Fb?w=1');
  assert.equal(sent().body, { collection: 'now' });
  assert.ok(sent().headers['idempotency-key'], 'a retry does it once');
  assert.equal(await client.aliases({ minPosition: 'p' }), [{ alias: 'now', collection: 'films' }]);
  assert.is(`${sent().method} ${sent().path} ${sent().headers['x-skein-min-position']}`, 'GET /v1/aliases p');
  assert.equal(await client.deleteAlias('now'), writtenHere);
  assert.is(`${sent().method} ${sent().path}`, 'DELETE /v1/aliases/now');
});

test('points are upserted with binary vectors and untouched payloads', async (t) => {
  const { client, sent } = await clientOf(t, { body: { upserted: 2, ...written } });
  const payload = { camelCase: { snake_case: [1, null] }, withVector: true };
  const points = [
    { id: 1, vector: floats, payload, ifVersion: 0, expiresAt: new Date(0) },
    { id: '1', vector: [0.1, 2, 3] },
  ];
  const answer = await client.upsert('films', points, {
    w: 'majority',
    wait: 'durable',
    writeTimeoutMs: 9,
    idempotencyKey: 'once',
  });
  assert.equal(answer, { ...writtenHere, upserted: 2 });
  assert.is(`${sent().method} ${sent().path}`, 'PUT /v1/collections/films/points?w=majority&wait=durable&timeout_ms=9');
  assert.is(sent().headers['idempotency-key'], 'once');
  assert.equal(sent().body, {
    points: [
      { id: 1, vector: Buffer.from(floatBytes(floats)), payload, if_version: 0, expires_at: '1970-01-01T00:00:00.000Z' },
      { id: '1', vector: Buffer.from(floatBytes(new Float32Array([0.1, 2, 3]))) },
    ],
  });
});

test('a payload travels as the JSON that it would be, and a vector of anything but numbers does not travel', async (t) => {
  const { client, sent, stub } = await clientOf(t, { body: { upserted: 1, ...written } });
  const payload = { gone: undefined, date: new Date(0), nested: { list: [undefined, Number.NaN] } } as unknown as {
    [key: string]: null;
  };
  await client.upsert('films', [{ id: 1, vector: floats, payload }]);
  assert.equal((sent().body as { points: { payload: unknown }[] }).points[0]?.payload, {
    date: '1970-01-01T00:00:00.000Z',
    nested: { list: [null, null] },
  });
  for (const bad of [
    [1, null, 3],
    [1, '2', 3],
    [1, undefined, 3],
  ] as unknown as number[][]) {
    let message = '';
    await client.upsert('films', [{ id: 1, vector: bad }]).catch((error: Error) => {
      message = error.message;
    });
    assert.match(message, 'component 1 of a vector is');
  }
  assert.is(stub.received.length, 1);
});

test('patches name only what changes', async (t) => {
  const { client, sent } = await clientOf(t, { body: { patched: 1, ...written } });
  assert.equal(await client.patch('films', [{ id: 'a', unset: ['b.c'], ifVersion: 4 }]), { ...writtenHere, patched: 1 });
  assert.is(`${sent().method} ${sent().path}`, 'PATCH /v1/collections/films/points');
  assert.equal(sent().body, { points: [{ id: 'a', unset: ['b.c'], if_version: 4 }] });
});

test('points are deleted by ids or by filter', async (t) => {
  const { client, sent } = await clientOf(t, { body: { deleted: 3, units: 2, ...written } });
  assert.equal(await client.delete('films', { filter: { mustNot: [{ hasId: [1] }] } }), { ...writtenHere, deleted: 3, units: 2 });
  assert.is(`${sent().method} ${sent().path}`, 'POST /v1/collections/films/points/delete');
  assert.equal(sent().body, { filter: { must_not: [{ has_id: [1] }] } });
  await client.delete('films', { ids: [1, '1'] });
  assert.equal(sent().body, { ids: [1, '1'] });
});

test('every form of condition is translated and nothing inside it', async (t) => {
  const { client, sent } = await clientOf(t, { body: { count: 4 } });
  const count = await client.count('films', {
    must: [
      { key: 'aB', match: { value: 'x' } },
      { key: 'a', match: { any: [1, true] } },
      { key: 'a', range: { gte: 1, lt: '2026-01-01' } },
      { key: 'a', geoRadius: { center: { lat: 1, lon: 2 }, radiusM: 3 } },
      { key: 'a', geoBox: { topLeft: { lat: 1, lon: 2 }, bottomRight: { lat: 3, lon: 4 } } },
    ],
    should: [
      { key: 'a', exists: false },
      { key: 'a', isNull: true },
      { key: 'a', valuesCount: { gt: 1 } },
    ],
    mustNot: [{ nested: { key: 'a', filter: { mustNot: [{ key: 'b', match: { except: ['c'] } }] } } }],
    minShould: { conditions: [{ minShould: { conditions: [], minCount: 0 } }], minCount: 1 },
  });
  assert.is(count, 4);
  assert.equal(sent().body, {
    filter: {
      must: [
        { key: 'aB', match: { value: 'x' } },
        { key: 'a', match: { any: [1, true] } },
        { key: 'a', range: { gte: 1, lt: '2026-01-01' } },
        { key: 'a', geo_radius: { center: { lat: 1, lon: 2 }, radius_m: 3 } },
        { key: 'a', geo_box: { top_left: { lat: 1, lon: 2 }, bottom_right: { lat: 3, lon: 4 } } },
      ],
      should: [
        { key: 'a', exists: false },
        { key: 'a', is_null: true },
        { key: 'a', values_count: { gt: 1 } },
      ],
      must_not: [{ nested: { key: 'a', filter: { must_not: [{ key: 'b', match: { except: ['c'] } }] } } }],
      min_should: { conditions: [{ min_should: { conditions: [], min_count: 0 } }], min_count: 1 },
    },
  });
});

test('a point is read by an id that keeps its kind, its vector bit for bit at any alignment', async (t) => {
  const { client, sent } = await clientOf(t, { body: { id: 'x', version: 3, payload: { aB: 1 }, vector: floatBytes(floats) } });
  const point = await client.get('films', 7);
  assert.is(sent().path, '/v1/collections/films/points/7');
  assert.equal(point.payload, { aB: 1 });
  assert.ok(point.vector instanceof Float32Array);
  assert.equal(
    [...(point.vector ?? [])].map((value) => Object.is(value, -0) || value),
    [1, true, 1.1754943508222875e-38],
  );
  await client.get('films', '7/8 ä');
  assert.is(sent().path, '/v1/collections/films/points/7%2F8%20%C3%A4?id_type=string');
});

test('many points are read at once', async (t) => {
  const { client, sent } = await clientOf(t, { body: { points: [{ id: 1, version: 2 }], missing: ['gone'] } });
  assert.equal(await client.getMany('films', [1, 'gone'], { withVector: false }, { maxWaitMs: 5, minPosition: 'tok' }), {
    points: [{ id: 1, version: 2 }],
    missing: ['gone'],
  });
  assert.is(sent().path, '/v1/collections/films/points/get?max_wait_ms=5');
  assert.is(sent().headers['x-skein-min-position'], 'tok');
  assert.equal(sent().body, { ids: [1, 'gone'], with_vector: false });
});

test('searches say what they ask for and nothing else, one by one and in batches', async (t) => {
  const hit = { id: 5, score: 0.5, version: 1, payload: {} };
  const found = {
    hits: [hit],
    complete: false,
    incomplete_reason: 'r',
    mode: 'exact',
    degraded: false,
    took_ms: 1.5,
    position: 'p',
  };
  const { client, sent } = await clientOf(t, { body: { ...found, results: [found, found] } });
  const answer = await client.search('films', {
    vector: floats,
    limit: 3,
    efSearch: 10,
    exact: true,
    scoreThreshold: 0.1,
    withVector: false,
  });
  assert.is(sent().path, '/v1/collections/films/points/search');
  assert.equal(sent().body, {
    vector: Buffer.from(floatBytes(floats)),
    limit: 3,
    ef_search: 10,
    exact: true,
    score_threshold: 0.1,
    with_vector: false,
  });
  assert.equal(answer, {
    hits: [hit],
    complete: false,
    incompleteReason: 'r',
    mode: 'exact',
    degraded: false,
    tookMs: 1.5,
    position: 'p',
  });
  await client.search('films', {
    id: 5,
    text: 'a house',
    filter: { mustNot: [{ hasId: [1] }] },
    fusion: { method: 'weighted', rrfK: 9, weights: { text: 2 } },
    candidates: 50,
    cache: false,
    searchTimeoutMs: 20,
    explain: true,
  });
  assert.equal(sent().body, {
    id: 5,
    text: 'a house',
    filter: { must_not: [{ has_id: [1] }] },
    fusion: { method: 'weighted', rrf_k: 9, weights: { text: 2 } },
    candidates: 50,
    cache: false,
    timeout_ms: 20,
    explain: true,
  });
  assert.is((await client.searchBatch('films', [{ id: 5 }, { id: 'x' }])).length, 2);
  assert.equal(sent().body, { searches: [{ id: 5 }, { id: 'x' }] });
});

test('a batch is one unit over collections', async (t) => {
  const { client, sent } = await clientOf(t, { body: { results: [{ upserted: 1 }], ...written } });
  const answer = await client.batch([
    { createCollection: { collection: 'c', dimension: 3, distance: 'dot' } },
    { upsert: { collection: 'c', points: [{ id: 1, vector: floats }] } },
    { patch: { collection: 'c', points: [{ id: 1, payload: { a: 1 } }] } },
    { delete: { collection: 'c', ids: [2] } },
    { deleteCollection: { collection: 'd' } },
    { putAlias: { alias: 'now', collection: 'c' } },
    { deleteAlias: { alias: 'then' } },
  ]);
  assert.equal(answer, { ...writtenHere, results: [{ upserted: 1 }] });
  assert.is(`${sent().method} ${sent().path}`, 'POST /v1/batch');
  assert.equal(sent().body, {
    operations: [
      { create_collection: { collection: 'c', dimension: 3, distance: 'dot' } },
      { upsert: { collection: 'c', points: [{ id: 1, vector: Buffer.from(floatBytes(floats)) }] } },
      { patch: { collection: 'c', points: [{ id: 1, payload: { a: 1 } }] } },
      { delete: { collection: 'c', ids: [2] } },
      { delete_collection: { collection: 'd' } },
      { put_alias: { alias: 'now', collection: 'c' } },
      { delete_alias: { alias: 'then' } },
    ],
  });
});

test('scrollAll walks every page once, and stops asking when its reader stops', async (t) => {
  const stub = await stubServer(t, ({ body }) => {
    const page = Number((body as { cursor?: string }).cursor ?? 0);
    return {
      body: {
        points: [
          { id: page * 2, version: 1 },
          { id: page * 2 + 1, version: 1 },
        ],
        next_cursor: page === 3 ? null : String(page + 1),
      },
    };
  });
  const client = new SkeinClient({ url: stub.url });
  t.after(() => client.close());
  const ids: unknown[] = [];
  for await (const point of client.scrollAll('films', { limit: 2, withVector: true })) ids.push(point.id);
  assert.equal(ids, [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.equal(stub.received[0]?.body, { limit: 2, with_vector: true });
  assert.is(stub.received.length, 4);
  for await (const point of client.scrollAll('films')) if (point.id === 1) break;
  assert.ok(stub.received.length <= 6);
});

test('an unhealthy or starting server is an answer', async (t) => {
  const starting = { status: 'unhealthy', state: 'starting', step: 'indexes', progress: 0.5, eta_ms: null, message: 'm' };
  const { client } = await clientOf(t, { status: 503, body: { ...starting, reasons: ['r'] } });
  assert.equal(await client.ready(), { status: 'starting', step: 'indexes', progress: 0.5, etaMs: null, message: 'm' });
  assert.equal((await client.health()).reasons, ['r']);
  const version = await clientOf(t, { body: { name: 'skein', version: '1', api: 'v1', node: 'v20', native_build: 'avx2' } });
  assert.is((await version.client.version()).nativeBuild, 'avx2');
});

test('with encoding json the same calls travel as text', async (t) => {
  const stub = await stubServer(t, (_request, response) => {
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(JSON.stringify({ id: 1, version: 1, vector: [1, 2.5] }));
    return null;
  });
  const client = new SkeinClient({ url: `${stub.url}/`, encoding: 'json' });
  t.after(() => client.close());
  assert.equal((await client.get('c', 1)).vector, new Float32Array([1, 2.5]));
  await client.search('c', { vector: new Float32Array([1, 2.5]) }).catch(() => undefined);
  assert.equal(stub.received[1]?.body, { vector: [1, 2.5] });
});

test.run();
