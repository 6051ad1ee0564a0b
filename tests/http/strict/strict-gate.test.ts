/** The strict mode of a collection over HTTP: one case for each limit, on every route that it is about; what is within goes on. */

import * as assert from 'uvu/assert';
import { STRICT_SETTINGS, strictName } from '../../../src/model/strict-mode.js';
import { startHttp, type TestHttp, type TestHttpOptions } from '../../support/http-server.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/strict/strict-gate');
const PATH = '/v1/collections/films';
const VECTOR = [1, 2];

interface Strict extends TestHttp {
  /** @returns `setting path`, or the status where it was not the strict mode that refused */
  refusal(method: string, path: string, body?: unknown): Promise<string>;
}

async function strict(t: TestContext, mode: object, more: object = {}, options: TestHttpOptions = {}): Promise<Strict> {
  const http = await startHttp(t, options);
  const body = { dimension: 2, distance: 'dot', strict_mode: { enabled: true, ...mode }, ...more };
  assert.is((await http.ask('PUT', PATH, body)).status, 201);
  assert.is((await http.ask('PUT', '/v1/aliases/movies', { collection: 'films' })).status, 200);
  const refusal: Strict['refusal'] = async (method, path, asked) => {
    const answer = await http.ask(method, `${PATH}/points${path}`, asked);
    const { type, details } = answer.body.error ?? {};
    if (answer.status === 429) return `${type} ${details.strict_mode} ${details.limit}`;
    if (type !== 'InvalidRequest' || details.strict_mode === undefined) return String(answer.status);
    assert.match(answer.body.error.message, details.strict_mode);
    return `${details.strict_mode} ${details.issues[0].path}`;
  };
  return { ...http, refusal };
}

const points = (count: number) => ({ points: Array.from({ length: count }, (_, id) => ({ id, vector: VECTOR })) });
const key = (name: string, value: unknown = 'x') => ({ key: name, match: { value } });

test('max_query_limit is about searches, pages, facets and groups, and about what nobody said too', async (t) => {
  const { refusal } = await strict(t, { max_query_limit: 5 });
  const said = 'max_query_limit limit';
  assert.is(await refusal('POST', '/search', { vector: VECTOR, limit: 5 }), '200');
  assert.is(await refusal('POST', '/search', { vector: VECTOR, limit: 6 }), said);
  assert.is(await refusal('POST', '/search', { vector: VECTOR }), said, 'ten, when nobody says');
  assert.is(await refusal('POST', '/scroll', { limit: 6 }), said);
  assert.is(await refusal('POST', '/facet', { key: 'a', limit: 6 }), said);
  assert.is(await refusal('POST', '/search/groups', { vector: VECTOR, group_by: 'a', limit: 6 }), said);
  assert.is(await refusal('POST', '/recommend', { positive: [VECTOR], limit: 6 }), said);
  const searches = [
    { vector: VECTOR, limit: 5 },
    { vector: VECTOR, limit: 6 },
  ];
  assert.is(await refusal('POST', '/search/batch', { searches }), 'max_query_limit searches[1].limit');
});

test('search_max_hnsw_ef, search_allow_exact and max_timeout', async (t) => {
  const { refusal, ask } = await strict(t, { search_max_hnsw_ef: 100, search_allow_exact: false, max_timeout: 2 });
  const search = (more: object) => refusal('POST', '/search', { vector: VECTOR, ...more });
  assert.is(await search({ ef_search: 100, timeout_ms: 2_000 }), '200');
  assert.is(await search({ ef_search: 101 }), 'search_max_hnsw_ef ef_search');
  assert.is(await search({ exact: true }), 'search_allow_exact exact');
  assert.is(await search({ timeout_ms: 2_001 }), 'max_timeout timeout_ms');
  const measured = await ask('POST', `${PATH}/recall`, {});
  assert.is(measured.body.error.details.strict_mode, 'search_allow_exact', 'recall is measured against exact search');
  assert.is(await refusal('PUT', '?timeout_ms=2001', points(1)), 'max_timeout timeout_ms');
  assert.is(await refusal('PUT', '?timeout_ms=2000', points(1)), '200');
  const batch = { operations: [{ upsert: { collection: 'movies', ...points(1) } }] };
  const late = await ask('POST', '/v1/batch?timeout_ms=2001', batch);
  assert.equal([late.status, late.body.error.details.strict_mode], [400, 'max_timeout']);
  assert.is((await ask('POST', '/v1/batch?timeout_ms=2000', batch)).status, 200);
});

