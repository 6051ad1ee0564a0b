/** Named and sparse vectors over HTTP, with the real engine: declared, written, read, searched, taken away; JSON and MessagePack. */

import * as assert from 'uvu/assert';
import { floatBytes, floatsOf } from '../../src/codec/msgpack.js';
import { type Answer, startHttp, type TestHttp } from '../support/http-server.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/named-vectors');
const COLLECTION = '/v1/collections/c';
const POINTS = `${COLLECTION}/points`;
const NAMED = {
  vectors: { image: { dimension: 2, distance: 'dot', hnsw: { ef_search: 100 } } },
  sparse_vectors: { words: {}, rare: { modifier: 'idf' } },
};

async function withCollection(t: TestContext, body: object = { dimension: 3, distance: 'cosine', ...NAMED }): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  const made = await http.ask('PUT', COLLECTION, body);
  assert.is(made.status, 201, JSON.stringify(made.body));
  return http;
}

function issueOf({ status, body }: Answer): unknown {
  return [status, body.error?.type, body.error?.details?.issues?.[0]?.path ?? body.error?.details?.path];
}

const idsOf = ({ body }: Answer): unknown => body.hits?.map(({ id }: { id: unknown }) => id) ?? body;

test('what is declared is shown, and only where there is something', async (t) => {
  const { ask } = await withCollection(t);
  const { body } = await ask('GET', COLLECTION);
  assert.equal([body.dimension, body.distance], [3, 'cosine']);
  assert.equal(body.vectors, {
    image: {
      dimension: 2,
      distance: 'dot',
      hnsw: { m: 16, ef_construct: 200, ef_search: 100 },
      quantization: null,
      points_count: 0,
    },
  });
  assert.equal(body.sparse_vectors, { words: { modifier: null, points_count: 0 }, rare: { modifier: 'idf', points_count: 0 } });
  await ask('PUT', '/v1/collections/plain', { dimension: 2, distance: 'dot' });
  const plain = (await ask('GET', '/v1/collections/plain')).body;
  assert.equal(['vectors' in plain, 'sparse_vectors' in plain], [false, false]);
  const none = await ask('PUT', '/v1/collections/none', { vectors: {} });
  assert.equal([none.status, none.body.dimension, none.body.distance], [201, null, null]);
});

test('points come back with the vectors that they have, in both forms of bodies', async (t) => {
  const { ask, askPacked } = await withCollection(t);
  const points = [
    { id: 1, vector: [1, 0, 0], vectors: { image: [1, 2], words: { indices: [7, 3], values: [0.5, 2] } }, payload: { a: 1 } },
    { id: 2, vectors: { rare: { indices: [4_294_967_295], values: [1] } } },
    { id: 3 },
  ];
  assert.equal((await ask('PUT', POINTS, { points })).body.upserted, 3);
  const all = (await ask('POST', `${POINTS}/get`, { ids: [1, 2, 3] })).body.points;
  assert.equal(all[0].vector, [1, 0, 0]);
  assert.equal(all[0].vectors, { image: [1, 2], words: { indices: [3, 7], values: [2, 0.5] } });
  assert.equal(['vector' in all[1], all[1].vectors], [false, { rare: { indices: [4_294_967_295], values: [1] } }]);
  assert.equal(['vector' in all[2], all[2].vectors], [false, {}]);
  const some = (await ask('POST', `${POINTS}/get`, { ids: [1], with_vector: ['words'] })).body.points[0];
  assert.equal(['vector' in some, Object.keys(some.vectors)], [false, ['words']]);
  assert.equal(
    (await ask('POST', `${POINTS}/scroll`, { with_vector: ['image'] })).body.points.map((one: { vectors: object }) =>
      Object.keys(one.vectors),
    ),
    [['image'], [], []],
  );
  const packed = {
    id: 4,
    vectors: { image: floatBytes(Float32Array.of(3, 4)), words: { indices: [1], values: floatBytes(Float32Array.of(9)) } },
  };
  assert.is((await askPacked('PUT', POINTS, { points: [packed] })).status, 200);
  const { vectors } = (await askPacked('GET', `${POINTS}/4`)).body;
  assert.equal([[...floatsOf(vectors.image)], vectors.words.indices, [...floatsOf(vectors.words.values)]], [[3, 4], [1], [9]]);
});

