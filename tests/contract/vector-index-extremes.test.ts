/** The vector index's door where float32 and HNSW reach their ends: very short, very long and very many equal vectors. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DISTANCES, type Distance, scorer } from '../../src/model/distance.js';
import { createIndex, openCheckpoint } from '../../src/vector-index/open-index.js';
import type { VectorIndex } from '../../src/vector-index/vector-index.js';
import { fill } from '../support/filled-index.js';
import { GaussianMixture, Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('contract/vector-index-extremes');
const LIMITS = { flatPointsMax: 0, flatBytesMax: 2 ** 30 };
const OWNER = { uid: 1, labelGeneration: 1 };
const UNRANKED_MAX = 64;

function make(t: TestContext, distance: Distance, dimension = 16, m = 16): VectorIndex {
  const index = createIndex({ dimension, distance, m, efConstruct: 100, quantization: 'none' }, { limits: LIMITS });
  t.after(() => index.close());
  return index;
}

/** By their places. */
function addAll(index: VectorIndex, vectors: readonly Float32Array[]): void {
  for (const [label, vector] of vectors.entries()) index.add(label, vector, null);
  fill(index);
}

async function reopened(t: TestContext, index: VectorIndex): Promise<VectorIndex> {
  const folder = t.folder();
  await index.save(folder, { ...OWNER, seq: 1, nextLabel: 1_000_000 });
  const opened = await openCheckpoint(folder, { ...OWNER, parameters: index.parameters }, { limits: LIMITS });
  if ('refused' in opened) throw new Error(opened.refused);
  t.after(() => opened.index.close());
  return opened.index;
}

const scaled = (vector: Float32Array, factor: number): Float32Array => vector.map((value) => value * factor);

/** The share of the ten best scores that the index's labels reach, after exact scoring as its callers do. */
function recall(index: VectorIndex, vectors: readonly Float32Array[], queries: readonly Float32Array[], ef = 200): number {
  const { distance } = index.parameters;
  const sign = distance === 'euclid' ? 1 : -1;
  let found = 0;
  for (const query of queries) {
    const score = scorer(distance, query);
    const keys = (labels: Iterable<number>): number[] =>
      [...labels].map((label) => score(vectors[label] as Float32Array) * sign).sort((a, b) => a - b);
    const truth = keys(index.liveLabels())[9] as number;
    const { labels } = index.search(query, 10, ef);
    assert.is(new Set(labels).size, labels.length, 'no duplicates');
    assert.ok(
      [...labels].every((label) => index.has(label)),
      'only live labels',
    );
    found += keys(labels).filter((key, place) => place < 10 && key <= truth).length;
  }
  return found / (queries.length * 10);
}

for (const distance of ['dot', 'euclid'] as const) {
  for (const size of [1e-6, 1e-3, 1, 1e6, 1e15]) {
    test(`${distance}: vectors with components of about ${size} are found as an exact search finds them, or no answer is given`, (t) => {
      const data = new GaussianMixture(new Random(t.seed()), { dimension: 16, clusters: 20 });
      const index = make(t, distance);
      const vectors = data.take(1_200).map((vector) => scaled(vector, size));
      addAll(index, vectors);
      const queries = data.take(30);
      if (distance === 'dot' && size === 1e15) {
        assert.is(index.status().unranked, 1_200);
        assert.is(index.search(queries[0] as Float32Array, 10, 200).labels.length, 0);
        return;
      }
      assert.is(index.status().unranked, 0);
      for (const querySize of distance === 'dot' ? [1e-30, size, 1e30] : [size]) {
        const reached = recall(
          index,
          vectors,
          queries.map((query) => scaled(query, querySize)),
        );
        assert.ok(reached >= 0.98, `recall ${reached} for queries of ${querySize}`);
      }
    });
  }

  test(`${distance}: vectors whose size drifts by six orders are still ranked`, (t) => {
    const data = new GaussianMixture(new Random(t.seed()), { dimension: 16, clusters: 20 });
    const index = make(t, distance);
    const vectors = data.take(1_500).map((vector, i) => scaled(vector, i < 700 ? 1e-6 : 1));
    addAll(index, vectors);
    for (const size of [1e-6, 1]) {
      const reached = recall(
        index,
        vectors,
        data.take(30).map((query) => scaled(query, size)),
      );
      assert.ok(reached >= 0.98, `recall ${reached}`);
    }
  });

  test(`${distance}: a few vectors out of all proportion come with every answer, many of them end all answers until they are gone`, async (t) => {
    const data = new GaussianMixture(new Random(t.seed()), { dimension: 16, clusters: 20 });
    const index = make(t, distance);
    const vectors = data.take(1_000);
    // As many twins as there are unranked points: the two must not be taken for each other.
    vectors.fill(data.next(), 0, 8 + UNRANKED_MAX);
    const sizes = distance === 'dot' ? [1e30, 1e12, 1e-12] : [1e30, 1e25, 1e-20];
    for (let i = 0; i < UNRANKED_MAX + 1; i++) vectors.push(scaled(data.next(), sizes[i % 3] as number));
    addAll(index, vectors.slice(0, -1));
    const queries = data.take(30);
    assert.is(index.status().unranked, UNRANKED_MAX);
    assert.ok(recall(index, vectors, queries) >= 0.98);
    assert.is((await reopened(t, index)).status().unranked, UNRANKED_MAX);

    index.add(1_064, vectors[1_064] as Float32Array, null);
    assert.ok(recall(index, vectors, queries) >= 0.98, 'rows are ranked whatever their length');
    fill(index);
    assert.is(index.search(queries[0] as Float32Array, 10, 200).labels.length, 0);
    assert.is((await reopened(t, index)).search(queries[0] as Float32Array, 10, 200).labels.length, 0);
    for (let label = 1_000; label < 1_030; label++) index.remove(label);
    assert.is(index.status().unranked, UNRANKED_MAX + 1 - 30);
    assert.ok(recall(index, vectors, queries) >= 0.98);
    for (let label = 0; label < 1_000; label++) index.remove(label);
    assert.is(index.search(queries[0] as Float32Array, 10, 200).labels.length, UNRANKED_MAX + 1 - 30);
  });
}

