/** Search, scroll, count and filters as HTTP_API.md §§4 and 7 promise them, tried from outside. */
import * as assert from 'uvu/assert';
import { COLLECTIONS, float32, invalidAt, outside, refused } from './outside.js';

const { test, call, pack } = outside('acceptance/search');

interface Hit {
  readonly id: string | number;
  readonly score: number;
  readonly version: number;
}
interface Found {
  readonly hits: Hit[];
  readonly complete: boolean;
  readonly mode: string;
  readonly position: string;
}
interface Page {
  readonly points: { readonly id: string | number }[];
  readonly next_cursor: string | null;
}

const POINTS = [
  { id: 1, vector: [1, 0], payload: { k: 1 } },
  { id: 2, vector: [0, 2] },
  { id: '3', vector: [-3, 0] },
  { id: 4, vector: [1, 1] },
];

async function collection(name: string, distance: string, points: object[] = POINTS, dimension = 2): Promise<string> {
  const at = `${COLLECTIONS}/${name}`;
  assert.is((await call('PUT', at, { dimension, distance })).status, 201);
  assert.is((await call('PUT', `${at}/points`, { points })).status, 200);
  return at;
}

const ids = (found: Found): unknown[] => found.hits.map(({ id }) => id);

test('scores, order and thresholds of the three distances, exact and by index', async () => {
  const root2 = Math.SQRT1_2;
  for (const [distance, scores, threshold, within] of [
    ['cosine', { 1: 1, 4: root2, 2: 0, 3: -1 }, 0.5, 2],
    ['dot', { 1: 1, 4: 1, 2: 0, 3: -3 }, 0.5, 2],
    ['euclid', { 1: 0, 4: 1, 2: Math.sqrt(5), 3: 4 }, 1, 2],
  ] as const) {
    const c = await collection(`by-${distance}`, distance);
    for (const exact of [true, false]) {
      const search = (more: object) => call<Found>('POST', `${c}/points/search`, { vector: [1, 0], exact, ...more });
      const { body } = await search({});
      assert.equal(ids(body), [1, 4, 2, '3']);
      for (const { id, score } of body.hits)
        assert.ok(Math.abs(score - scores[id as keyof typeof scores]) < 1e-9, `${distance} ${id}`);
      assert.equal([body.complete, body.mode], [true, exact ? 'exact' : 'vector']);
      assert.is((await search({ score_threshold: threshold })).body.hits.length, within);
      assert.equal(ids((await search({ offset: 1, limit: 2 })).body), [4, 2]);
      assert.equal(ids((await search({ offset: 9 })).body), []);
    }
  }
});

test('an answer has what was asked for and where it was read', async () => {
  const c = await collection('shapes', 'dot');
  const found = await call<Found & Record<string, unknown>>('POST', `${c}/points/search`, { vector: [1, 0], limit: 1 });
  const { position, took_ms, ...rest } = found.body;
  assert.is(position, found.headers['x-skein-position']);
  assert.type(took_ms, 'number');
  const version = found.body.hits[0]?.version;
  assert.equal(rest, {
    hits: [{ id: 1, score: 1, version, payload: { k: 1 } }],
    complete: true,
    mode: 'vector',
    degraded: false,
  });
  const bare = await call<Found>('POST', `${c}/points/search`, {
    vector: [1, 0],
    limit: 1,
    with_payload: false,
    with_vector: true,
  });
  assert.equal(bare.body.hits, [{ id: 1, score: 1, version, vector: [1, 0] }] as unknown as Hit[]);
  const packed = await pack<{ hits: { vector: Buffer }[] }>('POST', `${c}/points/search`, {
    vector: float32(1, 0),
    with_vector: true,
    limit: 1,
  });
  assert.equal(Buffer.from(packed.body.hits[0]?.vector as Buffer), float32(1, 0));
  const explained = await call<{ explain: object }>('POST', `${c}/points/search`, { vector: [1, 0], explain: true });
  const keys = ['advice', 'cardinality', 'engines', 'plan', 'reason', 'rejected', 'steps', 'visited'];
  assert.equal(Object.keys(explained.body.explain).sort(), keys);
});

test('search by id leaves the point out, and an absent id is not found', async () => {
  const c = await collection('byId', 'dot');
  assert.equal(ids((await call<Found>('POST', `${c}/points/search`, { id: 1 })).body), [4, 2, '3']);
  assert.not.ok(ids((await call<Found>('POST', `${c}/points/search`, { id: '3' })).body).includes('3'));
  refused(await call('POST', `${c}/points/search`, { id: '1' }), 404, 'PointNotFound', { id: '1' });
});