test('a patch merges vectors by name, and takes away those that it names', async (t) => {
  const { ask } = await withCollection(t);
  const vectors = { image: [1, 2], words: { indices: [1], values: [1] } };
  await ask('PUT', POINTS, { points: [{ id: 1, vector: [1, 0, 0], vectors }] });
  const patch = { id: 1, vectors: { image: [5, 6] }, unset_vectors: ['words', 'rare'] };
  assert.equal((await ask('PATCH', POINTS, { points: [patch] })).body.patched, 1);
  const { body } = await ask('GET', `${POINTS}/1`);
  assert.equal([body.vector, body.vectors], [[1, 0, 0], { image: [5, 6] }]);
});

test('searches name the vectors that they look at', async (t) => {
  const { ask, askPacked } = await withCollection(t);
  const points = [1, 2, 3, 4].map((id) => ({
    id,
    vector: [1, id, 0],
    vectors: {
      image: [id, 1],
      words: { indices: [id, id + 1], values: [1, id] },
      ...(id < 3 && { rare: { indices: [9], values: [id] } }),
    },
    payload: { even: id % 2 === 0 },
  }));
  await ask('PUT', POINTS, { points });
  const search = async (body: object) => ask('POST', `${POINTS}/search`, body);
  assert.equal(idsOf(await search({ using: 'image', vector: [1, 0], limit: 2 })), [4, 3]);
  assert.equal(idsOf(await search({ using: 'words', vector: { indices: [2], values: [1] } })), [1, 2]);
  assert.equal(idsOf(await search({ using: 'words', id: 2 })), [3, 1]);
  const filtered = await search({
    using: 'words',
    vector: { indices: [3, 2], values: [1, 1] },
    filter: { must: [{ key: 'even', match: { value: true } }] },
  });
  assert.equal([idsOf(filtered), filtered.body.complete], [[2], true]);
  assert.equal(filtered.body.hits[0].score, 3);
  const rare = await search({ using: 'rare', vector: { indices: [9], values: [1] }, explain: true, with_vector: ['rare'] });
  const idf = Math.log((2 - 2 + 0.5) / (2 + 0.5) + 1);
  assert.equal(
    rare.body.hits.map(({ score }: { score: number }) => Math.abs(score)),
    [2 * idf, idf],
  );
  assert.equal(rare.body.hits[0].vectors, { rare: { indices: [9], values: [2] } });
  const packed = await askPacked('POST', `${POINTS}/search`, {
    using: 'image',
    vector: floatBytes(Float32Array.of(1, 0)),
    limit: 1,
  });
  assert.equal(idsOf(packed), [4]);
  const batch = await ask('POST', `${POINTS}/search/batch`, {
    searches: [
      { vector: [1, 4, 0], limit: 1 },
      { using: 'words', vector: { indices: [5], values: [1] } },
    ],
  });
  assert.equal(
    batch.body.results.map((one: object) => idsOf({ body: one } as Answer)),
    [[4], [4]],
  );
  const recommend = await ask('POST', `${POINTS}/recommend`, { using: 'image', positive: [4], limit: 2 });
  assert.equal(idsOf(recommend), [3, 2]);
  const groups = await ask('POST', `${POINTS}/search/groups`, {
    using: 'image',
    vector: [1, 0],
    group_by: 'even',
    group_size: 1,
  });
  assert.equal(
    groups.body.groups.map(({ value, hits }: { value: boolean; hits: { id: number }[] }) => [value, hits[0]?.id]),
    [
      [true, 4],
      [false, 3],
    ],
  );
  const recall = await ask('POST', `${COLLECTION}/recall`, { using: 'image', limit: 2 });
  assert.equal([recall.body.recall, recall.body.sampled], [1, 4]);
  assert.equal(issueOf(await ask('POST', `${COLLECTION}/recall`, { using: 'words' })), [400, 'InvalidRequest', 'using']);
});

