/** Queries over named and sparse vectors, by groups, and matrices, through a server: against what can be worked out by hand or naively. */

import * as assert from 'uvu/assert';
import type { PointId } from '../../../src/model/point.js';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { Random } from '../../support/random.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/query-names', { deadlineMs: 60_000 });

const COUNT = 60;
const COLORS = ['red', 'green', 'blue', 'black'];

interface Sparse {
  readonly indices: number[];
  readonly values: number[];
}
interface Point {
  readonly id: number;
  readonly vector: readonly number[];
  readonly vectors: { readonly text?: readonly number[]; readonly words?: Sparse };
  readonly payload: { readonly color: string; readonly doc: number };
}
interface Hit {
  readonly id: PointId;
  readonly score: number;
}

async function filled(
  t: TestContext,
): Promise<{ query: (body: object, route?: string) => Promise<Hit[]>; ask: TestHttp['ask']; points: Point[] }> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask } = await startHttp(t, { engine });
  const random = new Random(5);
  const values = (count: number): number[] => Array.from({ length: count }, () => Math.fround(random.unit() * 2 - 1));
  const points = Array.from({ length: COUNT }, (_, i): Point => {
    const indices = [...new Set(Array.from({ length: 4 }, () => random.integer(0, 11)))].sort((a, b) => a - b);
    const words = { indices, values: indices.map(() => Math.fround(random.unit() + 0.1)) };
    return {
      id: i + 1,
      vector: values(3),
      vectors: { ...(i % 2 === 0 ? { text: values(4) } : {}), ...(i % 3 === 0 ? { words } : {}) },
      payload: { color: COLORS[i % 4] as string, doc: i % 7 },
    };
  });
  const declared = {
    dimension: 3,
    distance: 'dot',
    vectors: { text: { dimension: 4, distance: 'euclid' } },
    sparse_vectors: { words: {} },
  };
  assert.is((await ask('PUT', '/v1/collections/c', declared)).status, 201);
  const written = await ask('PUT', '/v1/collections/c/points', { points });
  assert.is(written.status, 200, JSON.stringify(written.body));
  const query = async (body: object, route = 'query'): Promise<Hit[]> => {
    const answer = await ask('POST', `/collections/c/points/${route}`, body);
    assert.is(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.result.points ?? answer.body.result;
  };
  return { query, ask, points };
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
const far = (a: readonly number[], b: readonly number[]): number => Math.hypot(...a.map((value, i) => value - (b[i] ?? 0)));
const sparseDot = (a: Sparse, b: Sparse): number =>
  a.indices.reduce((sum, index, i) => {
    const j = b.indices.indexOf(index);
    return j < 0 ? sum : sum + (a.values[i] as number) * (b.values[j] as number);
  }, 0);

function agree(hits: readonly Hit[], wanted: readonly Hit[]): void {
  assert.equal(
    hits.map(({ id }) => id),
    wanted.map(({ id }) => id),
  );
  for (const [i, hit] of hits.entries()) assert.ok(Math.abs(hit.score - (wanted[i]?.score ?? 0)) < 1e-4);
}

test('a query may use a dense or a sparse vector by its name, given or of a point', async (t) => {
  const { query, points } = await filled(t);
  const texts = points.filter(({ vectors }) => vectors.text !== undefined);
  const target = [0.3, -0.2, 0.5, 0.1];
  const byText = (to: readonly number[], without: number): Hit[] =>
    texts
      .filter(({ id }) => id !== without)
      .map(({ id, vectors }) => ({ id, score: far(to, vectors.text ?? []) }))
      .sort((a, b) => a.score - b.score)
      .slice(0, 8);
  agree(await query({ query: target, using: 'text', limit: 8 }), byText(target, 0));
  agree(await query({ query: 3, using: 'text', limit: 8 }), byText(points[2]?.vectors.text ?? [], 3));
  agree(await query({ vector: { name: 'text', vector: target }, limit: 8 }, 'search'), byText(target, 0));
  const asked: Sparse = { indices: [7, 1, 3], values: [1, 0.5, 2] };
  const bySparse = (to: Sparse, without: number): Hit[] =>
    points
      .filter(({ id, vectors }) => id !== without && vectors.words?.indices.some((index) => to.indices.includes(index)))
      .map(({ id, vectors }) => ({ id, score: sparseDot(to, vectors.words as Sparse) }))
      .sort((a, b) => b.score - a.score)
      .slice(0, 8);
  agree(await query({ query: asked, using: 'words', limit: 8 }), bySparse(asked, 0));
  agree(await query({ query: 4, using: 'words', limit: 8 }), bySparse(points[3]?.vectors.words as Sparse, 4));
});

test('dense and sparse prefetches are fused, and rescored by another vector', async (t) => {
  const { query, points } = await filled(t);
  const target = [0.3, -0.2, 0.5, 0.1];
  const words: Sparse = { indices: [1, 3, 7], values: [1, 1, 1] };
  const dense = await query({ query: target, using: 'text', limit: 10 });
  const sparse = await query({ query: words, using: 'words', limit: 10 });
  const prefetch = [
    { query: target, using: 'text', limit: 10 },
    { query: words, using: 'words', limit: 10 },
  ];
  const sums = new Map<PointId, number>();
  for (const list of [dense, sparse])
    for (const [rank, { id }] of list.entries()) sums.set(id, (sums.get(id) ?? 0) + 1 / (rank + 2));
  const fused = await query({ prefetch, query: { fusion: 'rrf' }, limit: 30 });
  assert.is(fused.length, sums.size);
  for (const [i, { id, score }] of fused.entries()) {
    assert.ok(Math.abs(score - (sums.get(id) ?? 0)) < 1e-9);
    assert.ok(i === 0 || score <= (fused[i - 1]?.score ?? 0));
  }
  const near = [1, 0, -1];
  const rescored = [...sums.keys()]
    .map((id) => ({ id, score: dot(near, points[Number(id) - 1]?.vector ?? []) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, 5);
  agree(await query({ prefetch, query: near, limit: 5 }), rescored);
});

test('examples under a name are averaged and ranked, dense and sparse', async (t) => {
  const { query, points } = await filled(t);
  const words = (id: number): Sparse => points[id - 1]?.vectors.words as Sparse;
  const summed = await query({
    query: { recommend: { positive: [1, 4], negative: [7], strategy: 'sum_scores' } },
    using: 'words',
    limit: 5,
  });
  const wanted = points
    .filter(({ id, vectors }) => vectors.words !== undefined && ![1, 4, 7].includes(id))
    .map(({ id, vectors }) => {
      const to = (other: number): number => sparseDot(words(other), vectors.words as Sparse);
      return { id, score: to(1) + to(4) - to(7) };
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, 5);
  agree(summed, wanted);
  const mean = await query({ query: { recommend: { positive: [1, 3], negative: [5] } }, using: 'text', limit: 5 });
  const text = (id: number): readonly number[] => points[id - 1]?.vectors.text ?? [];
  const target = text(1).map((value, i) => value + (text(3)[i] ?? 0) - (text(5)[i] ?? 0));
  const nearest = points
    .filter(({ id, vectors }) => vectors.text !== undefined && ![1, 3, 5].includes(id))
    .map(({ id, vectors }) => ({ id, score: far(target, vectors.text ?? []) }))
    .sort((a, b) => a.score - b.score)
    .slice(0, 5);
  agree(mean, nearest);
});

test('a filter asks which vectors a point has, in searches, counts and matrices', async (t) => {
  const { query, ask, points } = await filled(t);
  const having = (name: 'text' | 'words'): number[] =>
    points.filter(({ vectors }) => vectors[name] !== undefined).map(({ id }) => id);
  const both = having('text').filter((id) => having('words').includes(id));
  const filter = { must: [{ has_vector: 'text' }, { has_vector: 'words' }] };
  const { body } = await ask('POST', '/collections/c/points/count', { filter });
  assert.is(body.result.count, both.length);
  const found = await query({ query: [1, 1, 1], filter, limit: COUNT });
  assert.equal(
    found.map(({ id }) => Number(id)).sort((a, b) => a - b),
    both,
  );
  assert.equal(
    (await query({ filter: { must_not: { has_vector: 'text' } }, limit: COUNT })).length,
    COUNT - having('text').length,
  );
  assert.equal(await query({ filter: { must: { has_vector: 'other' } } }), []);
  const pairs = (await ask('POST', '/collections/c/points/search/matrix/pairs', { sample: 20, limit: 2, using: 'text' })).body
    .result.pairs;
  assert.is(pairs.length, 40);
  for (const { a, b, score } of pairs) {
    assert.ok(a !== b);
    assert.ok(Math.abs(score - far(points[a - 1]?.vectors.text ?? [], points[b - 1]?.vectors.text ?? [])) < 1e-4);
  }
  const offsets = (await ask('POST', '/collections/c/points/search/matrix/offsets', { sample: 1_000 })).body.result;
  assert.equal(Object.keys(offsets), ['offsets_row', 'offsets_col', 'scores', 'ids']);
  assert.equal(
    offsets.ids,
    points.map(({ id }) => id),
  );
  assert.is(offsets.scores.length, COUNT * 3);
});

test('groups hold the best hits of each value, of any query, with the points they stand for', async (t) => {
  const { ask, points } = await filled(t);
  await ask('PUT', '/v1/collections/docs', { dimension: 1, distance: 'dot' });
  const docs = [0, 1, 2].map((id) => ({ id, vector: [1], payload: { title: `doc ${id}` } }));
  await ask('PUT', '/v1/collections/docs/points', { points: docs });
  const target = [0.2, -1, 0.4];
  const ranked = points
    .map(({ id, vector, payload }) => ({ id, ...payload, score: dot(target, vector) }))
    .sort((a, b) => b.score - a.score);
  const groupsBy = (field: 'color' | 'doc', limit: number, size: number): { id: string | number; hits: number[] }[] => {
    const groups = new Map<string | number, number[]>();
    for (const one of ranked) groups.set(one[field], [...(groups.get(one[field]) ?? []), one.id].slice(0, size));
    return [...groups].slice(0, limit).map(([id, hits]) => ({ id, hits }));
  };
  const asked = async (route: string, body: object) => {
    const answer = await ask('POST', `/collections/c/points/${route}/groups`, body);
    assert.is(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.result.groups as { id: string | number; hits: Hit[]; lookup?: { payload: object } }[];
  };
  const shape = (groups: Awaited<ReturnType<typeof asked>>) =>
    groups.map(({ id, hits }) => ({ id, hits: hits.map((hit) => hit.id) }));
  assert.equal(shape(await asked('query', { query: target, group_by: 'color', group_size: 2 })), groupsBy('color', 10, 2));
  assert.equal(shape(await asked('search', { vector: target, group_by: 'doc', limit: 4 })), groupsBy('doc', 4, 3));
  const fused = { prefetch: { query: target, limit: COUNT }, query: { fusion: 'rrf' }, group_by: 'doc', group_size: 4, limit: 5 };
  assert.equal(shape(await asked('query', fused)), groupsBy('doc', 5, 4));
  const looked = await asked('query', { query: target, group_by: 'doc', limit: 7, with_lookup: 'docs' });
  for (const { id, lookup } of looked) assert.equal(lookup?.payload, Number(id) < 3 ? { title: `doc ${id}` } : undefined);
  const bare = await asked('query', {
    query: target,
    group_by: 'doc',
    with_lookup: { collection: 'docs', with_payload: false },
    with_payload: true,
  });
  assert.ok(bare.every(({ lookup }) => lookup?.payload === undefined));
  assert.is((await asked('recommend', { positive: [1], group_by: 'color', group_size: 1 })).length, 4);
  const refused = await ask('POST', '/collections/c/points/query/groups', { query: target, group_by: 'doc', limit: 10_000 });
  assert.is(refused.status, 422);
  assert.is((await ask('POST', '/collections/c/points/query/groups', { query: target })).status, 400);
});

test.run();