test('a bad search is refused with its place', async () => {
  const c = await collection('strict', 'cosine');
  const search = (body: unknown) => call('POST', `${c}/points/search`, body);
  const v = { vector: [1, 0] };
  for (const [body, path] of [
    [{}, ''],
    [{ ...v, id: 1 }, ''],
    [{ vector: 'x' }, 'vector'],
    [{ vector: null }, 'vector'],
    [{ ...v, limit: 0 }, 'limit'],
    [{ ...v, limit: '3' }, 'limit'],
    [{ ...v, offset: -1 }, 'offset'],
    [{ ...v, exact: 'true' }, 'exact'],
    [{ ...v, with_payload: 1 }, 'with_payload'],
    [{ ...v, score_threshold: 'x' }, 'score_threshold'],
    [{ ...v, ef_search: 0 }, 'ef_search'],
    [{ ...v, min_position: 'junk' }, 'min_position'],
    [{ ...v, colour: 1 }, 'colour'],
    [{ id: 1.5 }, 'id'],
    [[], ''],
  ] as const) {
    invalidAt(await search(body), path, JSON.stringify(body));
  }
  for (const [field, value] of Object.entries({ text: 'a house', fusion: { method: 'rrf' }, candidates: 5 })) {
    invalidAt(await search({ ...v, [field]: value }), field);
    invalidAt(
      await call('POST', `${c}/points/search/batch`, { searches: [v, { ...v, [field]: value }] }),
      `searches[1].${field}`,
    );
  }
  for (const over of [{ limit: 10_001 }, { limit: 10_000, offset: 1 }, { ef_search: 10_001 }]) {
    refused(await search({ ...v, ...over }), 400, 'InvalidRequest', { limit: 10_000 });
  }
  assert.is((await search({ ...v, limit: 9_999, offset: 1, ef_search: 10_000 })).status, 200);
  refused(await search({ vector: [1] }), 400, 'DimensionMismatch', { expected: 2, got: 1 });
  refused(await search({ vector: [1, null] }), 400, 'InvalidVector', { component: 1 });
  refused(await search({ vector: [0, 0] }), 400, 'ZeroVector');
  refused(await call('POST', `${COLLECTIONS}/nowhere/points/search`, v), 404, 'CollectionNotFound', { collection: 'nowhere' });
});

test('a batch answers its searches in order, or refuses them all', async () => {
  const c = await collection('batches', 'dot');
  const batch = (searches: unknown) => call<{ results: Found[] }>('POST', `${c}/points/search/batch`, { searches });
  const both = await batch([
    { vector: [1, 0], limit: 1 },
    { id: 2, limit: 1 },
  ]);
  assert.equal(both.body.results.map(ids), [[1], [4]]);
  assert.ok(both.headers['x-skein-position']);
  assert.equal((await batch([])).body.results, []);
  assert.is((await batch(Array(100).fill({ vector: [1, 0] }))).status, 200);
  refused(await batch(Array(101).fill({ vector: [1, 0] })), 400, 'InvalidRequest', { limit: 100 });
  refused(await batch([{ vector: [1, 0] }, { vector: [1] }]), 400, 'DimensionMismatch', { expected: 2, got: 1 });
  refused(await batch([{ vector: [1, 0] }, { id: 'none' }]), 404, 'PointNotFound', { id: 'none' });
  invalidAt(await batch([null]), 'searches[0]');
  invalidAt(await call('POST', `${c}/points/search/batch`, {}), 'searches');
});

