/** The HTTP room over the real engine: what only both together can keep. */

import * as assert from 'uvu/assert';
import { floatBytes, floatsOf } from '../../src/codec/msgpack.js';
import { FIXED } from '../../src/model/limits.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http over the real engine');
const POINTS = '/v1/collections/c/points';

async function realHttp(t: TestContext, distance: string, dimension: number): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  assert.is((await http.ask('PUT', '/v1/collections/c', { dimension, distance })).status, 201);
  return http;
}

const type = (answer: { status: number; body: { error?: { type: string } } }): unknown => [
  answer.status,
  answer.body.error?.type,
];

test('vectors come back bit for bit, whatever the distance and the form', async (t) => {
  const http = await realHttp(t, 'cosine', 16);
  const random = new Random(t.seed());
  const vectors = Array.from({ length: 20 }, () =>
    Float32Array.from({ length: 16 }, () => (random.unit() - 0.5) * 10 ** random.integer(-20, 20)),
  );
  (vectors[0] as Float32Array)[3] = -0;
  const points = vectors.map((vector, id) => ({ id, vector: floatBytes(vector) }));
  assert.is((await http.askPacked('PUT', POINTS, { points })).body.upserted, 20);
  for (const [id, vector] of vectors.entries()) {
    const packed = floatsOf((await http.askPacked('GET', `${POINTS}/${id}`)).body.vector);
    assert.equal(Buffer.from(packed.buffer), Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength));
    const text = (await http.ask('GET', `${POINTS}/${id}`)).body.vector as number[];
    assert.equal(
      Float32Array.from(text),
      Float32Array.from(vector, (value) => (value === 0 ? 0 : value)),
    );
  }
});

test('a search sees the write before it, and a token says so', async (t) => {
  const { ask } = await realHttp(t, 'euclid', 2);
  for (let i = 0; i < 5; i++) {
    const { body } = await ask('PUT', POINTS, { points: [{ id: i, vector: [i, 0], payload: { i } }] });
    const found = await ask('POST', `${POINTS}/search`, { vector: [i, 0], limit: 1, min_position: body.position });
    assert.equal([found.body.hits[0].id, found.body.hits[0].score, found.body.hits[0].payload], [i, 0, { i }]);
  }
  const durable = await ask('PUT', `${POINTS}?wait=durable`, { points: [{ id: 9, vector: [9, 0] }] });
  const found = await ask(
    'POST',
    `${POINTS}/search`,
    { vector: [9, 0], limit: 1 },
    { 'x-skein-min-position': durable.body.position },
  );
  assert.is(found.body.hits[0].id, 9);
});

