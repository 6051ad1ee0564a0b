/** Filtered search against brute force: whatever is declared, however much matches, while points come, change and go. */

import * as assert from 'uvu/assert';
import type { RunningEngine, SearchRequest } from '../../src/engine/engine.js';
import { DEFAULT_TEXT, type PayloadIndexSpec } from '../../src/model/collection.js';
import type { Filter } from '../../src/model/filter.js';
import type { Limits } from '../../src/model/limits.js';
import { comparePointIds } from '../../src/model/point.js';
import { compileFilter } from '../../src/search/evaluate-filter.js';
import { openTestEngine, SEARCH, type TestEngine, type TestPoint, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/filtered-search', { deadlineMs: 120_000 });
const DIMENSION = 8;
const POINTS = 2_000;
const DECLARED: readonly PayloadIndexSpec[] = [
  { path: 'group', type: 'keyword' },
  { path: 'rank', type: 'integer' },
];

interface Payload {
  readonly group: string;
  readonly rank: number;
  readonly note: string;
}
type Point = TestPoint & { readonly id: number; readonly vector: Float32Array; readonly payload: Payload };

function newPoint(random: Random, id: number): Point {
  const vector = random.vector(DIMENSION);
  // A tenth of the groups lies in a corner of its own, so that its members are far from most queries.
  const group = random.integer(0, 9);
  if (group === 0) vector[0] = (vector[0] as number) + 20;
  return { id, vector, payload: { group: `g${group}`, rank: random.integer(0, 999), note: id % 7 === 0 ? 'seventh' : 'other' } };
}

const FILTERS: Readonly<Record<string, Filter>> = {
  'a declared keyword': { must: [{ kind: 'match_value', key: 'group', value: 'g3' }] },
  'a corner far away': { must: [{ kind: 'match_value', key: 'group', value: 'g0' }] },
  'nearly all': { mustNot: [{ kind: 'match_value', key: 'group', value: 'g3' }] },
  'half by range': { must: [{ kind: 'range', key: 'rank', time: false, bounds: { lt: 500 } }] },
  'very few': { must: [{ kind: 'range', key: 'rank', time: false, bounds: { lt: 2 } }] },
  'an undeclared field': { must: [{ kind: 'match_value', key: 'note', value: 'seventh' }] },
  'declared and undeclared': {
    must: [
      { kind: 'match_value', key: 'note', value: 'seventh' },
      { kind: 'match_any', key: 'group', values: ['g1', 'g2'] },
    ],
  },
  ids: { must: [{ kind: 'has_id', ids: [1, 5, 9, 100_000] }] },
  nothing: { must: [{ kind: 'match_value', key: 'group', value: 'none' }] },
};

async function open(folder: string, declared: readonly PayloadIndexSpec[], limits: Partial<Limits> = {}): Promise<TestEngine> {
  const rig = await openTestEngine(folder, limits);
  const spec = {
    dimension: DIMENSION,
    distance: 'euclid',
    hnsw: { m: 16, efConstruct: 80, efSearch: 64 },
    ttlMs: null,
  } as const;
  await rig.engine.write([{ kind: 'create_collection', collection: 'c', spec: { ...spec, payloadIndexes: declared } }], WAIT);
  return rig;
}

function nearest(points: ReadonlyMap<number, Point>, query: Float32Array, filter: Filter, limit: number): number[] {
  const passes = compileFilter(filter);
  const distance = ({ vector }: Point): number => vector.reduce((sum, value, i) => sum + (value - (query[i] as number)) ** 2, 0);
  return [...points.values()]
    .filter((point) => passes(point.id, { ...point.payload }))
    .map((point) => ({ id: point.id, distance: distance(point) }))
    .sort((a, b) => a.distance - b.distance || comparePointIds(a.id, b.id))
    .slice(0, limit)
    .map(({ id }) => id);
}

interface Checked {
  readonly t: TestContext;
  readonly engine: RunningEngine;
  readonly points: ReadonlyMap<number, Point>;
  readonly random: Random;
  readonly what: string;
}

async function check({ t, engine, points, random, what }: Checked): Promise<void> {
  const whole = { hits: 0, found: 0 };
  for (const [name, filter] of Object.entries(FILTERS)) {
    let hits = 0;
    let found = 0;
    for (let round = t.rounds(2, 5); round > 0; round--) {
      const vector = random.vector(DIMENSION);
      const request: SearchRequest = { ...SEARCH, vector, filter, withPayload: true, explain: true };
      const answer = await engine.search('c', request);
      const wanted = nearest(points, vector, filter, 10);
      assert.ok(answer.complete, `${what}, ${name}: complete`);
      assert.is(answer.hits.length, wanted.length, `${what}, ${name}: as many as there are`);
      const passes = compileFilter(filter);
      for (const { id, payload } of answer.hits)
        assert.ok(passes(id, JSON.parse(Buffer.from(payload ?? []).toString())), `${what}, ${name}: ${id} matches`);
      hits += wanted.length;
      found += answer.hits.filter(({ id }) => wanted.includes(id as number)).length;
      const exact = await engine.search('c', { ...SEARCH, vector, filter, exact: true });
      assert.equal(
        exact.hits.map(({ id }) => id),
        wanted,
        `${what}, ${name}: exact`,
      );
    }
    assert.ok(found >= hits - 1, `${what}, ${name}: recall ${found / hits}`);
    whole.hits += hits;
    whole.found += found;
    assert.is((await engine.count('c', filter)).count, nearest(points, new Float32Array(DIMENSION), filter, POINTS).length, name);
  }
  assert.ok(whole.found >= 0.98 * whole.hits, `${what}: recall ${whole.found / whole.hits}`);
}

for (const [how, declared] of [
  ['with declared fields', DECLARED],
  ['without any', []],
] as const) {
  test(`every filter gives as many hits as there are, and the right ones, ${how}`, async (t) => {
    const random = new Random(t.seed());
    const folder = t.folder();
    const first = await open(folder, declared);
    const points = new Map<number, Point>();
    for (let id = 0; id < POINTS; id++) points.set(id, newPoint(random, id));
    await first.put('c', [...points.values()]);
    await check({ t, engine: first.engine, points, random, what: 'fresh' });
    // Replaced, changed in place, gone.
    for (let id = 0; id < POINTS; id += 3) points.set(id, newPoint(random, id));
    for (let id = 1; id < POINTS; id += 3)
      points.set(id, { ...(points.get(id) as Point), payload: newPoint(random, id).payload });
    await first.put('c', [...points.values()]);
    const gone = [...points.keys()].filter((id) => id % 5 === 2);
    for (const id of gone) points.delete(id);
    await first.remove('c', gone);
    await check({ t, engine: first.engine, points, random, what: 'changed' });
    await first.engine.stop();
    const second = await openTestEngine(folder);
    t.after(() => second.engine.stop());
    await check({ t, engine: second.engine, points, random, what: 'after a restart' });
  });
}

test('fields that are declared later answer as soon as the change is applied', async (t) => {
  const random = new Random(t.seed());
  const { engine, put } = await open(t.folder(), []);
  t.after(() => engine.stop());
  const points = new Map(Array.from({ length: POINTS }, (_, id) => [id, newPoint(random, id)]));
  await put('c', [...points.values()]);
  const vector = random.vector(DIMENSION);
  const filter = FILTERS['a declared keyword'] as Filter;
  const advice = async (): Promise<string> =>
    (await engine.search('c', { ...SEARCH, vector, filter, explain: true })).explain?.advice.join() ?? '';
  assert.match(await advice(), /index of type keyword on 'group'/);
  await engine.write([{ kind: 'update_collection', collection: 'c', change: { payloadIndexes: DECLARED } }], WAIT);
  assert.not.match(await advice(), /payload index/i);
  assert.is(engine.collection('c').status, 'ready');
  await check({ t, engine, points, random, what: 'declared later' });
});

test('of few points too the answer says which index would help, and a text index that is declared is there for the next search', async (t) => {
  const random = new Random(t.seed());
  const { engine, put } = await open(t.folder(), [], { searchTimeoutMs: 120_000, searchEngineTimeoutMs: 60_000 });
  t.after(() => engine.stop());
  await put(
    'c',
    Array.from({ length: 20 }, (_, id) => newPoint(random, id)),
  );
  const vector = random.vector(DIMENSION);
  const filter = FILTERS['a declared keyword'] as Filter;
  const { explain } = await engine.search('c', { ...SEARCH, vector, filter, explain: true });
  assert.match(explain?.advice.join() ?? '', /index of type keyword on 'group'/);
  await engine.write([{ kind: 'update_collection', collection: 'c', change: { textFields: ['note'] } }], WAIT);
  const answer = await engine.search('c', { ...SEARCH, vector, text: 'seventh' });
  assert.equal([answer.mode, answer.degraded], ['hybrid', false]);
});

test('while points come, change and go every answer is whole and true to what it returns', async (t) => {
  const random = new Random(t.seed());
  const { engine, put, remove } = await open(t.folder(), DECLARED);
  t.after(() => engine.stop());
  await put(
    'c',
    Array.from({ length: POINTS }, (_, id) => newPoint(random, id)),
  );
  let over = false;
  const writing = (async () => {
    for (let round = 0; round < 60; round++) {
      await put(
        'c',
        Array.from({ length: 50 }, () => newPoint(random, random.integer(0, POINTS))),
      );
      if (round % 5 === 0) await remove('c', [random.integer(0, POINTS)]);
    }
    over = true;
  })();
  const filter = FILTERS['half by range'] as Filter;
  const passes = compileFilter(filter);
  let searches = 0;
  while (!over) {
    const answer = await engine.search('c', { ...SEARCH, vector: random.vector(DIMENSION), filter, withPayload: true });
    searches += 1;
    assert.ok(answer.complete);
    assert.is(answer.hits.length, 10);
    assert.is(new Set(answer.hits.map(({ id }) => id)).size, 10, 'no point twice');
    for (const { id, payload } of answer.hits) assert.ok(passes(id, JSON.parse(Buffer.from(payload ?? []).toString())));
  }
  await writing;
  assert.ok(searches > 10);
});

test('deletes, counts and pages by filter take the same points', async (t) => {
  const random = new Random(t.seed());
  const { engine, put } = await open(t.folder(), DECLARED);
  t.after(() => engine.stop());
  const points = new Map(Array.from({ length: POINTS }, (_, id) => [id, newPoint(random, id)]));
  await put('c', [...points.values()]);
  for (const [name, filter] of Object.entries(FILTERS)) {
    const wanted = nearest(points, new Float32Array(DIMENSION), filter, POINTS).sort((a, b) => a - b);
    const met: number[] = [];
    let after = null;
    do {
      const page = await engine.scroll('c', { filter, limit: 37, after, withPayload: false, withVector: false });
      met.push(...page.points.map(({ id }) => id as number));
      after = page.next;
    } while (after !== null);
    assert.equal(met, wanted, name);
  }
  const filter = FILTERS['declared and undeclared'] as Filter;
  const { results } = await engine.deleteByFilter('c', filter, WAIT);
  const gone = nearest(points, new Float32Array(DIMENSION), filter, POINTS);
  assert.is((results[0] as { deleted: number }).deleted, gone.length);
  assert.is((await engine.count('c', filter)).count, 0);
  assert.is((await engine.count('c')).count, POINTS - gone.length);
});

test('a text condition on a text field reads words as the text index does, wherever a filter is asked, in a delete too', async (t) => {
  const rig = await openTestEngine(t.folder());
  t.after(() => rig.engine.stop());
  const spec = { dimension: 1, distance: 'euclid', hnsw: { m: 16, efConstruct: 200, efSearch: 64 }, ttlMs: null } as const;
  const text = { ...DEFAULT_TEXT, fields: ['t'] };
  await rig.engine.write([{ kind: 'create_collection', collection: 'c', spec: { ...spec, text } }], WAIT);
  const words = ['Running shoes', 'the runs', 'a runway', 'walking'];
  await rig.put(
    'c',
    words.map((t_, id) => ({ id, vector: [id], payload: { t: t_, plain: t_ } })),
  );
  const filter = (key: string): Filter => ({ must: [{ kind: 'match_text', key, text: 'run' }] });
  const page = { limit: 9, after: null, withPayload: false, withVector: false };
  const { hits } = await rig.engine.search('c', { ...SEARCH, vector: Float32Array.of(0), filter: filter('t') });
  assert.equal(
    hits.map(({ id }) => id),
    [0, 1],
  );
  assert.is((await rig.engine.count('c', filter('t'))).count, 2);
  assert.equal(
    (await rig.engine.scroll('c', { ...page, filter: filter('t') })).points.map(({ id }) => id),
    [0, 1],
  );
  assert.is((await rig.engine.facet('c', { path: 't', filter: filter('t'), limit: 9, exact: true })).values.length, 2);
  assert.is((await rig.engine.count('c', filter('plain'))).count, 0, 'a field that is no text field has plain words');
  const { results } = await rig.engine.deleteByFilter('c', filter('t'), WAIT);
  assert.is((results[0] as { deleted: number }).deleted, 2);
  assert.equal(
    (await rig.engine.scroll('c', page)).points.map(({ id }) => id),
    [2, 3],
  );
});

test.run();
