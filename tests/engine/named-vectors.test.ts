/** Named and sparse vectors through the engine's door: any points, held against a plain model; after a restart, and on a replica. */

import * as assert from 'uvu/assert';
import type { RunningEngine, SearchRequest } from '../../src/engine/engine.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import type { CollectionChange, NewCollection, Operation } from '../../src/model/operation.js';
import type { DenseVector, PointPatch, SparseVector } from '../../src/model/point.js';
import { follow, logOf } from '../support/follow-log.js';
import {
  dense,
  type NamedPoint,
  namedBlock,
  type PlainHit,
  plainDense,
  plainSparse,
  randomSparse,
  sparse,
} from '../support/named-points.js';
import { openTestEngine, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { rejectionOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/named-vectors', { deadlineMs: 120_000 });
const HNSW = { hnsw: DEFAULT_HNSW, quantization: null };
const SPEC: NewCollection = {
  dimension: 3,
  distance: 'euclid',
  hnsw: DEFAULT_HNSW,
  ttlMs: null,
  vectors: [
    { name: 'image', dimension: 4, distance: 'cosine', ...HNSW },
    { name: 'title', dimension: 2, distance: 'dot', ...HNSW },
  ],
  sparseVectors: [
    { name: 'words', modifier: null },
    { name: 'rare', modifier: 'idf' },
  ],
};
type Model = Map<number, NamedPoint>;
type Vector = DenseVector | SparseVector;

async function open(
  t: TestContext,
  spec: NewCollection | null = SPEC,
  folder = t.folder(),
): Promise<TestEngine & { folder: string }> {
  const rig = await openTestEngine(folder);
  t.after(() => rig.engine.stop());
  if (spec !== null) await write(rig.engine, { kind: 'create_collection', collection: 'c', spec });
  return { ...rig, folder };
}

function write(engine: RunningEngine, ...operations: Operation[]) {
  return engine.write(operations, WAIT);
}

function anyVectors(random: Random): Map<string, Vector> {
  const vectors = new Map<string, Vector>();
  if (random.unit() < 0.6) vectors.set('', dense(random.vector(3)));
  if (random.unit() < 0.5) vectors.set('image', dense(random.vector(4)));
  if (random.unit() < 0.3) vectors.set('title', dense(random.vector(2)));
  if (random.unit() < 0.5) vectors.set('words', randomSparse(random, 6, 30));
  if (random.unit() < 0.3) vectors.set('rare', randomSparse(random, 6, 30));
  return vectors;
}

async function put(engine: RunningEngine, model: Model, points: readonly NamedPoint[]): Promise<void> {
  await write(engine, { kind: 'upsert', collection: 'c', points: namedBlock(points, 3) });
  for (const point of points) model.set(point.id as number, point);
}

function patched(point: NamedPoint, { vector, vectors = new Map(), unsetVectors = [] }: PointPatch): NamedPoint {
  const after = new Map(point.vectors);
  for (const name of unsetVectors) after.delete(name);
  if (vector !== undefined) after.set('', dense(vector));
  for (const [name, one] of vectors) after.set(name, one);
  return { ...point, vectors: after };
}

/** One random operation on both. */
async function step(engine: RunningEngine, model: Model, random: Random): Promise<void> {
  const kind = random.unit();
  const ids = [...model.keys()];
  const some = ids.filter(() => random.unit() < 0.1).slice(0, 20);
  if (kind < 0.5 || ids.length < 20) {
    const fresh = new Set(Array.from({ length: random.integer(1, 30) }, () => random.integer(0, 150)));
    const points = [...fresh].map((id) => ({ id, vectors: anyVectors(random), payload: { tag: id % 3 } }));
    return put(engine, model, points);
  }
  if (kind < 0.65) {
    await write(engine, { kind: 'delete', collection: 'c', ids: some });
    for (const id of some) model.delete(id);
    return;
  }
  const patches = some.map((id): PointPatch => {
    const vectors = anyVectors(random);
    const own = vectors.get('');
    vectors.delete('');
    const unsetVectors = ['', 'image', 'words', 'rare'].filter(() => random.unit() < 0.2);
    return { id, vectors, unsetVectors, ...(own === undefined ? {} : { vector: own.values as Float32Array }) };
  });
  if (patches.length === 0) return;
  await write(engine, { kind: 'patch', collection: 'c', patches });
  for (const patch of patches) model.set(patch.id as number, patched(model.get(patch.id as number) as NamedPoint, patch));
}

function plain(vectors: NamedPoint['vectors']): unknown {
  return [...vectors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, vector]) => [name, vector.kind === 'sparse' ? [...vector.indices] : null, [...vector.values]]);
}

