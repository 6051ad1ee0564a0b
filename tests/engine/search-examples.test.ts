/** Search by examples: near the mean of some, away from the mean of others. */

import * as assert from 'uvu/assert';
import type { Example, SearchAnswer } from '../../src/engine/engine.js';
import type { Distance } from '../../src/model/distance.js';
import { SkeinError } from '../../src/model/errors.js';
import { openTestEngine, SEARCH, type TestEngine } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/search-examples');
const DIMENSION = 6;
const POINTS = 400;

interface Rig extends TestEngine {
  readonly vectors: readonly Float32Array[];
  like(positive: readonly Example[], negative?: readonly Example[], rest?: object): Promise<SearchAnswer>;
}

async function withPoints(t: TestContext, distance: Distance): Promise<Rig> {
  const random = new Random(t.seed());
  const rig = await openTestEngine(t.folder());
  t.after(() => rig.engine.stop());
  await rig.create('c', DIMENSION, distance);
  const vectors = Array.from({ length: POINTS }, () => random.vector(DIMENSION).map((value) => value * (1 + random.unit() * 9)));
  await rig.put(
    'c',
    vectors.map((vector, id) => ({ id, vector, payload: { even: id % 2 === 0 } })),
  );
  const like: Rig['like'] = (positive, negative = [], rest = {}) =>
    rig.engine.search('c', { ...SEARCH, ...rest, examples: { positive, negative } });
  return { ...rig, vectors, like };
}

/** The formula as it is written in the documentation. */
function combined(distance: Distance, positive: readonly Float32Array[], negative: readonly Float32Array[]): Float32Array {
  const unit = (vector: Float32Array): number[] =>
    [...vector].map((value) => (distance === 'cosine' ? value / Math.hypot(...vector) : value));
  const mean = (vectors: readonly Float32Array[], i: number): number =>
    vectors.reduce((sum, vector) => sum + (unit(vector)[i] as number), 0) / vectors.length;
  return Float32Array.from({ length: DIMENSION }, (_, i) =>
    negative.length === 0 ? mean(positive, i) : mean(positive, i) + mean(positive, i) - mean(negative, i),
  );
}

async function refusal(promise: Promise<unknown>): Promise<SkeinError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SkeinError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

for (const distance of ['cosine', 'dot', 'euclid'] as const) {
  test(`examples are searched for by their means, by id or as vectors, under ${distance}`, async (t) => {
    const { engine, vectors, like } = await withPoints(t, distance);
    const at = (id: number): Float32Array => vectors[id] as Float32Array;
    const own = new Random(t.seed() + 1).vector(DIMENSION);
    for (const [positive, negative] of [
      [[3], []],
      [[3, 9, 200], []],
      [[3, own], [17]],
      [[own], [own, 4, 4]],
      [
        [1, 2],
        [3, 4, 5],
      ],
    ] as [Example[], Example[]][]) {
      const vectorsOf = (examples: readonly Example[]) => examples.map((one) => (typeof one === 'number' ? at(one) : own));
      const query = combined(distance, vectorsOf(positive), vectorsOf(negative));
      const out = new Set([...positive, ...negative].filter((one) => typeof one === 'number'));
      const plain = await engine.search('c', { ...SEARCH, vector: query, limit: 20 });
      const wanted = plain.hits.filter(({ id }) => !out.has(id as number)).slice(0, 10);
      const found = await like(positive, negative);
      assert.equal(
        found.hits.map(({ id }) => id),
        wanted.map(({ id }) => id),
      );
      for (const [place, { score }] of found.hits.entries())
        assert.ok(Math.abs(score - (wanted[place]?.score as number)) < 1e-4 * Math.max(1, Math.abs(score)));
      assert.ok(found.complete);
    }
  });
}

test('pages, thresholds, filters and selections work as in any search, and no example ever takes a hit away', async (t) => {
  const { like } = await withPoints(t, 'euclid');
  const positive = Array.from({ length: 100 }, (_, id) => id);
  const all = await like(positive, [], { limit: POINTS, exact: true, withPayload: true, withVector: true });
  assert.is(all.hits.length, POINTS - 100, 'every point but the examples');
  assert.ok(all.hits.every(({ id, payload, vector }) => (id as number) >= 100 && payload !== null && vector !== null));
  const page = await like(positive, [], { limit: 5, offset: 7, exact: true });
  assert.equal(
    page.hits.map(({ id }) => id),
    all.hits.slice(7, 12).map(({ id }) => id),
  );
  const bound = all.hits[3]?.score as number;
  assert.is((await like(positive, [], { scoreThreshold: bound })).hits.length, 4);
  const filter = { must: [{ kind: 'match_value', key: 'even', value: true }] } as const;
  const even = await like(positive, [], { filter, limit: POINTS });
  assert.equal([even.hits.length, even.complete], [(POINTS - 100) / 2, true]);
  const { explain } = await like([1], [], { explain: true });
  assert.ok(explain?.steps.some(({ name }) => name === 'examples'));
});

test('an answer is kept for the same ids until the collection changes, and never for vectors', async (t) => {
  const { like, put } = await withPoints(t, 'euclid');
  const first = await like([1, 2], [3]);
  const again = await like([1, 2], [3]);
  assert.equal([first.cached, again.cached, again.hits], [undefined, true, first.hits]);
  assert.is((await like([1, 3], [2])).cached, undefined, 'other examples, another search');
  await put('c', [{ id: 1, vector: new Float32Array(DIMENSION).fill(9) }]);
  const moved = await like([1, 2], [3]);
  assert.is(moved.cached, undefined);
  assert.not.equal(
    moved.hits.map(({ score }) => score),
    first.hits.map(({ score }) => score),
  );
  const vector = new Float32Array(DIMENSION).fill(2);
  assert.equal([(await like([vector])).cached, (await like([vector])).cached], [undefined, undefined]);
});

test('examples that cannot be used are refused and named', async (t) => {
  const { like } = await withPoints(t, 'cosine');
  const x = Float32Array.of(1, 2, 3, 4, 5, 6);
  const against = x.map((value) => -3 * value);
  const details = async (positive: readonly Example[], negative: readonly Example[] = []): Promise<unknown> => {
    const { type, details: told } = await refusal(like(positive, negative));
    return [type, told['path'], told['id'] ?? told['got']];
  };
  assert.equal(await details([1, 'none', 'nor this']), ['PointNotFound', 'positive[1]', 'none']);
  assert.equal(await details([1], [2, 400]), ['PointNotFound', 'negative[1]', 400]);
  assert.equal(await details([1, '1']), ['PointNotFound', 'positive[1]', '1'], 'another id than 1');
  assert.equal(await details([1, Float32Array.of(1)]), ['DimensionMismatch', 'positive[1]', 1]);
  assert.equal(await details([1], [new Float32Array(DIMENSION)]), ['ZeroVector', 'negative[0]', undefined]);
  assert.equal(await details([x, against]), ['ZeroVector', 'positive', undefined]);
  assert.match((await refusal(like([x, against]))).message, 'cancel each other out');
});

test('where length counts, examples may cancel out, and what is beyond float32 is refused', async (t) => {
  const { like } = await withPoints(t, 'dot');
  const huge = new Float32Array(DIMENSION).fill(3e38);
  assert.is((await like([huge, huge.map((value) => -value)])).hits.length, 10);
  const { type, details } = await refusal(like([huge], [huge.map((value) => -value)]));
  assert.equal([type, details['component']], ['InvalidVector', 0]);
});

test.run();