test('bad input has its error and changes nothing', async (t) => {
  const { ask } = await realHttp(t, 'cosine', 2);
  const good = { id: 'good', vector: [1, 2] };
  await ask('PUT', POINTS, { points: [good] });
  const position = (await ask('GET', '/v1/collections/c')).body.position;
  const bad = async (points: unknown[]): Promise<unknown> =>
    type(await ask('PUT', POINTS, { points: [{ id: 'other', vector: [1, 1] }, ...points] }));
  assert.equal(await bad([{ id: 1, vector: [1, 2, 3] }]), [400, 'DimensionMismatch']);
  assert.equal(await bad([{ id: 1, vector: [1, null] }]), [400, 'InvalidVector']);
  assert.equal(await bad([{ id: 1, vector: ['1', 2] }]), [400, 'InvalidVector']);
  assert.equal(await bad([{ id: 1, vector: [0, 0] }]), [400, 'ZeroVector']);
  assert.equal(await bad([{ id: 'other', vector: [1, 2] }]), [400, 'InvalidRequest']);
  assert.equal(await bad([{ id: 'x'.repeat(257), vector: [1, 2] }]), [400, 'InvalidRequest']);
  assert.equal(await bad([{ id: 1, vector: [1, 2], payload: { a: 'x'.repeat(10 * 2 ** 20) } }]), [413, 'PayloadTooLarge']);
  assert.equal(await bad([{ id: 'good', vector: [1, 2], if_version: 0 }]), [409, 'VersionConflict']);
  assert.equal(type(await ask('POST', `${POINTS}/search`, { vector: [1] })), [400, 'DimensionMismatch']);
  assert.equal(type(await ask('POST', `${POINTS}/search`, { vector: [0, 0] })), [400, 'ZeroVector']);
  assert.equal(type(await ask('POST', `${POINTS}/search`, { id: 'none' })), [404, 'PointNotFound']);
  assert.equal(type(await ask('PATCH', POINTS, { points: [{ id: 'none', payload: {} }] })), [404, 'PointNotFound']);
  assert.equal(type(await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' })), [409, 'CollectionAlreadyExists']);
  assert.equal(type(await ask('PUT', '/v1/collections/d', { dimension: 65_536, distance: 'dot' })), [400, 'InvalidRequest']);
  assert.is((await ask('GET', '/v1/collections/c')).body.position, position);
  assert.equal((await ask('POST', `${POINTS}/count`)).body, { count: 1 });
});

test('a vector of no components is refused as any other of another length than the collection has', async (t) => {
  const { ask } = await realHttp(t, 'cosine', 2);
  const batch = { searches: [{ vector: [1, 0] }, { vector: [] }] };
  for (const [path, body, place] of [
    ['search', { vector: [] }, 'vector'],
    ['search/groups', { vector: [], group_by: 'k' }, 'vector'],
    ['search/batch', batch, 'searches[1].vector'],
    ['recommend', { positive: [[1, 0], []] }, 'positive[1]'],
  ] as const) {
    const answer = await ask('POST', `${POINTS}/${path}`, body);
    assert.equal(type(answer), [400, 'DimensionMismatch'], path);
    assert.equal(answer.body.error.details, { expected: 2, got: 0, path: place }, path);
    assert.match(answer.body.error.message, "has 0 components, collection 'c' has 2");
  }
});

test('who asks for a point that is not there is told in which collection, by its own name', async (t) => {
  const { ask } = await realHttp(t, 'cosine', 2);
  await ask('PUT', '/v1/aliases/alias', { collection: 'c' });
  const points = [{ id: 'none', payload: {} }];
  for (const [method, path, body] of [
    ['GET', 'points/none', undefined],
    ['PATCH', 'points', { points }],
    ['POST', 'points/search', { id: 'none' }],
    ['POST', 'points/recommend', { positive: ['none'] }],
  ] as const) {
    const answer = await ask(method, `/v1/collections/alias/${path}`, body);
    const { id, collection } = answer.body.error.details;
    assert.equal([...(type(answer) as []), id, collection], [404, 'PointNotFound', 'none', 'c'], path);
  }
  const batch = await ask('POST', '/v1/batch', { operations: [{ patch: { collection: 'alias', points } }] });
  assert.equal(batch.body.error.details, { id: 'none', collection: 'c' });
});

test('groups, recommendations and facets see the write before them, in both forms, and so do batches of every kind of search', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask, askPacked } = await startHttp(t, { engine });
  const made = { dimension: 2, distance: 'cosine', text_fields: ['t'], payload_indexes: [{ path: 'kind', type: 'keyword' }] };
  assert.is((await ask('PUT', '/v1/collections/c', made)).status, 201);
  const points = Array.from({ length: 12 }, (_, id) => ({
    id,
    vector: [Math.cos(id / 10), Math.sin(id / 10)],
    payload: { kind: `k${id % 3}`, t: id % 2 === 0 ? 'even rivers' : 'odd mountains' },
  }));
  const { position } = (await ask('PUT', `${POINTS}?wait=durable`, { points })).body;
  for (const one of [ask, askPacked]) {
    const fresh = { min_position: position };
    const groups = await one('POST', `${POINTS}/search/groups`, {
      vector: [1, 0],
      group_by: 'kind',
      group_size: 2,
      limit: 2,
      ...fresh,
    });
    assert.equal(
      groups.body.groups.map(({ value, hits }: { value: string; hits: { id: number }[] }) => [value, hits.map(({ id }) => id)]),
      [
        ['k0', [0, 3]],
        ['k1', [1, 4]],
      ],
    );
    const hybrid = await one('POST', `${POINTS}/search/groups`, { id: 0, text: 'river', group_by: 'kind', with_payload: false });
    assert.equal([hybrid.body.mode, hybrid.body.complete, hybrid.body.groups.length], ['hybrid', true, 3]);
    const like = await one('POST', `${POINTS}/recommend`, { positive: [0, [1, 0.1]], negative: [11], limit: 2, ...fresh });
    assert.equal([like.body.hits.map((hit: { id: number }) => hit.id), like.body.complete], [[1, 2], true]);
    const facet = await one('POST', `${POINTS}/facet`, { key: 'kind', filter: { must: [{ has_id: [1, 4, 5] }] }, ...fresh });
    assert.equal(facet.body.values, [
      { value: 'k1', count: 2 },
      { value: 'k2', count: 1 },
    ]);
    const batch = await one('POST', `${POINTS}/search/batch`, {
      searches: [
        { vector: [1, 0], filter: { must: [{ key: 'kind', match: { value: 'k2' } }] }, limit: 2, offset: 1, cache: false },
        { text: 'river', limit: 3, with_payload: false, timeout_ms: 9_000 },
        {
          id: 3,
          text: 'mountain',
          fusion: { method: 'weighted', weights: { text: 0 } },
          candidates: 50,
          limit: 1,
          with_vector: true,
        },
        { vector: [1, 0], score_threshold: Math.cos(0.25), explain: true },
      ],
    });
    const [filtered, text, both, near] = batch.body.results;
    assert.equal(
      filtered.hits.map((hit: { id: number }) => hit.id),
      [5, 8],
    );
    assert.equal([text.mode, text.hits.length, text.hits[0].payload], ['text', 3, undefined]);
    assert.equal([both.mode, both.hits.length, both.hits[0].vector.length > 0, both.hits[0].id !== 3], ['hybrid', 1, true, true]);
    assert.equal([near.hits.map((hit: { id: number }) => hit.id), typeof near.explain.plan], [[0, 1, 2], 'string']);
  }
  const silent = { must: [{ key: 't', match: { text: 'the' } }] };
  const refused = await ask('POST', `${POINTS}/search/batch`, { searches: [{ text: 'river' }, { id: 0, filter: silent }] });
  assert.equal(
    [...(type(refused) as []), refused.body.error.details.path],
    [400, 'InvalidFilter', 'searches[1].filter.must[0].match.text'],
  );
  const lost = await ask('POST', `${POINTS}/recommend`, { positive: [0, 99] });
  assert.equal([...(type(lost) as []), lost.body.error.details.path], [404, 'PointNotFound', 'positive[1]']);
  const against = await ask('POST', `${POINTS}/recommend`, {
    positive: [
      [1, 0],
      [-2, 0],
    ],
  });
  assert.equal(type(against), [400, 'ZeroVector']);
});