async function mustHold(engine: RunningEngine, model: Model, random: Random): Promise<void> {
  assert.is(engine.collection('c').pointsCount, model.size);
  const { points } = await engine.get('c', [...model.keys()], { withPayload: false, withVector: true });
  assert.is(points.length, model.size);
  for (const { id, vector, vectors } of points) {
    const all = new Map(vectors);
    if (vector !== null) all.set('', { kind: 'dense', values: vector });
    assert.equal(plain(all), plain(model.get(id as number)?.vectors ?? new Map()), `point ${id}`);
  }
  const even = [...model.values()].filter(({ id }) => (id as number) % 3 === 1);
  const filter = { must: [{ kind: 'match_value', key: 'tag', value: 1 }] } as const;
  const query = randomSparse(random, 8, 30);
  const [image, title, own] = [random.vector(4), random.vector(2), random.vector(3)];
  for (const exact of [false, true]) {
    for (const [among, more] of [
      [[...model.values()], {}],
      [even, { filter }],
    ] as const) {
      const ask = { ...more, exact };
      await mustFind(engine, { ...ask, vector: own }, plainDense(among, '', 'euclid', own));
      await mustFind(engine, { ...ask, using: 'image', vector: image }, plainDense(among, 'image', 'cosine', image));
      await mustFind(engine, { ...ask, using: 'title', vector: title }, plainDense(among, 'title', 'dot', title));
      if (query.indices.length === 0) continue;
      await mustFind(engine, { ...ask, using: 'words', vector: query }, plainSparse(among, 'words', query, false));
      if (more === undefined || Object.keys(more).length === 0)
        await mustFind(engine, { ...ask, using: 'rare', vector: query }, plainSparse(among, 'rare', query, true));
    }
  }
}

/** The same scores, and no fewer hits than there are. */
async function mustFind(engine: RunningEngine, request: Partial<SearchRequest>, truth: readonly PlainHit[]): Promise<void> {
  const answer = await engine.search('c', { ...SEARCH, ...request, cache: false });
  const what = JSON.stringify([request.using, request.exact, request.filter !== undefined]);
  assert.is(answer.hits.length, Math.min(SEARCH.limit, truth.length), what);
  assert.ok(answer.complete, what);
  const scores = new Map(truth.map(({ id, score }) => [id, score]));
  answer.hits.forEach(({ id, score }, place) => {
    assert.ok(Math.abs(score - (truth[place] as PlainHit).score) < 1e-5, `${what}: place ${place}`);
    assert.ok(Math.abs(score - (scores.get(id) ?? Number.NaN)) < 1e-5, `${what}: score of ${id}`);
  });
}

test('any points with any vectors are kept and found as a plain model has them, after a restart and on a replica too', async (t) => {
  const random = new Random(t.seed());
  const first = await open(t);
  const model: Model = new Map();
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 8; i++) await step(first.engine, model, random);
    await mustHold(first.engine, model, random);
  }
  const digest = first.engine.log.state().digest;
  await first.engine.stop();
  const again = await open(t, null, first.folder);
  assert.equal([...again.engine.log.state().digest], [...digest]);
  await again.engine.waitFor(again.engine.position(), 'indexed', 'c', 20_000);
  await mustHold(again.engine, model, random);
  const replica = await openTestEngine(t.folder(), {}, 'replica');
  t.after(() => replica.engine.stop());
  await follow(replica.engine, logOf(again.storePath), [7]);
  assert.equal([...replica.engine.log.state().digest], [...digest]);
  await replica.engine.waitFor(replica.engine.position(), 'indexed', 'c', 20_000);
  await mustHold(replica.engine, model, random);
});