test('search_max_batchsize and upsert_max_batchsize', async (t) => {
  const { refusal, ask, send, engine } = await strict(t, { search_max_batchsize: 2, upsert_max_batchsize: 3 });
  const searches = (count: number) => ({ searches: Array.from({ length: count }, () => ({ vector: VECTOR })) });
  assert.is(await refusal('POST', '/search/batch', searches(2)), '200');
  assert.is(await refusal('POST', '/search/batch', searches(3)), 'search_max_batchsize searches');
  assert.is(await refusal('PUT', '', points(3)), '200');
  assert.is(await refusal('PUT', '', points(4)), 'upsert_max_batchsize points');
  assert.is(await refusal('PATCH', '', points(4)), 'upsert_max_batchsize points');
  const batch = { operations: [{ upsert: { collection: 'movies', ...points(4) } }] };
  const answer = await ask('POST', '/v1/batch', batch);
  assert.equal(answer.body.error.details.issues[0].path, 'operations[0].upsert.points', 'by an alias as well');
  const lines = points(7)
    .points.map((point) => JSON.stringify(point))
    .join('\n');
  const before = engine.writes.length;
  const imported = await send('POST', `${PATH}/points/import`, lines, { 'content-type': 'application/x-ndjson' });
  assert.is(imported.status, 200);
  const sizes = engine.writes
    .slice(before)
    .map(({ operations: [first] }) => (first?.kind === 'upsert' ? first.points.ids.length : 0));
  assert.equal(sizes, [3, 3, 1], 'an import writes as much at once as is allowed');
});

test('unindexed filters are refused for reads, and for deletes, each by its own setting', async (t) => {
  const payload_indexes = [
    { path: 'word', type: 'keyword' },
    { path: 'year', type: 'integer' },
    { path: 'deep.flag', type: 'bool' },
    { path: 'at', type: 'datetime' },
  ];
  const { refusal } = await strict(t, { unindexed_filtering_retrieve: false }, { payload_indexes });
  const count = (condition: object) => refusal('POST', '/count', { filter: { must: [condition] } });
  const indexed = [
    key('word'),
    key('year', 7),
    key('deep.flag', true),
    key('word', true),
    { key: 'year', range: { gt: 1.5 } },
    { key: 'at', range: { gt: '2026-01-01T00:00:00Z' } },
    { key: 'word', match: { any: ['a', 'b'] } },
    { key: 'at', exists: true },
    { has_id: [1] },
    { nested: { key: 'deep', filter: { must: [key('flag', false)] } } },
  ];
  for (const condition of indexed) assert.is(await count(condition), '200', JSON.stringify(condition));
  const unindexed = [
    key('other'),
    key('word', 7),
    key('year', 'x'),
    { key: 'word', match: { any: ['a', 7] } },
    { key: 'year', range: { gt: '2026-01-01T00:00:00Z' } },
    { key: 'word', match: { text: 'a' } },
    { key: 'place', geo_radius: { center: { lat: 1, lon: 1 }, radius_m: 1 } },
    { must: [{ should: [key('other')] }] },
    { nested: { key: 'other', filter: { must: [key('flag', false)] } } },
  ];
  for (const condition of unindexed)
    assert.is(await count(condition), 'unindexed_filtering_retrieve filter', JSON.stringify(condition));
  const filter = { must: [key('other')] };
  assert.is(await refusal('POST', '/search', { vector: VECTOR, filter }), 'unindexed_filtering_retrieve filter');
  assert.is(await refusal('POST', '/scroll', { filter }), 'unindexed_filtering_retrieve filter');
  assert.is(await refusal('POST', '/facet', { key: 'other' }), 'unindexed_filtering_retrieve key');
  assert.is(await refusal('POST', '/facet', { key: 'word' }), '200');
  assert.is(await refusal('POST', '/delete', { filter }), '200', 'deletes have a setting of their own');

  const other = await strict(t, { unindexed_filtering_update: false });
  assert.is(await other.refusal('POST', '/delete', { filter }), 'unindexed_filtering_update filter');
  assert.is(await other.refusal('POST', '/delete', { ids: [1] }), '200');
  assert.is(await other.refusal('POST', '/count', { filter }), '200');
});