test('large writes go through the body thread and the writer thread', async (t) => {
  const { ask, askPacked } = await realHttp(t, 'dot', 32);
  const random = new Random(t.seed());
  const points = Array.from({ length: 2_500 }, (_, id) => ({
    id,
    vector: Array.from({ length: 32 }, () => Math.fround(random.unit())),
    payload: { id },
  }));
  assert.ok(JSON.stringify({ points }).length > FIXED.inlineBodyBytesMax);
  const headers = { 'idempotency-key': 'once' };
  const first = await ask('PUT', POINTS, { points }, headers);
  assert.equal([first.status, first.body.upserted], [200, 2_500]);
  assert.equal((await askPacked('PUT', POINTS, { points }, headers)).body, first.body);
  const other = { points: [{ ...points[0], payload: {} }] };
  assert.equal(type(await ask('PUT', POINTS, other, headers)), [409, 'IdempotencyConflict']);
  const scrolled = await ask('POST', `${POINTS}/scroll`, { limit: 2_500, with_vector: true });
  const found = scrolled.body.points as { id: number; payload: object; vector: number[] }[];
  assert.equal(
    found.map(({ id, payload, vector }) => ({ id, vector: vector.map(Math.fround), payload })),
    points,
  );
});

test('a repeat of what made or changed a collection is answered as the first was, whatever has happened since', async (t) => {
  const { ask } = await realHttp(t, 'dot', 2);
  const calls: readonly Parameters<typeof ask>[] = [
    ['PUT', '/v1/collections/d', { dimension: 2, distance: 'dot', ttl_ms: 60_000 }, { 'idempotency-key': 'made' }],
    ['PATCH', '/v1/collections/d', { hnsw: { ef_search: 99 } }, { 'idempotency-key': 'changed' }],
    [
      'POST',
      '/v1/batch',
      { operations: [{ create_collection: { collection: 'e', dimension: 3, distance: 'dot' } }] },
      { 'idempotency-key': 'batch' },
    ],
  ];
  /** What it tells of the collection itself; what the index holds is today's. */
  const told = async (call: Parameters<typeof ask>): Promise<unknown> => {
    const { body } = await ask(...call);
    const { memory_bytes: _memory, tombstone_ratio: _ratio, ...info } = body.results?.[0] ?? body;
    return info;
  };
  const first: unknown[] = [];
  for (const call of calls) first.push(await told(call));
  await ask('PUT', '/v1/collections/d/points', { points: [{ id: 1, vector: [1, 2] }] });
  await ask('PUT', '/v1/collections/e/points', { points: [{ id: 1, vector: [1, 2, 3] }] });
  for (const then of ['points were added', 'it was dropped']) {
    for (const [i, call] of calls.entries()) assert.equal(await told(call), first[i], then);
    await ask('DELETE', '/v1/collections/d');
    await ask('DELETE', '/v1/collections/e');
  }
});