test('bad vectors are refused where they stand', async (t) => {
  const { ask } = await withCollection(t);
  const put = async (vectors: unknown, more: object = {}) =>
    issueOf(await ask('PUT', POINTS, { points: [{ id: 1, vectors, ...more }] }));
  const invalid = (path: string) => [400, 'InvalidRequest', path];
  const cases: readonly (readonly [unknown, unknown])[] = [
    [[1], invalid('points[0].vectors')],
    [{ other: [1] }, invalid('points[0].vectors.other')],
    [{ image: 'x' }, invalid('points[0].vectors.image')],
    [{ image: { indices: [1], values: [1] } }, invalid('points[0].vectors.image')],
    [{ words: [1, 2] }, invalid('points[0].vectors.words')],
    [{ words: { indices: [1] } }, invalid('points[0].vectors.words.values')],
    [{ words: { indices: [1], values: [1], more: 1 } }, invalid('points[0].vectors.words.more')],
    [{ words: { indices: [1, 2], values: [1] } }, invalid('points[0].vectors.words')],
    [{ words: { indices: [2, 1, 2], values: [1, 1, 1] } }, invalid('points[0].vectors.words.indices')],
    [{ words: { indices: [-1], values: [1] } }, invalid('points[0].vectors.words.indices[0]')],
    [{ words: { indices: [1.5], values: [1] } }, invalid('points[0].vectors.words.indices[0]')],
    [{ words: { indices: [4_294_967_296], values: [1] } }, invalid('points[0].vectors.words.indices[0]')],
    [{ words: { indices: [1], values: [1e99] } }, [400, 'InvalidVector', 'points[0].vectors.words.values[0]']],
    [{ image: [1, 2, 3] }, [400, 'DimensionMismatch', 'points[0].vectors.image']],
    [{ image: [] }, [400, 'DimensionMismatch', 'points[0].vectors.image']],
  ];
  for (const [vectors, expected] of cases) assert.equal(await put(vectors), expected, JSON.stringify(vectors));
  const details = (await ask('PUT', POINTS, { points: [{ id: 7, vectors: { image: [1] } }] })).body.error.details;
  assert.equal([details.vector_name, details.expected, details.got, details.point_id], ['image', 2, 1, 7]);
  const search = async (body: object) => issueOf(await ask('POST', `${POINTS}/search`, body));
  assert.equal(await search({ using: 'other', vector: [1] }), invalid('using'));
  assert.equal(await search({ using: 'words', vector: [1] }), invalid('vector'));
  assert.equal(await search({ vector: { indices: [1], values: [1] } }), invalid('vector'));
  assert.equal(await search({ using: 'image', vector: [1] }), [400, 'DimensionMismatch', 'vector']);
  assert.equal(issueOf(await ask('POST', `${POINTS}/get`, { ids: [1], with_vector: ['other'] })), invalid('with_vector[0]'));
  assert.equal(
    issueOf(await ask('PATCH', POINTS, { points: [{ id: 1, unset_vectors: ['other'] }] })),
    invalid('points[0].unset_vectors[0]'),
  );
});

test('where there is only a default vector it is needed, and names are refused', async (t) => {
  const { ask } = await withCollection(t, { dimension: 2, distance: 'dot' });
  assert.equal(issueOf(await ask('PUT', POINTS, { points: [{ id: 1 }] })), [400, 'InvalidRequest', 'points[0].vector']);
  assert.equal(issueOf(await ask('PUT', POINTS, { points: [{ id: 1, vector: [1, 2], vectors: { a: [1] } }] })), [
    400,
    'InvalidRequest',
    'points[0].vectors.a',
  ]);
  const batch = { upsert: { points: [{ id: 1 }], collection: 'c' } };
  assert.equal(issueOf(await ask('POST', '/v1/batch', { operations: [batch] })), [
    400,
    'InvalidRequest',
    'operations[0].upsert.points[0].vector',
  ]);
  for (const [body, path] of [
    [{}, 'dimension'],
    [{ dimension: 3 }, 'distance'],
    [{ distance: 'dot', vectors: {} }, 'dimension'],
    [{ vectors: { 'a\u0007': { dimension: 2, distance: 'dot' } } }, 'vectors.a\u0007'],
    [{ vectors: { a: { dimension: 2 } } }, 'vectors.a.distance'],
    [{ vectors: { a: { dimension: 2, distance: 'dot' } }, sparse_vectors: { a: {} } }, 'sparse_vectors.a'],
    [{ vectors: {}, hnsw: { m: 4 } }, 'hnsw'],
    [{ sparse_vectors: { a: { modifier: 'tf' } } }, 'sparse_vectors.a.modifier'],
  ] as const)
    assert.equal(issueOf(await ask('PUT', '/v1/collections/bad', body)), [400, 'InvalidRequest', path], JSON.stringify(body));
});

test('a collection without a default vector refuses one, and takes points without any', async (t) => {
  const { ask } = await withCollection(t, NAMED);
  assert.equal(issueOf(await ask('PUT', POINTS, { points: [{ id: 1, vector: [1] }] })), [
    400,
    'InvalidRequest',
    'points[0].vector',
  ]);
  assert.is((await ask('PUT', POINTS, { points: [{ id: 1, payload: { a: 1 } }] })).status, 200);
  assert.equal((await ask('POST', `${POINTS}/count`, { filter: { must: [{ key: 'a', match: { value: 1 } }] } })).body.count, 1);
  assert.equal(issueOf(await ask('POST', `${POINTS}/search`, { vector: [1, 2] })), [400, 'InvalidRequest', 'vector']);
});

