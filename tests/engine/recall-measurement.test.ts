/** Recall on demand against a real index: right where search is right, low where it looks too little, bounded in time and number. */

import * as assert from 'uvu/assert';
import type { RunningEngine } from '../../src/engine/engine.js';
import type { HnswParameters, Quantization } from '../../src/model/collection.js';
import type { Filter } from '../../src/model/filter.js';
import type { DenseVector } from '../../src/model/point.js';
import { dense, type NamedPoint, namedBlock } from '../support/named-points.js';
import { openTestEngine, type TestEngine, type TestPoint, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { rejectionOf } from '../support/refusal.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/recall-measurement', { deadlineMs: 60_000 });
const DIMENSION = 16;
const POINTS = 3_000;
const POOR: HnswParameters = { m: 4, efConstruct: 8, efSearch: 10 };

interface Shape {
  readonly hnsw?: HnswParameters;
  readonly points?: number;
  readonly quantization?: Quantization;
}

async function filled(t: TestContext, shape: Shape = {}): Promise<TestEngine> {
  const { hnsw = POOR, points = POINTS, quantization = null } = shape;
  const rig = await openTestEngine(t.folder());
  t.after(() => rig.engine.stop());
  const random = new Random(t.seed());
  const payloadIndexes = [{ path: 'rank', type: 'integer' }] as const;
  const spec = { dimension: DIMENSION, distance: 'cosine', hnsw, ttlMs: null, payloadIndexes, quantization } as const;
  await rig.engine.write([{ kind: 'create_collection', collection: 'c', spec }], WAIT);
  const all = Array.from({ length: points }, (_, id): TestPoint => {
    const payload = { rank: id, note: id % 2 === 0 ? 'even' : 'odd' };
    return { id, vector: random.vector(DIMENSION), payload };
  });
  await rig.put('c', all);
  await waitUntil(() => rig.engine.status().index.waitingBytes === 0, { what: 'the graph has all points' });
  return rig;
}

const measure = (engine: RunningEngine, request: object) => engine.measureRecall('c', { sample: 50, limit: 10, ...request });

test('a wide walk finds nearly all, a narrow one less, and the worst is no better than the mean', async (t) => {
  const { engine } = await filled(t);
  const wide = await measure(engine, { efSearch: 1_000 });
  assert.is(wide.sampled, 50);
  assert.is(wide.efSearch, 1_000);
  assert.ok((wide.recall ?? 0) > 0.97, `${wide.recall}`);
  const narrow = await measure(engine, {});
  assert.is(narrow.efSearch, 10);
  assert.ok((narrow.recall ?? 1) < (wide.recall ?? 0) - 0.05, `${narrow.recall}`);
  assert.ok((narrow.worst ?? 1) <= (narrow.recall ?? 0));
  assert.equal(narrow.position, engine.position());
  assert.is(narrow.byFilterClass, undefined);
  const again = await measure(engine, {});
  assert.is(again.recall, narrow.recall, 'the same points each time');
});

test('a small collection is searched exactly, so its recall is 1, and an empty one has none', async (t) => {
  const { engine, create } = await filled(t, { points: 40 });
  const { recall, sampled, worst } = await measure(engine, {});
  assert.equal([recall, sampled, worst], [1, 40, 1]);
  await create('empty', 2);
  const none = await engine.measureRecall('empty', { sample: 10, limit: 10 });
  assert.equal([none.recall, none.sampled, none.worst], [null, 0, null]);
});

const below = (rank: number): Filter => ({ must: [{ kind: 'range', key: 'rank', time: false, bounds: { lt: rank } }] });

test('with a filter only points that match are searched for and found, in the class of its share', async (t) => {
  const { engine } = await filled(t);
  for (const [rank, filterClass] of [
    [POINTS * 0.8, 'above_50'],
    [POINTS * 0.2, '10_to_50'],
    [POINTS * 0.05, '1_to_10'],
    [10, 'below_1'],
  ] as const) {
    const answer = await measure(engine, { filter: below(rank), efSearch: 500 });
    assert.is(answer.sampled, Math.min(50, rank));
    assert.ok((answer.recall ?? 0) > 0.95, `${filterClass}: ${answer.recall}`);
    assert.equal(answer.byFilterClass, [{ filterClass, recall: answer.recall, sampled: answer.sampled }]);
  }
});