test('a name that was taken away and declared anew, with another dimension, has nothing of before', async (t) => {
  const { engine } = await open(t);
  const model: Model = new Map();
  const change = (one: CollectionChange) => write(engine, { kind: 'update_collection', collection: 'c', change: one });
  await put(
    engine,
    model,
    [1, 2, 3].map((id) => ({ id, vectors: new Map([['title', dense([id, 1])]]), payload: { id } })),
  );
  await change({ removeVectors: ['title'] });
  const without = await engine.get('c', [1], { withPayload: false, withVector: true });
  assert.equal([...(without.points[0]?.vectors ?? [])], []);
  assert.is(
    (await rejectionOf(engine.search('c', { ...SEARCH, using: 'title', vector: Float32Array.of(1, 1) }))).type,
    'InvalidRequest',
  );
  await change({ setVectors: [{ name: 'title', dimension: 3, distance: 'dot' }] });
  const search = { ...SEARCH, cache: false, using: 'title', vector: Float32Array.of(1, 1, 1) };
  assert.equal((await engine.search('c', search)).hits, []);
  // The payload alone: the point keeps nothing of before, and gets nothing.
  await write(engine, { kind: 'patch', collection: 'c', patches: [{ id: 1, payload: Buffer.from('{"more":1}') }] });
  await put(engine, model, [{ id: 2, vectors: new Map([['title', dense([5, 5, 5])]]) }]);
  await write(engine, {
    kind: 'patch',
    collection: 'c',
    patches: [{ id: 3, vectors: new Map([['image', dense([1, 0, 0, 0])]]) }],
  });
  const { hits } = await engine.search('c', { ...search, withVector: ['title'] });
  assert.equal(
    hits.map(({ id, vectors }) => [id, [...(vectors?.get('title')?.values ?? [])]]),
    [[2, [5, 5, 5]]],
  );
  assert.equal(
    (await engine.get('c', [1, 3], { withPayload: false, withVector: ['title'] })).points.map(({ vectors }) => vectors?.size),
    [0, 0],
  );
});

test('what was declared while points come is found with all that has come since', async (t) => {
  const { engine } = await open(t);
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 40; i++) {
    if (i % 4 === 0)
      writes.push(
        write(engine, {
          kind: 'update_collection',
          collection: 'c',
          change: { setVectors: [{ name: `late${i}`, dimension: 1, distance: 'dot' }] },
        }),
      );
    const name = `late${i - (i % 4)}`;
    const points = [{ id: i, vectors: new Map([[name, dense([i])]]) }];
    writes.push(write(engine, { kind: 'upsert', collection: 'c', points: namedBlock(points, 3) }));
  }
  await Promise.all(writes);
  for (let i = 0; i < 40; i += 4) {
    const { hits } = await engine.search('c', { ...SEARCH, cache: false, using: `late${i}`, vector: Float32Array.of(1) });
    assert.equal(
      hits.map(({ id }) => id),
      [i + 3, i + 2, i + 1, i].filter((id) => id !== 0 || i === 0),
      `late${i}`,
    );
  }
});