test('euclid: a query that is too long for the graph gets no answer', (t) => {
  const index = make(t, 'euclid', 2);
  for (let label = 0; label < 20; label++) index.add(label, Float32Array.of(label, 1), null);
  fill(index);
  assert.is(index.search(Float32Array.of(1e30, 0), 5, 64).labels.length, 0);
  assert.is(index.search(Float32Array.of(1e-30, 0), 5, 64).labels.length, 5);
});

for (const distance of DISTANCES) {
  for (const groups of [1, 25]) {
    test(`${distance}: ${2_000 / groups} copies each of ${groups} vectors hide no other point, before and after a checkpoint`, async (t) => {
      // hnswlib alone loses itself among the copies: they are linked to each other and to nothing else.
      const random = new Random(t.seed());
      const data = new GaussianMixture(random, { dimension: 32, clusters: 20 });
      const index = make(t, distance, 32, 8);
      const copied = data.take(groups);
      const copies = Array.from({ length: 2_000 }, (_, i) => copied[i % groups] as Float32Array);
      const vectors = random.shuffled([...copies, ...data.take(2_000)]);
      addAll(index, vectors);
      const queries = [...data.take(60), ...copied];
      // A graph this thin ranks inner products less well, with copies or without.
      const leastRecall = distance === 'dot' ? 0.9 : 0.98;
      const reached = recall(index, vectors, queries, 64);
      assert.ok(reached >= leastRecall, `recall ${reached}`);
      const loaded = await reopened(t, index);
      assert.equal(loaded.liveLabels(), index.liveLabels());
      for (const query of queries) assert.equal(loaded.search(query, 40, 64), index.search(query, 40, 64));

      const seen = new Map<Float32Array, number>();
      for (const [label, vector] of vectors.entries()) {
        const before = seen.get(vector) ?? 0;
        seen.set(vector, before + 1);
        // The first copies are the ones in the graph; twins are left behind them.
        if (copied.includes(vector) && before < 40) loaded.remove(label);
      }
      assert.is(loaded.status().live, 4_000 - 40 * groups);
      const left = recall(loaded, vectors, queries, 64);
      assert.ok(left >= leastRecall, `recall ${left}`);
    });
  }
}

test('any history of equal vectors leaves the same live labels as a set does, and all of them are found', async () => {
  const step = fc.record({ remove: fc.boolean(), pick: fc.nat(1_000), value: fc.constantFrom(0, 1, 2) });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...DISTANCES),
      fc.array(step, { minLength: 20, maxLength: 120 }),
      async (distance, steps) => {
        const index = createIndex({ dimension: 2, distance, m: 16, efConstruct: 50, quantization: 'none' }, { limits: LIMITS });
        const live = new Set<number>();
        for (const [label, { remove, pick, value }] of steps.entries()) {
          const gone = remove ? [...live][pick % Math.max(1, live.size)] : undefined;
          index.add(label, Float32Array.of(1, value), gone ?? null);
          live.add(label);
          if (gone !== undefined) live.delete(gone);
          if (pick % 3 > 0) index.work(0);
        }
        assert.equal([...index.liveLabels()], [...live]);
        assert.is(index.status().live, live.size);
        assert.equal(
          [...index.search(Float32Array.of(1, 1), 1_000, 1_000).labels].sort((a, b) => a - b),
          [...live],
        );
        index.close();
      },
    ),
    { numRuns: 60 },
  );
});

test.run();