test('scroll walks integers by value, then strings bytewise, and stays true while points come and go', async () => {
  const all = [10, 9, '9', 'B', 'a', 'é', 'zz'];
  const c = await collection(
    'scrolled',
    'dot',
    all.map((id) => ({ id, vector: [1, 1] })),
  );
  const page = (body: object) => call<Page>('POST', `${c}/points/scroll`, { with_payload: false, ...body });
  const seen: unknown[] = [];
  let cursor: string | null = null;
  for (let step = 0; step < 10; step++) {
    const { body }: { body: Page } = await page({ limit: 2, ...(cursor === null ? {} : { cursor }) });
    seen.push(...body.points.map(({ id }) => id));
    cursor = body.next_cursor;
    if (cursor === null) break;
    // One behind the cursor, which is not seen any more, and the removal of one that was seen.
    await call('PUT', `${c}/points`, { points: [{ id: step, vector: [1, 1] }] });
    if (step === 1) await call('POST', `${c}/points/delete`, { ids: [10] });
  }
  assert.equal(seen, [9, 10, '9', 'B', 'a', 'zz', 'é']);
  for (const bad of ['junk', '', 5, 'AQEA']) invalidAt(await call('POST', `${c}/points/scroll`, { cursor: bad }), 'cursor');
  for (const limit of [0, -1, null, 1.5]) invalidAt(await page({ limit }), 'limit');
  refused(await page({ limit: 10_001 }), 400, 'InvalidRequest', { limit: 10_000 });
});

const DOCUMENTS = {
  a: {
    k: 'red',
    n: 1,
    t: ['x', 'y'],
    o: { p: 5 },
    d: '2026-01-01T00:00:00Z',
    g: { lat: 52.5, lon: 13.4 },
    b: true,
    w: 'The Quick brown fox',
  },
  b: { k: 'blue', n: 2, t: [], o: { p: '5' }, d: '2026-06-01T00:00:00Z', g: { lat: 48.1, lon: 11.6 }, b: false },
  c: {
    ...{ k: null, n: '1', t: null },
    arr: [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ],
  },
  d: { n: [1, 5], t: [null, 'x'], arr: [{ x: 1, y: 4 }] },
  e: {},
};

test('every kind of condition has its settled meaning, in scroll, count and delete alike', async () => {
  const points = Object.entries(DOCUMENTS).map(([id, payload]) => ({ id, vector: [1], payload }));
  const c = await collection('filtered', 'dot', points, 1);
  const berlin = { lat: 52.5, lon: 13.4 };
  const x1y4 = [
    { key: 'x', match: { value: 1 } },
    { key: 'y', match: { value: 4 } },
  ];
  for (const [condition, matching] of [
    [{ key: 'k', match: { value: 'red' } }, 'a'],
    [{ key: 'n', match: { value: 1 } }, 'ad'],
    [{ key: 'n', match: { value: '1' } }, 'c'],
    [{ key: 'b', match: { value: true } }, 'a'],
    [{ key: 'b', match: { value: 1 } }, ''],
    [{ key: 'o.p', match: { value: 5 } }, 'a'],
    [{ key: 'n', match: { any: [1, 2] } }, 'abd'],
    [{ key: 'n', match: { any: [] } }, ''],
    [{ key: 'n', match: { except: [1] } }, 'bcd'],
    [{ key: 'k', match: { except: ['red'] } }, 'b'],
    [{ key: 't', match: { except: ['x'] } }, 'a'],
    [{ key: 'w', match: { text: 'quick FOX' } }, 'a'],
    [{ key: 'w', match: { text: 'qui' } }, ''],
    [{ key: 'n', range: { gt: 1 } }, 'bd'],
    [{ key: 'n', range: { gte: 1, lte: 1 } }, 'ad'],
    [{ key: 'd', range: { gte: '2026-03-01T00:00:00Z' } }, 'b'],
    [{ key: 'd', range: { lt: '2026-01-01T01:00:00+02:00' } }, ''],
    [{ key: 'g', geo_radius: { center: berlin, radius_m: 1_000 } }, 'a'],
    [{ key: 'g', geo_radius: { center: berlin, radius_m: 1_000_000 } }, 'ab'],
    [{ key: 'g', geo_box: { top_left: { lat: 53, lon: 13 }, bottom_right: { lat: 52, lon: 14 } } }, 'a'],
    [{ key: 'g', geo_box: { top_left: { lat: 90, lon: 170 }, bottom_right: { lat: -90, lon: 12 } } }, 'b'],
    [{ key: 'k', exists: true }, 'abc'],
    [{ key: 'k', exists: false }, 'de'],
    [{ key: 'arr.x', exists: true }, 'cd'],
    [{ key: 'k', is_null: true }, 'c'],
    [{ key: 't', is_null: true }, 'cd'],
    [{ key: 'k', is_null: false }, 'abde'],
    [{ key: 't', values_count: { gte: 1 } }, 'ad'],
    [{ key: 't', values_count: { lte: 0 } }, 'bce'],
    [{ key: 'k', values_count: { gt: 0 } }, 'ab'],
    [{ nested: { key: 'arr', filter: { must: x1y4 } } }, 'd'],
    [{ must: x1y4.map((test) => ({ ...test, key: `arr.${test.key}` })) }, 'cd'],
    [{ has_id: ['a', 'e', 7] }, 'ae'],
    [{ has_id: [] }, ''],
    [{ must_not: [{ key: 'k', exists: true }] }, 'de'],
    [{ should: [{ key: 'k', match: { value: 'red' } }, { has_id: ['e'] }] }, 'ae'],
    [
      {
        min_should: {
          conditions: [{ key: 'n', match: { value: 1 } }, { key: 'b', exists: true }, { has_id: ['d'] }],
          min_count: 2,
        },
      },
      'ad',
    ],
    [{ must: [{ key: 'n', exists: true }], must_not: [{ key: 'k', exists: true }] }, 'd'],
    [{ key: '__proto__', exists: true }, ''],
    [{ key: 't.length', exists: true }, ''],
  ] as const) {
    const filter = { must: [condition] };
    const name = JSON.stringify(condition);
    const { body } = await call<Page>('POST', `${c}/points/scroll`, { filter });
    assert.is(body.points?.map(({ id }) => id).join(''), matching, name);
    assert.equal((await pack<object>('POST', `${c}/points/count`, { filter })).body, { count: matching.length }, name);
  }
  for (const filter of [{}, { must: [] }, { should: [] }, { must_not: [] }]) {
    assert.equal((await call<object>('POST', `${c}/points/count`, { filter })).body, { count: 5 });
  }
  const deleted = await call<{ deleted: number }>('POST', `${c}/points/delete`, {
    filter: { must: [{ key: 'n', range: { gt: 1 } }] },
  });
  assert.is(deleted.body.deleted, 2);
  assert.equal((await call<object>('POST', `${c}/points/count`, {})).body, { count: 3 });
});

