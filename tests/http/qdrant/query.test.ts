/** Queries of every kind, through a server, against a naive reading of their documentation; and what is refused. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { PointId } from '../../../src/model/point.js';
import { type KnownHit, type KnownPoint, NaiveQueries } from '../../support/dialect-queries.js';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { Random } from '../../support/random.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/query', { deadlineMs: 60_000 });

const DIMENSION = 5;
const COUNT = 120;
const METRICS = { Cosine: 'cosine', Dot: 'dot', Euclid: 'euclid' } as const;
type Metric = keyof typeof METRICS;

function pointsOf(seed: number): KnownPoint[] {
  const random = new Random(seed);
  return Array.from({ length: COUNT }, (_, id) => ({
    id: id + 1,
    vector: Array.from({ length: DIMENSION }, () => Math.fround(random.unit() * 2 - 1)),
    // Each point has a number of its own, so that no order has ties.
    payload: { n: (id * 37) % COUNT, color: ['red', 'green', 'blue'][id % 3] as string, ...(id % 4 === 0 ? { rare: true } : {}) },
  }));
}

async function filled(t: TestContext, metric: Metric): Promise<{ ask: TestHttp['ask']; points: KnownPoint[]; url: string }> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { ask, url } = await startHttp(t, { engine });
  const points = pointsOf(metric.length);
  const declared = { dimension: DIMENSION, distance: METRICS[metric], payload_indexes: [{ path: 'n', type: 'integer' }] };
  assert.is((await ask('PUT', '/v1/collections/c', declared)).status, 201);
  assert.is((await ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return { ask, points, url };
}

const component = fc.integer({ min: -100, max: 100 }).map((value) => (value + 0.5) / 100);
const vector = fc.array(component, { minLength: DIMENSION, maxLength: DIMENSION });
const id = fc.integer({ min: 1, max: COUNT });
const input = fc.oneof(vector, id);
const inputs = (least: number): fc.Arbitrary<unknown[]> =>
  fc.uniqueArray(input, { minLength: least, maxLength: 3, comparator: (a, b) => JSON.stringify(a) === JSON.stringify(b) });
const pair = fc.record({ positive: input, negative: input });
const limit = fc.integer({ min: 1, max: 30 });
const filter = fc.constantFrom(
  { must: { key: 'color', match: { value: 'red' } } },
  { must_not: [{ key: 'rare', match: { value: true } }] },
  {
    should: [
      { key: 'n', range: { lt: 50 } },
      { key: 'color', match: { any: ['blue'] } },
    ],
  },
);
const leaf: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: input },
  fc.record({ nearest: input }),
  fc.record({
    nearest: input,
    mmr: fc.record(
      { diversity: fc.constantFrom(0, 0.3, 0.7), candidates_limit: fc.integer({ min: 1, max: 60 }) },
      { requiredKeys: [] },
    ),
  }),
  fc.record({ recommend: fc.record({ positive: inputs(1), negative: inputs(0) }) }),
  fc.record({
    recommend: fc.record({ positive: inputs(1), negative: inputs(0), strategy: fc.constantFrom('best_score', 'sum_scores') }),
  }),
  fc.record({ recommend: fc.record({ negative: inputs(1), strategy: fc.constantFrom('best_score', 'sum_scores') }) }),
  fc.record({ discover: fc.record({ target: input, context: fc.oneof(pair, fc.array(pair, { minLength: 1, maxLength: 3 })) }) }),
  fc.record({ context: fc.array(pair, { minLength: 1, maxLength: 3 }) }),
  fc.record({
    order_by: fc.record(
      { key: fc.constant('n'), direction: fc.constantFrom('asc', 'desc'), start_from: fc.nat(COUNT) },
      { requiredKeys: ['key'] },
    ),
  }),
);
const prefetches: fc.Memo<object> = fc.memo((depth) => {
  const plain = fc.record({ query: leaf, limit, filter }, { requiredKeys: ['query', 'limit'] });
  if (depth <= 1) return plain;
  const below = fc.array(prefetches(depth - 1), { minLength: 1, maxLength: 3 });
  const fused = below.chain((prefetch) =>
    fc.record(
      {
        prefetch: fc.constant(prefetch),
        query: fc.oneof(
          fc.constantFrom({ fusion: 'rrf' }, { fusion: 'dbsf' }),
          fc.record({
            rrf: fc.record(
              { k: fc.integer({ min: 1, max: 60 }), weights: fc.tuple(...prefetch.map(() => fc.constantFrom(1, 0.5, 3))) },
              { requiredKeys: [] },
            ),
          }),
        ),
        limit,
        filter,
      },
      { requiredKeys: ['prefetch', 'query', 'limit'] },
    ),
  );
  const rescored = fc.record({ prefetch: below, query: leaf, limit, filter }, { requiredKeys: ['prefetch', 'query', 'limit'] });
  return fc.oneof({ weight: 2, arbitrary: plain }, fused, rescored);
});
const requests = prefetches(3).chain((one) =>
  fc
    .record({ offset: fc.nat(5), score_threshold: fc.constantFrom(-0.2, 0.4, 1) }, { requiredKeys: [] })
    .map((more) => ({ ...one, ...more })),
);

/** The same scores in the same order; the same points where no score stands twice. */
function mustAgree(hits: readonly KnownHit[], wanted: readonly KnownHit[], request: object): void {
  const shown = JSON.stringify(request);
  assert.is(hits.length, wanted.length, `${hits.length} hits, ${wanted.length} wanted: ${shown}`);
  for (const [place, hit] of hits.entries()) {
    const other = wanted[place] as KnownHit;
    assert.ok(Math.abs(hit.score - other.score) < 1e-4, `place ${place}: ${hit.score}, not ${other.score}: ${shown}`);
    const twins = wanted.filter(({ score }) => Math.abs(score - other.score) < 1e-4);
    if (twins.length === 1 || other.score === 1) assert.is(hit.id, other.id, `place ${place}: ${shown}`);
  }
}