test('a filter over a field that is not declared is answered by rows, and measured all the same', async (t) => {
  const { engine } = await filled(t);
  const filter: Filter = { must: [{ kind: 'match_value', key: 'note', value: 'even' }] };
  const answer = await measure(engine, { filter, efSearch: 500, sample: 10 });
  assert.is(answer.sampled, 10);
  assert.ok((answer.recall ?? 0) > 0.95, `${answer.recall}`);
});

test('of a graph with rounded copies the truth is that of the rows', async (t) => {
  const { engine } = await filled(t, { quantization: { type: 'int8', rescore: true, oversampling: 1 } });
  const close = await measure(engine, { efSearch: 1_000, limit: 10, sample: 30 });
  assert.is(close.sampled, 30);
  // Without more candidates than hits, rounding alone costs some of them.
  assert.ok((close.recall ?? 0) > 0.8 && (close.recall ?? 1) < 1, `${close.recall}`);
  await engine.write([{ kind: 'update_collection', collection: 'c', change: { quantization: { oversampling: 4 } } }], WAIT);
  const spread = await measure(engine, { efSearch: 1_000, limit: 10, sample: 30 });
  assert.ok((spread.recall ?? 0) > (close.recall ?? 1), `${spread.recall}`);
});

test('one measurement of a collection runs at a time', async (t) => {
  const { engine } = await filled(t);
  const running = measure(engine, { sample: 200 });
  const refused = await rejectionOf(measure(engine, {}));
  assert.is(refused.type, 'Overloaded');
  assert.equal(refused.details, { reason: 'recall_running' });
  await running;
  assert.is((await measure(engine, { sample: 1 })).sampled, 1);
});

test('it ends with its time, with what it has', async (t) => {
  const { engine } = await filled(t);
  const outcome = await measure(engine, { sample: 1_000, limit: 1_000, efSearch: 3_000, timeoutMs: 300 }).catch(
    (error: { type: string }) => error.type,
  );
  if (typeof outcome === 'string') assert.is(outcome, 'Timeout');
  else assert.ok(outcome.sampled > 0 && outcome.sampled < 1_000, `${outcome.sampled}`);
});

test('of a name that few points have, those few are searched for, also where a filter takes rows', async (t) => {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const random = new Random(t.seed());
  const rare = { name: 'rare', dimension: 4, distance: 'dot', hnsw: POOR, quantization: null } as const;
  const spec = { dimension: DIMENSION, distance: 'cosine', hnsw: POOR, ttlMs: null, vectors: [rare] } as const;
  await engine.write([{ kind: 'create_collection', collection: 'c', spec }], WAIT);
  const points = Array.from({ length: 1_000 }, (_, id): NamedPoint => {
    const few: [string, DenseVector][] =
      id % 50 === 7 ? [['rare', dense(random.vector(4))]] : [['', dense(random.vector(DIMENSION))]];
    return { id, vectors: new Map(few), payload: { note: id % 100 === 7 ? 'a' : 'b' } };
  });
  await engine.write([{ kind: 'upsert', collection: 'c', points: namedBlock(points, DIMENSION) }], WAIT);
  const filter: Filter = { must: [{ kind: 'match_value', key: 'note', value: 'a' }] };
  assert.is((await measure(engine, { using: 'rare' })).sampled, 20);
  assert.is((await measure(engine, { using: 'rare', filter })).sampled, 10);
  assert.is((await measure(engine, { filter })).sampled, 0, 'none of them has a default vector');
});

test('it measures while points are written', async (t) => {
  const { engine, put } = await filled(t);
  const random = new Random(t.seed());
  let over = false;
  const writing = (async () => {
    for (let id = POINTS; !over; id++) await put('c', [{ id, vector: random.vector(DIMENSION) }]);
  })();
  const answer = await measure(engine, { efSearch: 1_000 });
  over = true;
  await writing;
  assert.ok(answer.sampled >= 25, `${answer.sampled} of 50`);
  assert.ok((answer.recall ?? 0) > 0.95, `${answer.recall}`);
});

test.run();