test('filter_max_conditions and condition_max_size', async (t) => {
  const { refusal } = await strict(t, { filter_max_conditions: 2, condition_max_size: 3 });
  const count = (filter: object) => refusal('POST', '/count', { filter });
  assert.is(await count({ must: [key('a')], must_not: [key('b')] }), '200');
  assert.is(await count({ must: [key('a'), { should: [key('b'), key('c')] }] }), 'filter_max_conditions filter');
  assert.is(await count({ must: [{ key: 'a', match: { any: ['1', '2', '3'] } }] }), '200');
  assert.is(await count({ must: [{ key: 'a', match: { any: ['1', '2', '3', '4'] } }] }), 'condition_max_size filter');
  assert.is(await count({ must: [{ has_id: [1, 2, 3, 4] }] }), 'condition_max_size filter');
  assert.is(await refusal('POST', '/delete', { filter: { must: [{ has_id: [1, 2, 3, 4] }] } }), 'condition_max_size filter');
});

test('read_rate_limit and write_rate_limit count operations by the minute, each collection and kind by itself', async (t) => {
  let nowMs = 1_000_000;
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const { refusal, ask } = await strict(t, { read_rate_limit: 3, write_rate_limit: 2 }, {}, { clock });
  const search = { vector: VECTOR };
  const searches = (count: number) => ({ searches: Array.from({ length: count }, () => search) });
  assert.is(await refusal('POST', '/search/batch', searches(2)), '200');
  assert.is(await refusal('GET', '/7'), '404');
  assert.is(await refusal('POST', '/search', search), 'RateLimited read_rate_limit 3');
  const again = await ask('POST', `/v1/collections/movies/points/search`, search);
  assert.equal([again.status, again.headers.get('retry-after')], [429, '20'], 'an alias is no way around');
  assert.is(await refusal('POST', '/search/batch', searches(4)), 'RateLimited read_rate_limit 3');
  assert.is(await refusal('PUT', '', points(1)), '200');
  assert.is(await refusal('POST', '/delete', { ids: [1] }), '200');
  assert.is(await refusal('PUT', '', points(1)), 'RateLimited write_rate_limit 2');
  nowMs += 20_000;
  assert.is(await refusal('POST', '/search', search), '200');
  nowMs += 60_000;
  assert.is(await refusal('POST', '/search/batch', searches(5)), 'read_rate_limit ', 'more than a minute has is never done');
  nowMs += 60_000;
  assert.is(await refusal('POST', '/search/batch', searches(4)), 'read_rate_limit ', 'nor by one more, however long one waits');
  nowMs += 60_000;
  assert.is(await refusal('POST', '/search/batch', searches(3)), '200', 'all of a minute at once');
  const operations = [0, 1, 2].map((id) => ({ delete: { collection: 'films', ids: [id] } }));
  const batch = await ask('POST', '/v1/batch', { operations });
  assert.equal([batch.status, batch.body.error.details.strict_mode], [400, 'write_rate_limit']);
  await ask('PUT', '/v1/collections/books', { dimension: 2, distance: 'dot' });
  assert.is((await ask('POST', '/v1/collections/books/points/search', search)).status, 200);
});

test('a strict mode is set, changed in parts, switched off, taken away, and shown', async (t) => {
  const { ask, refusal } = await strict(t, { max_query_limit: 5 });
  const change = async (strict_mode: unknown) => ask('PATCH', PATH, { strict_mode });
  const shown = (await ask('GET', PATH)).body.strict_mode;
  assert.equal(Object.keys(shown), ['enabled', ...STRICT_SETTINGS.map(strictName)]);
  assert.equal([shown.enabled, shown.max_query_limit, shown.max_timeout], [true, 5, null]);
  const more = (await change({ max_timeout: 9, max_query_limit: null })).body.strict_mode;
  assert.equal([more.enabled, more.max_query_limit, more.max_timeout], [true, null, 9]);
  assert.is(await refusal('POST', '/search', { vector: VECTOR, timeout_ms: 10_000 }), 'max_timeout timeout_ms');
  await change({ enabled: false });
  assert.is(await refusal('POST', '/search', { vector: VECTOR, timeout_ms: 10_000 }), '200');
  assert.is((await change(null)).body.strict_mode, undefined, 'shown where there is one');
  const silent = await change({ max_timeout: 9 });
  assert.equal([silent.status, silent.body.error.details.issues[0].path], [400, 'strict_mode.enabled']);
  for (const bad of [{ enabled: true, max_query_limit: 0 }, { enabled: true, max_qwery_limit: 1 }, { enabled: 'yes' }, 7])
    assert.is((await change(bad)).status, 400, JSON.stringify(bad));
  assert.is((await ask('PUT', '/v1/collections/d', { dimension: 2, distance: 'dot', strict_mode: {} })).status, 400);
});

test.run();