test('an import fails the lines that the writer refuses, alone', async (t) => {
  const { send, ask } = await realHttp(t, 'euclid', 2);
  await ask('PUT', POINTS, { points: [{ id: 50, vector: [9, 9] }] });
  const lines = Array.from({ length: 100 }, (_, id) => JSON.stringify({ id, vector: [id, 1], if_version: 0 }));
  lines.push(JSON.stringify({ id: 7, vector: [70, 70] }), 'nonsense');
  const { body } = await send('POST', `${POINTS}/import`, lines.join('\n'), { 'content-type': 'application/x-ndjson' });
  const last = JSON.parse((body as string).trimEnd().split('\n').at(-1) ?? '');
  assert.equal([last.imported, last.failed_count], [100, 2]);
  assert.equal(last.failed.map(({ line }: { line: number }) => line).sort(), [102, 51]);
  assert.equal((await ask('GET', `${POINTS}/50`)).body.vector, [9, 9]);
  assert.equal((await ask('GET', `${POINTS}/7`)).body.vector, [70, 70]);
});

test('delete by filter, patch and batch work on what is there', async (t) => {
  const { ask } = await realHttp(t, 'euclid', 2);
  const points = Array.from({ length: 30 }, (_, id) => ({ id, vector: [id, 0], payload: { even: id % 2 === 0, deep: { id } } }));
  await ask('PUT', POINTS, { points });
  const patch = { points: [{ id: 3, payload: { deep: { more: [1] } }, unset: ['even'] }] };
  await ask('PATCH', POINTS, patch);
  assert.equal((await ask('GET', `${POINTS}/3`)).body.payload, { deep: { id: 3, more: [1] } });
  const deleted = await ask('POST', `${POINTS}/delete`, { filter: { must: [{ key: 'even', match: { value: true } }] } });
  assert.is(deleted.body.deleted, 15);
  const operations = [
    { create_collection: { collection: 'new', dimension: 1, distance: 'dot' } },
    { upsert: { collection: 'new', points: [{ id: 1, vector: [1] }] } },
    { delete: { collection: 'c', ids: [1, 2] } },
  ];
  const batch = await ask('POST', '/v1/batch', { operations });
  assert.equal(batch.body.results.slice(1), [{ upserted: 1 }, { deleted: 1 }]);
  assert.equal((await ask('POST', `${POINTS}/count`)).body, { count: 14 });
  assert.equal(type(await ask('POST', '/v1/batch', { operations: [operations[2], operations[0]] })), [
    409,
    'CollectionAlreadyExists',
  ]);
  assert.equal((await ask('POST', `${POINTS}/count`)).body, { count: 14 });
});

test('a token of another history is lost, one of the future too', async (t) => {
  const { ask } = await realHttp(t, 'dot', 1);
  const token = Buffer.from((await ask('GET', '/v1/collections/c')).body.position, 'base64url');
  const future = Buffer.from(token);
  future.writeBigUInt64BE(1_000n, 25);
  const foreign = Buffer.from(token);
  foreign[5] = (foreign[5] ?? 0) ^ 1;
  for (const lost of [future, foreign]) {
    const answer = await ask('GET', '/v1/collections/c', undefined, { 'x-skein-min-position': lost.toString('base64url') });
    assert.equal(type(answer), [409, 'PositionLost']);
  }
});

test.run();
