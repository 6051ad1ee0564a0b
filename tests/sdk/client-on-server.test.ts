/** The client against a real server: every call, in both encodings, and the errors as the server types them. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openSkein } from '../../src/embedded/open-skein.js';
import { type Encoding, SkeinApiError, SkeinClient } from '../../src/sdk/index.js';
import { startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';

async function clientsOf(t: TestContext): Promise<SkeinClient[]> {
  const { url } = await startServer(t, join(t.folder(), 'data'));
  return (['msgpack', 'json'] as Encoding[]).map((encoding) => {
    const client = new SkeinClient({ url, encoding, session: true });
    t.after(() => client.close());
    return client;
  });
}

/** Over both encodings, and of a database inside the program. */
async function everyClient(t: TestContext): Promise<SkeinClient[]> {
  const { client, close } = await openSkein({ dataDir: t.folder(), client: { session: true } });
  t.after(close);
  return [...(await clientsOf(t)), client];
}

async function errorOf(promise: Promise<unknown>): Promise<SkeinApiError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SkeinApiError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

const test = suite('sdk/client-on-server', { deadlineMs: 60_000 });

test('a collection lives through every call, in MessagePack, in JSON, and inside a program', async (t) => {
  for (const [number, client] of (await everyClient(t)).entries()) {
    const c = `films-${number}`;
    const made = await client.createCollection(c, { dimension: 3, distance: 'euclid', hnsw: { efSearch: 50 } });
    assert.equal([made.name, made.hnsw.efSearch, made.pointsCount, made.ttlMs], [c, 50, 0, null]);
    assert.is((await client.updateCollection(c, { hnsw: { efSearch: 70 } })).hnsw.efSearch, 70);

    const vectors = [
      [1, 0.1, 0],
      [0, 1, 0],
      [0, 0, 3],
    ].map((values) => Float32Array.from(values));
    const points = vectors.map((vector, i) => ({
      id: i === 2 ? 'two' : i,
      vector,
      payload: { i, camelCase: { snake_case: true } },
    }));
    const upserted = await client.upsert(c, points, { w: 1, wait: 'indexed' });
    assert.equal([upserted.upserted, upserted.writeConcern], [3, { required: 1, acknowledged: 1 }]);
    assert.is(client.position, upserted.position);

    const found = await client.get(c, 0);
    assert.equal(found.vector, vectors[0]);
    assert.equal(found.payload, { i: 0, camelCase: { snake_case: true } });
    // The entry that remembers the idempotency key comes behind the one that wrote the points.
    assert.ok(found.version > 0 && found.version < upserted.seq);
    assert.equal((await client.getMany(c, ['two', 'none', 2], { withVector: false })).missing, ['none', 2]);

    const patched = await client.patch(c, [
      { id: 'two', payload: { camelCase: { more: null } }, unset: ['i'], ifVersion: found.version },
    ]);
    assert.is(patched.patched, 1);
    assert.equal((await client.get(c, 'two')).payload, { camelCase: { snake_case: true, more: null } });

    const { hits, complete, mode } = await client.search(c, { vector: [0, 0, 2.5], limit: 2, withVector: true });
    assert.equal([hits[0]?.id, hits[0]?.score, hits[0]?.vector, complete], ['two', 0.5, vectors[2], true]);
    assert.ok(mode === 'vector' || mode === 'exact');
    const batch = await client.searchBatch(c, [
      { id: 'two', limit: 1 },
      { vector: vectors[1] ?? [], exact: true, explain: true },
    ]);
    assert.equal(
      batch.map((answer) => answer.hits[0]?.id),
      [1, 1],
    );
    assert.is(batch[1]?.mode, 'exact');
    assert.type(batch[1]?.explain?.plan, 'string');

    const groups = await client.searchGroups(c, { groupBy: 'camelCase.snake_case', id: 'two', withVector: true });
    assert.equal(
      groups.groups.map(({ value, hits: found }) => [value, found.map(({ id, vector }) => [id, vector])]),
      [
        [
          true,
          [
            [1, vectors[1]],
            [0, vectors[0]],
          ],
        ],
      ],
    );
    const like = await client.recommend(c, { positive: [0, vectors[0] ?? []], negative: [[0, 0, 3]], limit: 1 });
    assert.equal(
      like.hits.map(({ id }) => id),
      [1],
    );
    const facet = await client.facet(c, { key: 'camelCase.snake_case' });
    assert.equal([facet.values, facet.exact], [[{ value: true, count: 3 }], true]);

    assert.is(await client.count(c), 3);
    assert.is(await client.count(c, { mustNot: [{ key: 'i', exists: true }] }), 1);
    const page = await client.scroll(c, { limit: 2, withVector: true, withPayload: false });
    assert.equal(page.points, [
      { id: 0, version: found.version, vector: vectors[0] },
      { id: 1, version: found.version, vector: vectors[1] },
    ]);
    assert.type(page.nextCursor, 'string');
    const ids: unknown[] = [];
    for await (const { id } of client.scrollAll(c, { limit: 1 })) ids.push(id);
    assert.equal(ids, [0, 1, 'two']);

    assert.is((await client.delete(c, { ids: [0, 'none'] })).deleted, 1);
    const matched = await client.delete(c, { filter: { must: [{ key: 'i', match: { value: 1 } }] } });
    assert.equal([matched.deleted, matched.units], [1, 1]);

    const both = await client.batch([
      { createCollection: { collection: `${c}-b`, dimension: 1, distance: 'dot' } },
      { upsert: { collection: `${c}-b`, points: [{ id: 1, vector: [2] }] } },
      { delete: { collection: c, ids: ['two'] } },
    ]);
    assert.is(both.results.length, 3);
    assert.equal(
      (await client.collections())
        .map(({ name, pointsCount }) => [name, pointsCount])
        .filter(([name]) => String(name).startsWith(c)),
      [
        [c, 0],
        [`${c}-b`, 1],
      ],
    );
    assert.ok((await client.deleteCollection(`${c}-b`)).seq > both.seq);
    await client.deleteCollection(c);
  }
});

