/** Routes of search. */

import * as assert from 'uvu/assert';
import { floatBytes, floatsOf } from '../../src/codec/msgpack.js';
import type { SearchAnswer, SearchRequest } from '../../src/engine/engine.js';
import { type Answer, startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/routes/search');
const SEARCH = '/v1/collections/c/points/search';

async function withPoints(t: TestContext): Promise<TestHttp> {
  const http = await startHttp(t);
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  const points = Array.from({ length: 20 }, (_, id) => ({ id, vector: [id, 0], payload: { id } }));
  await http.ask('PUT', '/v1/collections/c/points', { points });
  return http;
}

function lastOf<Item>(items: readonly Item[]): Item {
  const last = items.at(-1);
  if (last === undefined) throw new Error('there is none');
  return last;
}

const issue = ({ status, body }: Answer): string => {
  assert.equal([status, body.error.type], [400, 'InvalidRequest'], JSON.stringify(body));
  return body.error.details.issues[0].path;
};

test('a search answers the nearest points with scores, versions and payloads', async (t) => {
  const { ask } = await withPoints(t);
  const { body, headers } = await ask('POST', SEARCH, { vector: [3.2, 0], limit: 2 });
  assert.equal(
    body.hits.map((hit: { id: number; score: number }) => [hit.id, Math.round(hit.score * 1000)]),
    [
      [3, 200],
      [4, 800],
    ],
  );
  assert.equal([body.hits[0].version, body.hits[0].payload, body.hits[0].vector], [2, { id: 3 }, undefined]);
  assert.equal([body.complete, body.mode, body.degraded, body.took_ms], [true, 'exact', false, 0.25]);
  assert.is(headers.get('x-skein-position'), body.position);
  assert.is((await ask('POST', SEARCH, { vector: [0, 0] })).body.hits.length, 10);
});

test('offset, threshold, selection and search by id', async (t) => {
  const { ask } = await withPoints(t);
  const ids = (answer: Answer): number[] => answer.body.hits.map((hit: { id: number }) => hit.id);
  assert.equal(ids(await ask('POST', SEARCH, { vector: [0, 0], limit: 2, offset: 3 })), [3, 4]);
  assert.equal(ids(await ask('POST', SEARCH, { vector: [0, 0], score_threshold: 1 })), [0, 1]);
  assert.equal(ids(await ask('POST', SEARCH, { id: 0, limit: 2 })), [1, 2]);
  const bare = await ask('POST', SEARCH, { vector: [0, 0], limit: 1, with_payload: false, with_vector: true });
  assert.equal(bare.body.hits, [{ id: 0, score: 0, version: 2, vector: [0, 0] }]);
});

test('an explanation comes when asked for', async (t) => {
  const { ask } = await withPoints(t);
  const { body } = await ask('POST', SEARCH, { vector: [0, 0], explain: true });
  assert.equal(body.explain.steps, [{ name: 'scan', took_ms: 0.25 }]);
  assert.equal(Object.keys(body.explain).sort(), [
    'advice',
    'cardinality',
    'engines',
    'plan',
    'reason',
    'rejected',
    'steps',
    'visited',
  ]);
  assert.is((await ask('POST', SEARCH, { vector: [0, 0] })).body.explain, undefined);
});

test('an incomplete answer says why', async (t) => {
  const { ask, engine } = await withPoints(t);
  const answer: SearchAnswer = {
    hits: [],
    complete: false,
    incompleteReason: 'half is gone',
    mode: 'hybrid',
    degraded: true,
    tookMs: 1,
    position: engine.position(),
  };
  engine.search = async () => answer;
  const { body } = await ask('POST', SEARCH, { vector: [0, 0] });
  assert.equal([body.complete, body.incomplete_reason, body.mode, body.degraded], [false, 'half is gone', 'hybrid', true]);
});

test('requests that make no sense are refused by their place', async (t) => {
  const { ask } = await withPoints(t);
  const vector = [0, 0];
  for (const [body, path] of [
    [{}, ''],
    [{ vector, id: 1 }, ''],
    [{ vector, id: 1, text: 'x' }, ''],
    [{ vector, fusion: {} }, 'fusion'],
    [{ text: 'x', fusion: { method: 'rrf' } }, 'fusion'],
    [{ text: 'x', candidates: 5 }, 'candidates'],
    [{ vector, text: '' }, 'text'],
    [{ vector, text: 'x'.repeat(10_001) }, 'text'],
    [{ vector, text: 7 }, 'text'],
    [{ vector, text: 'x', fusion: { method: 'sum' } }, 'fusion.method'],
    [{ vector, text: 'x', fusion: { rrf_k: 0 } }, 'fusion.rrf_k'],
    [{ vector, text: 'x', fusion: { weights: { vector: -1 } } }, 'fusion.weights.vector'],
    [{ vector, text: 'x', fusion: { weights: { vector: 0, text: 0 } } }, 'fusion.weights'],
    [{ vector, text: 'x', fusion: { weights: { words: 1 } } }, 'fusion.weights.words'],
    [{ vector, text: 'x', candidates: 0 }, 'candidates'],
    [{ vector, text: 'x', candidates: 10_001 }, 'candidates'],
    [{ vector, cache: 1 }, 'cache'],
    [{ vector, timeout_ms: 0 }, 'timeout_ms'],
    [{ vector, timeout_ms: 60_001 }, 'timeout_ms'],
    [{ vector: 'x' }, 'vector'],
    [{ vector, limit: 0 }, 'limit'],
    [{ vector, limit: 10_001 }, 'limit'],
    [{ vector, limit: 9_000, offset: 2_000 }, 'limit'],
    [{ vector, offset: -1 }, 'offset'],
    [{ vector, ef_search: 10_001 }, 'ef_search'],
    [{ vector, limit: '3' }, 'limit'],
    [{ vector, k: 3 }, 'k'],
    [{ vector, with_payload: ['a'] }, 'with_payload'],
    [{ id: -1 }, 'id'],
  ] as const) {
    assert.is(issue(await ask('POST', SEARCH, body)), path, JSON.stringify(body));
  }
  const limits = await ask('POST', SEARCH, { vector, limit: 10_001 });
  assert.is(limits.body.error.details.limit, 10_000);
});

test('bad vectors have their own errors', async (t) => {
  const { ask, askPacked } = await withPoints(t);
  const bad = await ask('POST', SEARCH, { vector: [1, 'x'] });
  assert.equal([bad.body.error.type, bad.body.error.details.component], ['InvalidVector', 1]);
  const wide = await ask('POST', SEARCH, { vector: [1, 2, 3] });
  assert.equal(
    [wide.body.error.type, wide.body.error.details.expected, wide.body.error.details.got],
    ['DimensionMismatch', 2, 3],
  );
  const wider = await ask('POST', SEARCH, { vector: new Array(70_000).fill(1) });
  assert.equal([wider.status, wider.body.error.type, wider.body.error.details.got], [400, 'DimensionMismatch', 70_000]);
  const infinite = await askPacked('POST', SEARCH, { vector: floatBytes(Float32Array.from([1, Number.POSITIVE_INFINITY])) });
  assert.equal([infinite.status, infinite.body.error.type], [400, 'InvalidVector']);
});

test('a search that cannot be run is named by its place, in a batch too', async (t) => {
  const { ask } = await withPoints(t);
  const place = ({ status, body }: Answer): unknown => [status, body.error.type, body.error.details.path];
  assert.equal(place(await ask('POST', SEARCH, { vector: [1] })), [400, 'DimensionMismatch', 'vector']);
  assert.equal(place(await ask('POST', SEARCH, { id: 'none' })), [404, 'PointNotFound', 'id']);
  const batch = (second: object): Promise<Answer> => ask('POST', `${SEARCH}/batch`, { searches: [{ vector: [0, 0] }, second] });
  assert.equal(place(await batch({ vector: [1] })), [400, 'DimensionMismatch', 'searches[1].vector']);
  const missing = await batch({ id: 'none' });
  assert.equal([...(place(missing) as []), missing.body.error.details.id], [404, 'PointNotFound', 'searches[1].id', 'none']);
});

test('filter, text and how both are joined reach the engine with their defaults', async (t) => {
  const { ask, engine } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid', text_fields: ['t'] });
  const asked = async (body: object): Promise<Partial<SearchRequest>> => {
    assert.is((await ask('POST', SEARCH, body)).status, 200, JSON.stringify(body));
    const { limit: _l, offset: _o, exact: _e, explain: _x, withPayload: _p, withVector: _v, ...rest } = lastOf(engine.searches);
    return rest;
  };
  const usual = { fusion: { method: 'rrf', rrfK: 60, weights: { vector: 1, text: 1 } }, cache: true };
  assert.equal(await asked({ text: 'a house' }), { text: 'a house', ...usual });
  assert.equal(await asked({ vector: [1, 2], filter: { must: [{ key: 'a', match: { value: 1 } }] } }), {
    vector: Float32Array.of(1, 2),
    filter: { must: [{ kind: 'match_value', key: 'a', value: 1 }] },
    ...usual,
  });
  const fusion = { method: 'weighted', rrf_k: 7, weights: { text: 0 } };
  assert.equal(await asked({ text: 'x', vector: [1, 2], fusion, candidates: 300, cache: false, timeout_ms: 50 }), {
    vector: Float32Array.of(1, 2),
    text: 'x',
    fusion: { method: 'weighted', rrfK: 7, weights: { vector: 1, text: 0 } },
    candidates: 300,
    cache: false,
    timeoutMs: 50,
  });
  await ask('PUT', '/v1/collections/c/points', { points: [{ id: 1, vector: [0, 0] }] });
  assert.equal(await asked({ text: 'x', id: 1, fusion: {} }), { id: 1, text: 'x', ...usual });
});

test('a filter cuts the hits, and its mistakes are named by their place in the filter, in a batch by the search too', async (t) => {
  const { ask } = await withPoints(t);
  const filter = { must: [{ key: 'id', range: { gte: 5, lt: 7 } }] };
  const { body } = await ask('POST', SEARCH, { vector: [0, 0], filter });
  assert.equal(
    body.hits.map((hit: { id: number }) => hit.id),
    [5, 6],
  );
  const place = ({ status, body: { error } }: Answer): unknown => [status, error.type, error.details.path];
  const bad = { must: [{ key: 'a', range: { gt: 'x' } }] };
  const one = (wrong: object): Promise<Answer> => ask('POST', SEARCH, { vector: [0, 0], filter: wrong });
  assert.equal(place(await one(bad)), [400, 'InvalidFilter', 'must[0].range.gt']);
  assert.equal(place(await one([])), [400, 'InvalidFilter', '']);
  const second = (wrong: object): Promise<Answer> =>
    ask('POST', `${SEARCH}/batch`, { searches: [{ vector: [0, 0] }, { vector: [0, 0], filter: wrong }] });
  assert.equal(place(await second(bad)), [400, 'InvalidFilter', 'searches[1].filter.must[0].range.gt']);
  assert.equal(place(await second([])), [400, 'InvalidFilter', 'searches[1].filter']);
});

test('a text where there are no text fields is refused by the place of its search', async (t) => {
  const { ask } = await withPoints(t);
  const answer = await ask('POST', SEARCH, { text: 'a house' });
  assert.is(issue(answer), 'text');
  assert.match(answer.body.error.message, 'text_fields');
  const batch = await ask('POST', `${SEARCH}/batch`, { searches: [{ vector: [0, 0] }, { text: 'a house' }] });
  assert.is(issue(batch), 'searches[1].text');
  assert.match(batch.body.error.message, 'text_fields');
});

test('a batch answers each search in its place', async (t) => {
  const { ask } = await withPoints(t);
  const { body } = await ask('POST', `${SEARCH}/batch`, {
    searches: [
      { vector: [5, 0], limit: 1 },
      { id: 0, limit: 1 },
    ],
  });
  assert.equal(
    body.results.map((result: { hits: { id: number }[] }) => result.hits[0]?.id),
    [5, 1],
  );
  assert.equal((await ask('POST', `${SEARCH}/batch`, { searches: [] })).body, { results: [] });
  assert.is(
    issue(await ask('POST', `${SEARCH}/batch`, { searches: [{ id: 1 }, { vector: [0, 0], limit: 0 }] })),
    'searches[1].limit',
  );
  assert.is(issue(await ask('POST', `${SEARCH}/batch`, { searches: [{ vector: [0, 0], fusion: {} }] })), 'searches[0].fusion');
  assert.is(issue(await ask('POST', `${SEARCH}/batch`, { searches: new Array(101).fill({ id: 1 }) })), 'searches');
  assert.is(issue(await ask('POST', `${SEARCH}/batch`, { queries: [] })), 'queries');
});

test('MessagePack searches by bytes and answers in bytes', async (t) => {
  const { askPacked } = await withPoints(t);
  const { body } = await askPacked('POST', SEARCH, {
    vector: floatBytes(Float32Array.from([2, 0])),
    limit: 1,
    with_vector: true,
  });
  assert.equal([body.hits[0].id, body.hits[0].payload, [...floatsOf(body.hits[0].vector)]], [2, { id: 2 }, [2, 0]]);
  assert.is(body.position.length > 20, true);
});

test('a long answer comes whole, in both forms', async (t) => {
  const { ask, askPacked, engine } = await withPoints(t);
  const payload = Buffer.from(JSON.stringify({ text: 'é'.repeat(5_000) }));
  const vector = Float32Array.from({ length: 500 }, (_, i) => i / 7);
  const hits = Array.from({ length: 500 }, (_, id) => ({ id, score: id, version: 1, payload, vector }));
  engine.search = async () => ({ hits, complete: true, mode: 'vector', degraded: false, tookMs: 1, position: engine.position() });
  const text = await ask('POST', SEARCH, { vector: [0, 0] });
  assert.is(text.headers.get('content-length'), null, 'in slices');
  assert.is(text.body.hits.length, 500);
  assert.equal(text.body.hits[499].vector.map(Math.fround), [...vector]);
  assert.is(text.body.hits[499].payload.text.length, 5_000);
  const packed = await askPacked('POST', SEARCH, { vector: [0, 0] });
  assert.is(packed.body.hits.length, 500);
  assert.equal([...floatsOf(packed.body.hits[499].vector)], [...vector]);
});

test.run();