test('a malformed filter is InvalidFilter with the path inside it, and deletes nothing', async () => {
  const c = await collection('malformed', 'dot');
  let deep: object = { has_id: [1] };
  for (let depth = 0; depth < 28; depth++) deep = { must: [deep] };
  for (const [filter, path] of [
    [{ must: [{ key: 'k' }] }, 'must[0]'],
    [{ must: [{}] }, 'must[0]'],
    [{ must: [null] }, 'must[0]'],
    [{ must: { key: 'k' } }, 'must'],
    [{ must: [{ match: { value: 1 } }] }, 'must[0].key'],
    [{ must: [{ key: 'k', match: {} }] }, 'must[0].match'],
    [{ must: [{ key: 'k', match: { value: 1, any: [1] } }] }, 'must[0].match'],
    [{ must: [{ key: 'k', range: {} }] }, 'must[0].range'],
    [{ must: [{ key: 'k', range: { gt: 'x' } }] }, 'must[0].range.gt'],
    [{ must: [{ key: 'k', range: { over: 1 } }] }, 'must[0].range.over'],
    [{ must: [{ key: 't', values_count: { range: { gt: 0 } } }] }, 'must[0].values_count.range'],
    [{ must: [{ key: 'k', exists: 1 }] }, 'must[0].exists'],
    [{ must: [{ key: 'a..b', exists: true }] }, 'must[0].key'],
    [{ must: [{ key: 'g', geo_radius: { center: { lat: 95, lon: 0 }, radius_m: 1 } }] }, 'must[0].geo_radius.center.lat'],
    [{ must: [{ nested: { key: 'arr', filter: { must: [{ odd: 1 }] } } }] }, 'must[0].nested.filter.must[0].odd'],
    [{ must: [{ has_id: [1.5] }] }, 'must[0].has_id[0]'],
    [{ min_should: { conditions: [] } }, 'min_should.min_count'],
    [{ odd: [] }, 'odd'],
    [[], ''],
    ['x', ''],
  ] as const) {
    for (const route of ['scroll', 'count', 'delete']) {
      refused(await call('POST', `${c}/points/${route}`, { filter }), 400, 'InvalidFilter', { path }, JSON.stringify(filter));
    }
  }
  refused(await call('POST', `${c}/points/count`, { filter: deep }), 400, 'InvalidFilter');
  assert.equal((await call<object>('POST', `${c}/points/count`, {})).body, { count: POINTS.length });
});

test.run();
