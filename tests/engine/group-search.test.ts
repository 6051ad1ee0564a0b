/** Search by groups against brute force: groups in the order of their best hits, each with its best, whatever it takes to find them. */

import * as assert from 'uvu/assert';
import type { GroupAnswer, GroupRequest } from '../../src/engine/engine.js';
import { DEFAULT_HNSW, DEFAULT_TEXT } from '../../src/model/collection.js';
import type { FacetScalar } from '../../src/model/facet.js';
import type { Filter } from '../../src/model/filter.js';
import { comparePointIds, type PointId } from '../../src/model/point.js';
import { compileFilter } from '../../src/search/evaluate-filter.js';
import { openTestEngine, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/group-search', { deadlineMs: 120_000 });
const DIMENSION = 4;

interface Point {
  readonly id: number;
  readonly vector: Float32Array;
  readonly payload: {
    readonly g?: FacetScalar | readonly (FacetScalar | null)[];
    readonly u?: unknown;
    readonly n: number;
    readonly t: string;
  };
}

const { offset: _, ...PLAIN } = SEARCH;
const BY: GroupRequest = { ...PLAIN, groupBy: 'g', groupSize: 3 };

async function open(folder: string): Promise<TestEngine> {
  const rig = await openTestEngine(folder);
  const spec = { dimension: DIMENSION, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null } as const;
  const declared = { payloadIndexes: [{ path: 'g', type: 'keyword' } as const], text: { ...DEFAULT_TEXT, fields: ['t'] } };
  await rig.engine.write([{ kind: 'create_collection', collection: 'c', spec: { ...spec, ...declared } }], WAIT);
  return rig;
}

const distance = (a: Float32Array, b: Float32Array): number => Math.hypot(...a.map((value, i) => value - (b[i] as number)));

interface Shown {
  readonly value: FacetScalar;
  readonly ids: readonly PointId[];
}

function nearest(points: ReadonlyMap<number, Point>, query: Float32Array, request: GroupRequest): Shown[] {
  const passes = compileFilter(request.filter ?? {});
  const ranked = [...points.values()]
    .filter(({ id, payload }) => id !== request.id && passes(id, payload as never))
    .map((point) => ({ ...point, score: distance(point.vector, query) }))
    .filter(({ score }) => request.scoreThreshold === undefined || score <= request.scoreThreshold)
    .sort((a, b) => a.score - b.score || comparePointIds(a.id, b.id));
  const groups = new Map<FacetScalar, PointId[]>();
  for (const { id, payload } of ranked) {
    const values = [payload.g ?? []].flat().filter((value) => value !== null);
    for (const value of new Set(values)) groups.set(value as FacetScalar, [...(groups.get(value as FacetScalar) ?? []), id]);
  }
  return [...groups].slice(0, request.limit).map(([value, ids]) => ({ value, ids: ids.slice(0, request.groupSize) }));
}

const shown = ({ groups }: GroupAnswer): Shown[] => groups.map(({ value, hits }) => ({ value, ids: hits.map(({ id }) => id) }));

function newPoint(random: Random, id: number): Point {
  const vector = random.vector(DIMENSION);
  const kind = random.unit();
  const g = `g${Math.floor(random.unit() ** 3 * 40)}`;
  const values = kind < 0.1 ? {} : kind < 0.3 ? { g: [g, random.integer(0, 3), g, null] } : kind < 0.35 ? { g: true } : { g };
  return {
    id,
    vector,
    payload: { ...values, ...('g' in values ? { u: values.g } : {}), n: random.integer(0, 9), t: `word${id % 3}` },
  };
}

const FILTER: Filter = { must: [{ kind: 'range', key: 'n', time: false, bounds: { lt: 5 } }] };

test('groups and their hits are those of brute force, with and without an index of the field', async (t) => {
  const random = new Random(t.seed());
  const { engine, put } = await open(t.folder());
  t.after(() => engine.stop());
  const points = new Map(Array.from({ length: 3_000 }, (_, id) => [id, newPoint(random, id)]));
  await put('c', [...points.values()]);
  let hits = 0;
  let right = 0;
  for (const [limit, groupSize] of [
    [10, 3],
    [1, 1],
    [100, 100],
    [45, 2],
  ] as const) {
    for (const rest of [{}, { filter: FILTER }, { scoreThreshold: 0.7 }, { scoreThreshold: 0.2 }]) {
      const vector = random.vector(DIMENSION);
      const request = { ...BY, vector, limit, groupSize, ...rest };
      const wanted = nearest(points, vector, request);
      const what = JSON.stringify({ limit, groupSize, rest });
      for (const groupBy of ['g', 'u']) {
        const exact = await engine.searchGroups('c', { ...request, groupBy, exact: true });
        assert.equal(shown(exact), wanted, `${groupBy} ${what}`);
        assert.equal([exact.complete, exact.mode, exact.incompleteReason], [true, 'exact', undefined]);
        const found = await engine.searchGroups('c', { ...request, groupBy });
        assert.ok(found.complete, what);
        assert.is(found.groups.length, wanted.length, what);
        for (const { value, ids } of wanted) {
          hits += ids.length;
          const group = found.groups.find((one) => one.value === value);
          right += ids.filter((id) => group?.hits.some((hit) => hit.id === id)).length;
        }
      }
    }
  }
  assert.ok(right >= 0.97 * hits, `recall ${right / hits}`);
});

test('by id the point is left out, payloads and vectors come when asked for, and a point stands in each of its groups', async (t) => {
  const { engine, put } = await open(t.folder());
  t.after(() => engine.stop());
  const vector = (x: number): Float32Array => Float32Array.of(x, 0, 0, 0);
  const points = [{ g: ['a', 'b'] }, { g: 'a' }, { g: 7 }, {}, { g: [] }, { g: { a: 1 } }, { g: null }];
  await put(
    'c',
    points.map((payload, id) => ({ id, vector: vector(id), payload })),
  );
  const answer = await engine.searchGroups('c', { ...BY, vector: vector(0), withPayload: true, withVector: true, explain: true });
  assert.equal(shown(answer), [
    { value: 'a', ids: [0, 1] },
    { value: 'b', ids: [0] },
    { value: 7, ids: [2] },
  ]);
  const [hit] = answer.groups[0]?.hits ?? [];
  assert.equal([Buffer.from(hit?.payload ?? []).toString(), hit?.vector, hit?.score], [JSON.stringify(points[0]), vector(0), 0]);
  assert.ok(answer.complete);
  assert.ok(answer.explain?.steps.some(({ name }) => name === 'groups'));
  assert.equal(answer.position, engine.position());
  const near = await engine.searchGroups('c', { ...BY, id: 0 });
  assert.equal(shown(near), [
    { value: 'a', ids: [1] },
    { value: 7, ids: [2] },
  ]);
  assert.equal([near.groups[0]?.hits[0]?.payload, near.groups[0]?.hits[0]?.vector], [null, null]);
});

test('one group that crowds around the query does not hide the others, however many points it has', async (t) => {
  const { engine, put } = await open(t.folder());
  t.after(() => engine.stop());
  const crowd = 11_000;
  const at = (id: number): number => (id < crowd ? id / crowd : 5 + id / crowd);
  const group = (id: number): string => (id < crowd ? 'crowd' : `far${id % 4}`);
  for (let from = 0; from < crowd + 12; from += 5_000) {
    const ids = Array.from({ length: Math.min(5_000, crowd + 12 - from) }, (_, i) => from + i);
    await put(
      'c',
      ids.map((id) => ({ id, vector: [at(id), 0, 0, 0], payload: { g: group(id), u: group(id), t: 'river' } })),
    );
  }
  const wanted = [
    { value: 'crowd', ids: [0, 1, 2] },
    ...[0, 1, 2, 3].map((i) => ({ value: `far${i}`, ids: [0, 4, 8].map((j) => crowd + i + j) })),
  ];
  for (const groupBy of ['g', 'u']) {
    for (const limit of [5, 10]) {
      const answer = await engine.searchGroups('c', { ...BY, vector: new Float32Array(DIMENSION), groupBy, limit });
      assert.equal([answer.complete, shown(answer)], [true, wanted], `${groupBy} ${limit}`);
    }
    const byText = await engine.searchGroups('c', { ...BY, text: 'river', groupBy });
    assert.equal([byText.complete, byText.mode], [true, 'text']);
    assert.equal(
      byText.groups.map(({ value, hits }) => [value, hits.length]).sort(),
      wanted.map(({ value }) => [value, 3]).sort(),
    );
  }
  const page = await engine.search('c', { ...SEARCH, id: 0, limit: 10_000 });
  assert.equal([page.hits.length, page.complete], [10_000, true], 'the largest page, and a point left out of it');
  const both = await engine.searchGroups('c', { ...BY, vector: new Float32Array(DIMENSION), text: 'river' });
  assert.equal([both.mode, both.complete, shown(both)[0]?.value], ['hybrid', false, 'crowd']);
  assert.match(both.incompleteReason ?? '', 'the 10000 best hits of each engine');
});

test('text and hybrid searches fill their groups', async (t) => {
  const random = new Random(t.seed());
  const { engine, put } = await open(t.folder());
  t.after(() => engine.stop());
  const points = new Map(Array.from({ length: 600 }, (_, id) => [id, newPoint(random, id)]));
  await put('c', [...points.values()]);
  const withWord = new Map([...points].filter(([, { payload }]) => payload.t === 'word1'));
  for (const groupBy of ['g', 'u']) {
    const request = { ...BY, groupBy, text: 'word1', limit: 60, groupSize: 300 };
    const text = await engine.searchGroups('c', request);
    const all = nearest(withWord, new Float32Array(DIMENSION), request);
    const sorted = (groups: readonly Shown[]): unknown => groups.map(({ value, ids }) => [`${value}`, [...ids].sort()]).sort();
    assert.equal([text.complete, sorted(shown(text))], [true, sorted(all)]);
    const hybrid = await engine.searchGroups('c', { ...request, vector: random.vector(DIMENSION) });
    const every = nearest(points, new Float32Array(DIMENSION), request);
    assert.equal([hybrid.complete, hybrid.mode, sorted(shown(hybrid))], [true, 'hybrid', sorted(every)]);
  }
});

test('while points come, change and go every answer is whole, and every hit is in a group of its own values', async (t) => {
  const random = new Random(t.seed());
  const { engine, put, remove } = await open(t.folder());
  t.after(() => engine.stop());
  await put(
    'c',
    Array.from({ length: 1_500 }, (_, id) => newPoint(random, id)),
  );
  let over = false;
  let answers = 0;
  const writing = (async () => {
    for (let round = 0; round < 30 || answers <= 5; round++) {
      await put(
        'c',
        Array.from({ length: 40 }, () => newPoint(random, random.integer(0, 1_499))),
      );
      if (round % 5 === 0) await remove('c', [random.integer(0, 1_499)]);
    }
    over = true;
  })();
  await waitUntil(
    async () => {
      const answer = await engine.searchGroups('c', {
        ...BY,
        vector: random.vector(DIMENSION),
        withPayload: true,
        groupSize: 20,
      });
      answers += 1;
      assert.ok(answer.complete, answer.incompleteReason);
      assert.is(answer.groups.length, 10);
      for (const { value, hits } of answer.groups) {
        assert.is(new Set(hits.map(({ id }) => id)).size, hits.length, 'no point twice in a group');
        for (const { payload } of hits) {
          const { g } = JSON.parse(Buffer.from(payload ?? []).toString()) as { g: unknown };
          assert.ok([g].flat().includes(value), JSON.stringify({ g, value }));
        }
      }
      return over;
    },
    { what: 'the writes to end', deadlineMs: 60_000 },
  );
  await writing;
});

test.run();
