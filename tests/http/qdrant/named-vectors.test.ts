/** Named and sparse vectors through the dialect: declared, written in both forms, shown, changed, taken away. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/named-vectors');
const POINTS = '/collections/c/points';

async function started(t: TestContext, body: object): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  const made = await http.ask('PUT', '/collections/c', body);
  assert.is(made.status, 200, JSON.stringify(made.body));
  return http;
}

async function vectors({ ask }: TestHttp, with_vector: unknown = true): Promise<Record<string, unknown>> {
  const { body } = await ask('POST', `${POINTS}/scroll`, { with_vector, with_payload: false });
  const points = body.result.points as { id: string | number; vector: unknown }[];
  return Object.fromEntries(points.map(({ id, vector }) => [id, vector]));
}

const NAMED = {
  vectors: { image: { size: 2, distance: 'Euclid' }, text: { size: 2, distance: 'Cosine', hnsw_config: { m: 8 } } },
  sparse_vectors: { words: { modifier: 'idf', index: { on_disk: true } } },
};

test('names are declared with a collection, shown, added and taken away', async (t) => {
  const { ask } = await started(t, NAMED);
  const params = async () => (await ask('GET', '/collections/c')).body.result.config.params;
  const { image, text } = (await params()).vectors;
  assert.equal([image.size, image.distance, text.distance, text.hnsw_config.m], [2, 'Euclid', 'Cosine', 8]);
  assert.equal((await params()).sparse_vectors, { words: { modifier: 'idf' } });
  const put = (name: string, body: object) => ask('PUT', `/collections/c/vectors/${name}?wait=true`, body);
  assert.is((await put('sound', { dense: { size: 3, distance: 'Dot' } })).body.result.status, 'completed');
  assert.is((await put('tags', { sparse: {} })).body.result.status, 'completed');
  assert.is((await put('both', { sparse: {}, dense: { size: 3, distance: 'Dot' } })).status, 400);
  assert.is((await ask('DELETE', '/collections/c/vectors/image?wait=true')).body.result.status, 'completed');
  assert.equal(Object.keys((await params()).vectors), ['sound', 'text']);
  assert.equal((await params()).sparse_vectors, { tags: {}, words: { modifier: 'idf' } });
  const changed = await ask('PATCH', '/collections/c', { sparse_vectors: { words: { modifier: 'none' } } });
  assert.is(changed.body.result, true);
  assert.equal((await params()).sparse_vectors.words, {});
  assert.is((await ask('PATCH', '/collections/c', { vectors: { none: {} } })).status, 400);
});

test('points have what they are given, as a list or in columns; vectors under cosine are shown with length 1', async (t) => {
  const http = await started(t, NAMED);
  const points = [
    { id: 1, vector: { image: [3, 4], text: [3, 4], words: { indices: [7, 2], values: [1, 0.5] } } },
    { id: 2, vector: {} },
  ];
  assert.is((await http.ask('PUT', `${POINTS}?wait=true`, { points })).status, 200);
  const batch = {
    ids: [3, 4],
    vectors: {
      text: [
        [0, 1],
        [0, 5],
      ],
      words: [
        { indices: [1], values: [1] },
        { indices: [], values: [] },
      ],
    },
  };
  const written = await http.ask('PUT', `${POINTS}?wait=true`, { batch });
  assert.is(written.status, 200, JSON.stringify(written.body));
  const shown = await vectors(http);
  const one = shown['1'] as { text: number[] };
  assert.equal(
    { ...one, text: one.text.map((value) => value.toFixed(6)) },
    {
      image: [3, 4],
      text: ['0.600000', '0.800000'],
      words: { indices: [2, 7], values: [0.5, 1] },
    },
  );
  assert.equal(shown['2'], {});
  assert.equal(Object.keys(shown['3'] as object).sort(), ['text', 'words']);
  assert.equal(await vectors(http, ['image']), { 1: { image: [3, 4] }, 2: {}, 3: {}, 4: {} });
  const found = await http.ask('POST', `${POINTS}/query`, { query: [3, 4], using: 'image', limit: 3 });
  assert.equal(
    found.body.result.points.map(({ id, score }: { id: number; score: number }) => [id, score]),
    [[1, 0]],
  );
});

test('vectors of points are changed and taken away by name', async (t) => {
  const http = await started(t, NAMED);
  const vector = { image: [1, 1], words: { indices: [1], values: [1] } };
  await http.ask('PUT', `${POINTS}?wait=true`, { points: [1, 2].map((id) => ({ id, vector, payload: { id } })) });
  const write = async (method: string, path: string, body: object): Promise<unknown> => {
    const answer = await http.ask(method, `${POINTS}${path}?wait=true`, body);
    return answer.body.result?.status ?? [answer.status, answer.body.status.error];
  };
  assert.is(await write('PUT', '/vectors', { points: [{ id: 1, vector: { image: [2, 2] } }] }), 'completed');
  assert.is(await write('POST', '/vectors/delete', { vector: ['words'], points: [1] }), 'completed');
  const filter = { must: [{ key: 'id', match: { value: 2 } }] };
  assert.is(await write('POST', '/vectors/delete', { vector: ['image'], filter }), 'completed');
  assert.equal(await vectors(http), { 1: { image: [2, 2] }, 2: { words: vector.words } });
  const operations = [{ delete_vectors: { vector: ['words'], points: [2] } }];
  assert.is((await http.ask('POST', `${POINTS}/batch?wait=true`, { operations })).status, 200);
  assert.equal((await vectors(http))['2'], {});
});

test('writes look at which vectors a point has', async (t) => {
  const http = await started(t, NAMED);
  const points = [
    { id: 1, vector: { image: [1, 1] } },
    { id: 2, vector: { text: [1, 1] } },
    { id: 3, vector: { text: [1, 1] } },
  ];
  await http.ask('PUT', `${POINTS}?wait=true`, { points });
  const has = (name: string) => ({ must: [{ has_vector: name }] });
  const write = (method: string, path: string, body: object) => http.ask(method, `${POINTS}${path}?wait=true`, body);
  await write('POST', '/payload', { payload: { seen: true }, filter: has('text') });
  const upsert = points.map((point) => ({ ...point, payload: { by: 'upsert' } }));
  await write('PUT', '', { points: upsert, update_filter: has('image') });
  await write('POST', '/delete', { filter: { must: [{ has_vector: 'text' }, { has_id: [3] }] } });
  const { body } = await http.ask('POST', `${POINTS}/scroll`, {});
  assert.equal(body.result.points, [
    { id: 1, payload: { by: 'upsert' } },
    { id: 2, payload: { seen: true } },
  ]);
});

test('large bodies are read as small ones are', async (t) => {
  const http = await started(t, { vectors: { '': { size: 32, distance: 'Dot' }, image: { size: 32, distance: 'Dot' } } });
  const dense = (seed: number) => Array.from({ length: 32 }, (_, i) => (seed * 31 + i) % 97);
  const points = Array.from({ length: 3_000 }, (_, id) => ({
    id,
    vector: id % 3 === 0 ? { image: dense(id) } : { '': dense(id), image: dense(id + 1) },
    payload: { id, text: 'x'.repeat(id % 50) },
  }));
  assert.is((await http.ask('PUT', `${POINTS}?wait=true`, { points })).status, 200);
  const moved = points.map(({ id }) => ({ id, vector: { image: dense(id + 7) } }));
  assert.is((await http.ask('PUT', `${POINTS}/vectors?wait=true`, { points: moved })).status, 200);
  const { body } = await http.ask('POST', POINTS, { ids: [2_997, 2_998], with_vector: true });
  assert.equal(body.result, [
    { id: 2_997, payload: points[2_997]?.payload, vector: { image: dense(3_004) } },
    { id: 2_998, payload: points[2_998]?.payload, vector: { '': dense(2_998), image: dense(3_005) } },
  ]);
  assert.equal((await http.ask('POST', `${POINTS}/count`, {})).body.result, { count: 3_000 });
});

test('a vector that is not declared, or of another kind, is refused', async (t) => {
  const http = await started(t, NAMED);
  const cases: readonly [unknown, RegExp][] = [
    [[1, 2], /^Wrong input: /],
    [{ none: [1, 2] }, /^Wrong input: /],
    [{ image: [1, 2, 3] }, /^Wrong input: Vector dimension error: expected dim: 2, got 3 for vector image/],
    [{ image: { indices: [1], values: [1] } }, /^Wrong input: /],
    [{ words: [1, 2] }, /^Wrong input: /],
    [{ words: { indices: [1, 1], values: [1, 2] } }, /^Format error in JSON body: points\[0\]\.vector\.words/],
    [{ words: { indices: [1], values: [1, 2] } }, /^Format error in JSON body: points\[0\]\.vector\.words/],
    [{ text: { text: 'embed me', model: 'x' } }, /^Format error in JSON body: points\[0\]\.vector\.text/],
    [{ text: [[1, 2]] }, /points\[0\]\.vector\.text/],
  ];
  for (const [vector, message] of cases) {
    const answer = await http.ask('PUT', POINTS, { points: [{ id: 1, vector }] });
    assert.is(answer.status, 400, JSON.stringify(vector));
    assert.match(answer.body.status.error, message);
  }
});

test('a default vector stands beside named ones under the empty name, and a collection may have no vectors at all', async (t) => {
  const http = await started(t, { vectors: { size: 2, distance: 'Dot' }, sparse_vectors: { words: {} } });
  const points = [
    { id: 1, vector: { '': [1, 2], words: { indices: [1], values: [1] } } },
    { id: 2, vector: [3, 4] },
  ];
  await http.ask('PUT', `${POINTS}?wait=true`, { points });
  assert.equal(await vectors(http), { 1: points[0]?.vector, 2: { '': [3, 4] } });
  const { ask } = http;
  assert.is((await ask('PUT', '/collections/plain', {})).status, 200);
  await ask('PUT', '/collections/plain/points?wait=true', { points: [{ id: 1, vector: {}, payload: { a: 1 } }] });
  assert.equal((await ask('GET', '/collections/plain/points/1')).body.result, { id: 1, payload: { a: 1 }, vector: {} });
  assert.equal((await ask('GET', '/collections/plain')).body.result.config.params.vectors, {});
});

test.run();
