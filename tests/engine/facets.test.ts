/** Facets: the same answer from the payload index and from rows, held against a plain count. */

import * as assert from 'uvu/assert';
import type { FacetRequest } from '../../src/engine/engine.js';
import { DEFAULT_HNSW, type PayloadIndexSpec } from '../../src/model/collection.js';
import { SkeinError } from '../../src/model/errors.js';
import type { Filter } from '../../src/model/filter.js';
import { FIXED } from '../../src/model/limits.js';
import type { JsonValue, Payload } from '../../src/model/point.js';
import { compileFilter } from '../../src/search/evaluate-filter.js';
import { openTestEngine, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/facets', { deadlineMs: 60_000 });
const POINTS = 1_500;

const DECLARED: readonly PayloadIndexSpec[] = [
  { path: 'color', type: 'keyword' },
  { path: 'size', type: 'integer' },
  { path: 'a.b', type: 'keyword' },
  { path: 'mixed', type: 'keyword' },
  { path: 'when', type: 'datetime' },
];

const FILTERS: readonly (Filter | undefined)[] = [
  undefined,
  { must: [{ kind: 'match_value', key: 'color', value: 'red' }] },
  { mustNot: [{ kind: 'range', key: 'size', time: false, bounds: { lt: 3 } }] },
  { must: [{ kind: 'match_value', key: 'note', value: 'odd' }] },
  {
    must: [
      { kind: 'match_value', key: 'note', value: 'odd' },
      { kind: 'match_any', key: 'color', values: ['red', 'blue'] },
    ],
  },
  { must: [{ kind: 'has_id', ids: [1, 2, 3, 4, 5, 100_000] }] },
  { must: [{ kind: 'match_value', key: 'color', value: 'nowhere' }] },
];

function payloadOf(random: Random, id: number): Payload {
  const color = (): string => random.pick(['red', 'blue', 'green', 'Ünï', 'a,b', '']);
  const mixed: readonly JsonValue[] = [1, '1', true, false, null, 0, { x: 1 }, ['1', '1', 2]];
  return {
    ...(random.unit() < 0.1 ? {} : { color: random.unit() < 0.3 ? [color(), color(), null] : color() }),
    size: random.unit() < 0.1 ? null : random.integer(0, 9),
    a: random.unit() < 0.5 ? [{ b: color() }, { b: [color()] }, 'no object'] : { b: color() },
    mixed: random.pick(mixed),
    when: '2026-11-21T00:00:00Z',
    note: id % 2 === 0 ? 'even' : 'odd',
  };
}

/** Two collections of the same points, one with payload indexes. */
async function twice(t: TestContext): Promise<TestEngine> {
  const rig = await openTestEngine(t.folder());
  t.after(() => rig.engine.stop());
  const spec = { dimension: 2, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null } as const;
  for (const [collection, payloadIndexes] of [['declared', DECLARED] as const, ['bare', []] as const])
    await rig.engine.write([{ kind: 'create_collection', collection, spec: { ...spec, payloadIndexes } }], WAIT);
  return rig;
}

async function putBoth({ put }: TestEngine, points: ReadonlyMap<number, Payload>): Promise<void> {
  const rows = [...points].map(([id, payload]) => ({ id, vector: [id, 1], payload }));
  for (const name of ['declared', 'bare']) await put(name, rows);
}

/** The plainest way to count. */
function wanted(points: ReadonlyMap<number, Payload>, { path, filter, limit }: FacetRequest): unknown[] {
  const passes = compileFilter(filter ?? {});
  const counts = new Map<JsonValue, number>();
  for (const [id, payload] of points) {
    if (!passes(id, payload)) continue;
    for (const value of new Set(scalars(payload, path.split('.')))) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const kind = (value: JsonValue): number => ['boolean', 'number', 'string'].indexOf(typeof value);
  const all = [...counts].map(([value, count]) => ({ value, count }));
  all.sort((a, b) => b.count - a.count || kind(a.value) - kind(b.value) || ((a.value ?? 0) < (b.value ?? 0) ? -1 : 1));
  return all.slice(0, limit);
}

function scalars(value: JsonValue | undefined, path: readonly string[], inArray = false): JsonValue[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return inArray ? [] : value.flatMap((one: JsonValue) => scalars(one, path, true));
  const [key, ...rest] = path;
  if (typeof value !== 'object') return key === undefined ? [value] : [];
  return key === undefined ? [] : scalars((value as Payload)[key], rest);
}

test('the index and the rows count the same, and as a plain count does, through changes', async (t) => {
  const random = new Random(t.seed());
  const rig = await twice(t);
  const points = new Map(Array.from({ length: POINTS }, (_, id) => [id, payloadOf(random, id)]));
  const check = async (): Promise<void> => {
    await putBoth(rig, points);
    for (const filter of FILTERS) {
      for (const path of ['color', 'size', 'a.b', 'mixed', 'when', 'note', 'nowhere', 'a', 'a.b.c']) {
        const request = { path, limit: random.pick([1, 3, 10_000]), exact: true, ...(filter === undefined ? {} : { filter }) };
        const counted = wanted(points, request);
        for (const name of ['declared', 'bare']) {
          const answer = await rig.engine.facet(name, request);
          assert.equal(answer.values, counted, `${name} ${JSON.stringify(request)}`);
          assert.is(answer.exact, true);
          assert.equal(answer.position, rig.engine.position());
        }
      }
    }
  };
  await check();
  for (let id = 0; id < POINTS; id += 3) points.set(id, payloadOf(random, id));
  const gone = [...points.keys()].filter((id) => id % 5 === 1);
  for (const id of gone) points.delete(id);
  for (const name of ['declared', 'bare']) await rig.remove(name, gone);
  await check();
});

test('who does not ask for exact counts gets what the index holds, and is told so', async (t) => {
  const rig = await twice(t);
  const points = new Map<number, Payload>([
    [1, { mixed: ['x', 7] }],
    [2, { mixed: ['x', true] }],
  ]);
  await putBoth(rig, points);
  const quick = await rig.engine.facet('declared', { path: 'mixed', limit: 10, exact: false });
  assert.equal(
    [quick.values, quick.exact],
    [
      [
        { value: 'x', count: 2 },
        { value: true, count: 1 },
      ],
      false,
    ],
    'the number is of no declared type',
  );
  assert.is((await rig.engine.facet('declared', { path: 'mixed', limit: 10, exact: true })).values.length, 3);
  assert.is((await rig.engine.facet('bare', { path: 'mixed', limit: 10, exact: false })).exact, true, 'rows hold everything');
});

test('a position that was acknowledged is counted at once, and named', async (t) => {
  const rig = await twice(t);
  for (let round = 0; round < 20; round++) {
    const { seq } = await rig.put('declared', [{ id: round, vector: [0, 0], payload: { color: `c${round}` } }]);
    const { values, position } = await rig.engine.facet('declared', { path: 'color', limit: 100, exact: true });
    assert.is(values.length, round + 1);
    assert.is(position.seq, seq);
  }
});

test('values that would be too long an answer are refused, from the index and from rows', async (t) => {
  const rig = await twice(t);
  const long = (id: number): string => `${id}`.padEnd(600_000, 'x');
  await putBoth(rig, new Map(Array.from({ length: 8 }, (_, id) => [id, { color: long(id) }])));
  for (const name of ['declared', 'bare']) {
    const request = { path: 'color', limit: 10, exact: true };
    await rig.engine.facet(name, request).then(
      () => assert.unreachable(),
      (error: SkeinError) => {
        assert.instance(error, SkeinError);
        assert.equal([error.type, error.details['limit_bytes']], ['PayloadTooLarge', FIXED.facetAnswerBytesMax]);
      },
    );
    assert.is((await rig.engine.facet(name, { ...request, limit: 2 })).values.length, 2);
  }
});

test.run();