/** A rank that hangs on rounding says nothing: the reference shifted by a hair must order alike. */
function isSteady(one: readonly KnownHit[], other: readonly KnownHit[]): boolean {
  return JSON.stringify(one.map((hit) => hit.id)) === JSON.stringify(other.map((hit) => hit.id));
}

for (const metric of ['Cosine', 'Dot', 'Euclid'] as const) {
  test(`any query answers as its documentation says, under ${metric}`, async (t) => {
    const { ask, points } = await filled(t, metric);
    const naive = new NaiveQueries(points, metric);
    const moved = new NaiveQueries(
      points.map((point) => ({ ...point, vector: point.vector.map((value) => value * (1 + 1e-7)) })),
      metric,
    );
    let compared = 0;
    for (const request of fc.sample(requests, { numRuns: 60, seed: 17 })) {
      const wanted = naive.run(request);
      const { status, body } = await ask('POST', '/collections/c/points/query', request);
      assert.is(status, 200, `${JSON.stringify(request)}: ${JSON.stringify(body)}`);
      if (!isSteady(wanted, moved.run(request))) continue;
      mustAgree(body.result.points, wanted, request);
      compared += 1;
    }
    assert.ok(compared > 45, `${compared} queries were compared`);
  });
}

test('what a query cannot be is refused in the form of the dialect, with its place', async (t) => {
  const { ask } = await filled(t, 'Dot');
  const v = [1, 1, 1, 1, 1];
  const cases: readonly [unknown, number, RegExp][] = [
    [{ query: [1, 2] }, 400, /Vector dimension error: expected dim: 5, got 2/],
    [{ query: [1, 'x', 1, 1, 1] }, 400, /query\[1\]/],
    [{ query: [[1, 1, 1, 1, 1]] }, 400, /several vectors/],
    [{ query: { text: 'x', model: 'm' } }, 400, /send the vector/],
    [{ query: { nearest: v, recommend: {} } }, 400, /recommend/],
    [{ query: { formula: 1 } }, 400, /formula queries are not supported/],
    [{ query: 999 }, 404, /No point with id 999 found/],
    [{ query: 'seven' }, 404, /No point with id seven found/],
    [{ query: v, using: 'other' }, 400, /Not existing vector name error: other/],
    [{ query: v, limit: 0 }, 422, /limit/],
    [{ query: v, limit: 1_000_000 }, 422, /limit/],
    [{ query: v, limit: 'ten' }, 400, /limit/],
    [{ query: v, params: { hnsw_ef: -1 } }, 422, /hnsw_ef/],
    [{ query: v, param: {} }, 400, /param/],
    [{ query: { fusion: 'rrf' } }, 400, /needs prefetches/],
    [{ prefetch: [{ query: v }] }, 400, /need a query/],
    [{ prefetch: [{ query: v }], query: { rrf: { weights: [1, 2] } } }, 400, /2 weights for 1/],
    [{ prefetch: { query: v, filter: { must: [{}], x: 1 } }, query: v }, 400, /prefetch\.filter\.x/],
    [{ query: { recommend: { positive: [] } } }, 400, /positive example/],
    [{ query: { order_by: 'color' } }, 400, /No range index for `order_by` key: `color`/],
    [{ query: { order_by: { key: 'n', direction: 'up' } } }, 400, /direction/],
    [{ query: { sample: 'some' } }, 400, /random/],
    [{ query: v, shard_key: 'a' }, 400, /shard/],
    [{ query: 1, lookup_from: { collection: 'absent' } }, 404, /Collection `absent` doesn't exist/],
    [{ query: { indices: [1, 1], values: [1, 2] } }, 400, /twice/],
  ];
  for (const [request, status, message] of cases) {
    const answer = await ask('POST', '/collections/c/points/query', request);
    assert.is(answer.status, status, `${JSON.stringify(request)}: ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.status.error, message);
  }
  const deep = Array.from({ length: 20 }).reduce<object>((below) => ({ query: v, prefetch: [below] }), { query: v });
  assert.is((await ask('POST', '/collections/c/points/query', deep)).status, 422);
});

test('the older routes answer the same in their own form', async (t) => {
  const { ask, points } = await filled(t, 'Euclid');
  const query = async (body: object): Promise<KnownHit[]> =>
    (await ask('POST', '/collections/c/points/query', body)).body.result.points;
  const old = async (path: string, body: object): Promise<KnownHit[]> => {
    const answer = await ask('POST', `/collections/c/points/${path}`, body);
    assert.is(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.result;
  };
  const target = points[3]?.vector;
  assert.equal(await old('search', { vector: target, top: 4, offset: 1 }), await query({ query: target, limit: 4, offset: 1 }));
  assert.equal(await old('search', { vector: { name: '', vector: target }, limit: 4 }), await query({ query: target, limit: 4 }));
  const recommend = { positive: [1, 2], negative: [3] };
  assert.equal(await old('recommend', { ...recommend, limit: 5 }), await query({ query: { recommend }, limit: 5 }));
  const context = [{ positive: 4, negative: 5 }];
  assert.equal(
    await old('discover', { target: 9, context, limit: 5 }),
    await query({ query: { discover: { target: 9, context } }, limit: 5 }),
  );
  assert.equal(await old('discover', { context, limit: 5 }), await query({ query: { context }, limit: 5 }));
  assert.equal(
    await old('search/batch', {
      searches: [
        { vector: target, limit: 2 },
        { vector: target, limit: 3 },
      ],
    }),
    [await query({ query: target, limit: 2 }), await query({ query: target, limit: 3 })],
  );
  assert.is((await old('recommend/batch', { searches: [{ ...recommend, limit: 1 }] })).length, 1);
  assert.is((await old('discover/batch', { searches: [{ context, limit: 1 }] })).length, 1);
  const batch = (await ask('POST', '/collections/c/points/query/batch', { searches: [{ query: 1, limit: 2 }, { limit: 3 }] }))
    .body.result;
  assert.equal(
    batch.map(({ points: hits }: { points: unknown[] }) => hits.length),
    [2, 3],
  );
});

test('payload, vectors and version are shown as asked, of fused hits too', async (t) => {
  const { ask, points } = await filled(t, 'Dot');
  const first = async (body: object): Promise<Record<string, unknown>> =>
    (await ask('POST', '/collections/c/points/query', { limit: 1, ...body })).body.result.points[0];
  const target = points[0]?.vector;
  assert.equal(Object.keys(await first({ query: target })), ['id', 'version', 'score']);
  const fusion = { prefetch: [{ query: target }, { query: 5 }], query: { fusion: 'rrf' } };
  for (const query of [{ query: target }, fusion, { query: { nearest: target, mmr: {} } }, { query: { sample: 'random' } }]) {
    const whole = await first({ ...query, with_payload: true, with_vector: true });
    assert.equal(Object.keys(whole), ['id', 'version', 'score', 'payload', 'vector']);
    const known = points.find(({ id: own }) => own === whole['id']) as KnownPoint;
    assert.equal(whole['payload'], known.payload);
    assert.ok((whole['version'] as number) > 0);
    assert.equal(Object.keys((await first({ ...query, with_payload: ['n'] }))['payload'] as object), ['n']);
  }
  const ordered = await first({ query: { order_by: { key: 'n', direction: 'desc' } } });
  assert.is(ordered['order_value'], COUNT - 1);
});

test('ids may stand for vectors of another collection', async (t) => {
  const { ask, points } = await filled(t, 'Dot');
  await ask('PUT', '/v1/collections/other', { dimension: DIMENSION, distance: 'dot' });
  const vectorThere = [0, 0, 0, 0, 1];
  await ask('PUT', '/v1/collections/other/points', { points: [{ id: 1, vector: vectorThere }] });
  const hits = async (body: object): Promise<PointId[]> =>
    (await ask('POST', '/collections/c/points/query', { limit: COUNT, ...body })).body.result.points.map(
      ({ id: own }: KnownHit) => own,
    );
  const found = await hits({ query: 1, lookup_from: { collection: 'other' } });
  assert.equal(found, await hits({ query: vectorThere }));
  assert.is(found.length, points.length, 'the point of the same id here is a hit');
});

test.run();