test('imported points are counted, refused ones are named by their line', async (t) => {
  const [client] = await clientsOf(t);
  if (client === undefined) throw new Error('no client');
  await client.createCollection('c', { dimension: 2, distance: 'cosine' });
  async function* points() {
    for (let id = 0; id < 2_500; id++) yield { id, vector: id === 1_700 ? [0, 0] : [id + 1, 1] };
  }
  const answer = await client.importPoints('c', points(), { wait: 'durable' });
  assert.equal([answer.imported, answer.failedCount], [2_499, 1]);
  assert.equal([answer.failed[0]?.line, answer.failed[0]?.error.type], [1_701, 'ZeroVector']);
  assert.is(await client.count('c'), 2_499);
});

test('a strict mode is set, changed in parts, enforced and taken away', async (t) => {
  for (const [number, client] of (await everyClient(t)).entries()) {
    const c = `strict-${number}`;
    const given = { enabled: true, maxQueryLimit: 5, searchAllowExact: false };
    const { strictMode } = await client.createCollection(c, { dimension: 1, distance: 'dot', strictMode: given });
    assert.equal([strictMode?.enabled, strictMode?.maxQueryLimit, strictMode?.maxTimeout], [true, 5, null]);
    assert.is((await errorOf(client.search(c, { vector: [1], limit: 6 }))).details['strict_mode'], 'max_query_limit');
    const changed = await client.updateCollection(c, { strictMode: { maxQueryLimit: null } });
    assert.equal([changed.strictMode?.maxQueryLimit, changed.strictMode?.searchAllowExact], [null, false]);
    assert.equal((await client.search(c, { vector: [1], limit: 6 })).hits, []);
    assert.is((await client.updateCollection(c, { strictMode: null })).strictMode, null);
  }
});

test('errors are typed as the server types them', async (t) => {
  const clients = await everyClient(t);
  for (const client of [clients[0], clients.at(-1)]) if (client !== undefined) await mustType(client);
});