test('search by id, by examples, by groups and with a text use the vectors that are named', async (t) => {
  const { engine } = await open(t, {
    ...SPEC,
    dimension: null,
    distance: null,
    text: { fields: ['text'], language: 'none', stopWords: [], k1: 1.2, b: 0.75 },
  });
  const model: Model = new Map();
  const point = (id: number, angle: number, terms: Record<number, number>): NamedPoint => ({
    id,
    vectors: new Map<string, Vector>([
      ['title', dense([Math.cos(angle), Math.sin(angle)])],
      ['words', sparse(terms)],
    ]),
    payload: { text: id === 3 ? 'needle' : 'hay', kind: id % 2 },
  });
  await put(engine, model, [
    point(1, 0, { 1: 1 }),
    point(2, 0.1, { 1: 2, 2: 1 }),
    point(3, 0.2, { 2: 3 }),
    { id: 4, vectors: new Map() },
  ]);
  const search = { ...SEARCH, cache: false };
  const ids = async (request: Partial<SearchRequest>) =>
    (await engine.search('c', { ...search, ...request })).hits.map(({ id }) => id);
  assert.equal(await ids({ using: 'title', id: 1 }), [2, 3]);
  assert.equal(await ids({ using: 'words', id: 1 }), [2], 'only what shares an index');
  assert.equal(await ids({ using: 'words', examples: { positive: [1, sparse({ 2: 9 })], negative: [] } }), [3, 2]);
  assert.equal(await ids({ using: 'title', examples: { positive: [3], negative: [1] } }), [2]);
  assert.is((await ids({ using: 'words', vector: sparse({ 1: 1 }), text: 'needle' })).length, 3);
  assert.equal(await ids({ using: 'words', vector: sparse({ 1: 1, 2: 1 }), scoreThreshold: 3 }), [2, 3]);
  const { groups } = await engine.searchGroups('c', {
    ...search,
    using: 'title',
    vector: Float32Array.of(1, 0),
    groupBy: 'kind',
    groupSize: 1,
  });
  assert.equal(
    groups.map(({ value, hits }) => [value, hits.map(({ id }) => id)]),
    [
      [1, [1]],
      [0, [2]],
    ],
  );
  const missing = await rejectionOf(engine.search('c', { ...search, using: 'title', id: 4 }));
  assert.equal([missing.type, missing.message.includes('has no vector "title"')], ['InvalidRequest', true]);
});

test('vectors that do not belong there are refused by their names, and nothing is written', async (t) => {
  const { engine } = await open(t);
  const before = engine.position().seq;
  const refusalOf = async (vectors: Map<string, Vector>) =>
    rejectionOf(write(engine, { kind: 'upsert', collection: 'c', points: namedBlock([{ id: 1, vectors }], 3) }));
  const cases: readonly (readonly [string, Vector, string, string?])[] = [
    ['image', dense([1, 2]), 'DimensionMismatch', 'image'],
    ['image', dense([0, 0, 0, 0]), 'ZeroVector', 'image'],
    ['image', dense([1, 2, Number.NaN, 4]), 'InvalidVector', 'image'],
    ['image', sparse({ 1: 1 }), 'InvalidRequest'],
    ['words', dense([1]), 'InvalidRequest'],
    ['words', { kind: 'sparse', indices: Uint32Array.of(2, 1), values: Float32Array.of(1, 1) }, 'InvalidRequest'],
    ['words', sparse({ 1: Number.POSITIVE_INFINITY }), 'InvalidVector', 'words'],
    ['other', dense([1]), 'InvalidRequest'],
  ];
  for (const [name, vector, type, named] of cases) {
    const error = await refusalOf(new Map([[name, vector]]));
    assert.equal([error.type, error.details['vector_name']], [type, named], name);
  }
  const change = (one: CollectionChange) =>
    rejectionOf(write(engine, { kind: 'update_collection', collection: 'c', change: one }));
  for (const one of [
    { removeVectors: ['other'] },
    { setVectors: [{ name: 'image', dimension: 5 }] },
    { setVectors: [{ name: 'words', dimension: 5, distance: 'dot' as const }] },
    { setVectors: [{ name: 'new' }] },
    { setVectors: [{ name: 'a\nb', dimension: 2, distance: 'dot' as const }] },
    { setSparseVectors: Array.from({ length: 64 }, (_, i) => ({ name: `s${i}` })) },
  ])
    assert.is((await change(one)).type, 'InvalidRequest', JSON.stringify(one));
  assert.is(engine.position().seq, before);
});

test.run();