test('names come and go; a repeated request is the same one, whatever the collection has by then', async (t) => {
  const { ask } = await withCollection(t);
  const key = { 'idempotency-key': 'once' };
  const body = {
    vectors: { title: { dimension: 2, distance: 'euclid' } },
    sparse_vectors: { words: { modifier: 'idf' }, rare: null },
  };
  const first = await ask('PATCH', COLLECTION, body, key);
  assert.equal(
    [first.status, Object.keys(first.body.vectors), first.body.sparse_vectors],
    [200, ['image', 'title'], { words: { modifier: 'idf', points_count: 0 } }],
  );
  const again = await ask('PATCH', COLLECTION, body, key);
  assert.equal([again.status, again.body.position], [200, first.body.position]);
  assert.equal(
    (await ask('PATCH', COLLECTION, { vectors: { title: { hnsw: { ef_search: 7 } } } })).body.vectors.title.hnsw.ef_search,
    7,
  );
  for (const [change, path] of [
    [{ vectors: { title: { dimension: 3 } } }, 'vectors.title.dimension'],
    [{ vectors: { fresh: { dimension: 3 } } }, 'vectors.fresh.distance'],
    [{ vectors: { nobody: null } }, 'vectors.nobody'],
    [{ vectors: { words: { dimension: 3, distance: 'dot' } } }, 'vectors.words'],
  ] as const)
    assert.equal(issueOf(await ask('PATCH', COLLECTION, change)), [400, 'InvalidRequest', path]);
  assert.equal(Object.keys((await ask('PATCH', COLLECTION, { vectors: { title: null, image: null } })).body.vectors ?? {}), []);
});

test('a batch writes into what it makes, and lines of an import carry vectors', async (t) => {
  const { ask, send } = await withCollection(t);
  const made = { create_collection: { collection: 'b', sparse_vectors: { s: {} } } };
  const put = { upsert: { collection: 'b', points: [{ id: 1, vectors: { s: { indices: [2], values: [3] } } }, { id: 2 }] } };
  assert.is((await ask('POST', '/v1/batch', { operations: [made, put] })).status, 200);
  assert.equal(
    idsOf(await ask('POST', '/v1/collections/b/points/search', { using: 's', vector: { indices: [2], values: [1] } })),
    [1],
  );
  const lines = [
    { id: 1, vectors: { image: [1, 2] } },
    { id: 2, vectors: { image: [1] } },
    { id: 3, vector: [1, 2, 3], vectors: { words: { indices: [1], values: [1] } } },
  ];
  const imported = await send('POST', `${POINTS}/import`, lines.map((line) => JSON.stringify(line)).join('\n'), {
    'content-type': 'application/x-ndjson',
  });
  const last = typeof imported.body === 'string' ? JSON.parse(imported.body.trim().split('\n').at(-1) ?? '{}') : imported.body;
  assert.equal(
    [last.imported, last.failed_count, last.failed[0].line, last.failed[0].error.type],
    [2, 1, 2, 'DimensionMismatch'],
  );
});

test('a large body goes through its thread whole, and a repeat is known when a name is gone by then', async (t) => {
  const { ask } = await withCollection(t);
  const text = 'x'.repeat(1_500);
  const points = Array.from({ length: 300 }, (_, id) => ({
    id,
    vectors: { image: [id, 1], words: { indices: [id, 7_000], values: [1, id] } },
    payload: { text },
  }));
  const key = { 'idempotency-key': 'large' };
  const first = await ask('PUT', POINTS, { points }, key);
  assert.is(first.body.upserted, 300);
  const patches = points.map(({ id, payload }) => ({
    id,
    vectors: { image: [-id, 2] },
    unset_vectors: id % 2 === 0 ? ['words'] : [],
    payload,
  }));
  assert.is((await ask('PATCH', POINTS, { points: patches })).body.patched, 300);
  const { vectors } = (await ask('GET', `${POINTS}/3`)).body;
  assert.equal(vectors, { image: [-3, 2], words: { indices: [3, 7_000], values: [1, 3] } });
  assert.equal((await ask('GET', `${POINTS}/4`)).body.vectors, { image: [-4, 2] });
  assert.is((await ask('PATCH', COLLECTION, { vectors: { image: null } })).status, 200);
  const again = await ask('PUT', POINTS, { points }, key);
  assert.equal([again.status, again.body.position], [200, first.body.position]);
  assert.equal(issueOf(await ask('PUT', POINTS, { points }, { 'idempotency-key': 'other' })), [
    400,
    'InvalidRequest',
    'points[0].vectors.image',
  ]);
});

test.run();