async function mustType(client: SkeinClient): Promise<void> {
  await client.createCollection('c', { dimension: 2, distance: 'cosine' });
  const cases: [() => Promise<unknown>, string, number, object][] = [
    [() => client.collection('none'), 'CollectionNotFound', 404, { collection: 'none', available_collections: ['c'] }],
    [() => client.createCollection('c', { dimension: 2, distance: 'dot' }), 'CollectionAlreadyExists', 409, {}],
    [() => client.createCollection('.c', { dimension: 2, distance: 'dot' }), 'InvalidCollectionName', 400, {}],
    [() => client.upsert('c', [{ id: 'x', vector: [1] }]), 'DimensionMismatch', 400, { expected: 2, got: 1, point_id: 'x' }],
    [() => client.upsert('c', [{ id: 'x', vector: [1, Number.NaN] }]), 'InvalidVector', 400, { point_id: 'x', component: 1 }],
    [() => client.upsert('c', [{ id: 'x', vector: [0, 0] }]), 'ZeroVector', 400, { point_id: 'x' }],
    [() => client.get('c', 7), 'PointNotFound', 404, { id: 7 }],
    [() => client.patch('c', [{ id: 7, payload: {} }]), 'PointNotFound', 404, { id: 7 }],
    [
      () => client.upsert('c', [{ id: 1, vector: [1, 1], ifVersion: 3 }]),
      'VersionConflict',
      409,
      { id: 1, expected: 3, actual: 0 },
    ],
    [() => client.count('c', undefined, { minPosition: 'no token' }), 'InvalidRequest', 400, {}],
    [() => client.upsert('c', [{ id: 1, vector: [1, 1] }], { w: 5 }), 'WriteConcernImpossible', 400, {}],
  ];
  for (const [call, type, status, details] of cases) {
    const error = await errorOf(call());
    assert.equal([error.type, error.status], [type, status], error.message);
    for (const [key, value] of Object.entries(details)) assert.equal(error.details[key], value, `${type} ${key}`);
    assert.type(error.requestId, 'string');
  }
}

test('a repeated write under one key is answered, not done again', async (t) => {
  const [client] = await clientsOf(t);
  if (client === undefined) throw new Error('no client');
  await client.createCollection('c', { dimension: 1, distance: 'dot' });
  const write = () => client.upsert('c', [{ id: 1, vector: [1], ifVersion: 0 }], { idempotencyKey: 'once' });
  const first = await write();
  assert.equal(await write(), first);
  const other = await errorOf(client.upsert('c', [{ id: 2, vector: [1] }], { idempotencyKey: 'once' }));
  assert.is(other.type, 'IdempotencyConflict');
});

test('recall is measured, with a filter by its class', async (t) => {
  const [client] = await clientsOf(t);
  if (client === undefined) throw new Error('no client');
  await client.createCollection('c', { dimension: 2, distance: 'euclid' });
  await client.upsert(
    'c',
    [0, 1, 2].map((id) => ({ id, vector: [id, 1], payload: { even: id % 2 === 0 } })),
  );
  const all = await client.measureRecall('c');
  assert.equal([all.recall, all.sampled, all.limit, all.worst], [1, 3, 10, 1]);
  const filter = { must: [{ key: 'even', match: { value: true } }] };
  const half = await client.measureRecall('c', { sample: 10, limit: 2, efSearch: 30, filter, measureTimeoutMs: 5_000 });
  assert.equal([half.sampled, half.limit, half.efSearch], [2, 2, 30]);
  assert.equal(half.byFilterClass, { above_50: { recall: 1, sampled: 2 } });
});

test('health, readiness and version are answers', async (t) => {
  const [client] = await clientsOf(t);
  if (client === undefined) throw new Error('no client');
  assert.is((await client.health()).status, 'healthy');
  assert.equal([(await client.ready()).status, (await client.ready()).step], ['ready', 'ready']);
  const details = await client.healthDetails();
  assert.equal([details.status, details.components.vector.breaker, details.fallback.active], ['healthy', 'closed', false]);
  assert.equal(details.recall, { figures: [], skipped: 0, discarded: 0 });
  const version = await client.version();
  assert.is(version.name, 'skein');
  assert.is(version.node, process.version);
  assert.ok(version.nativeBuild.length > 0);
});

test.run();
