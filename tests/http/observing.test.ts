/** Slow queries, the level of the log, and errors as the routes show and steer them. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp, type TestHttpOptions } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/observing');
const SEARCH = '/v1/collections/c/points/search';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

async function withPoints(t: TestContext, options: TestHttpOptions = {}): Promise<TestHttp> {
  // As slow as any request is: the least that a clock can tell apart.
  const http = await startHttp(t, { slowQueries: { thresholdMs: 0.000_001 }, ...options });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  await http.ask('PUT', '/v1/collections/c/points', { points: [{ id: 1, vector: [1, 2], payload: { price: 7 } }] });
  return http;
}

interface Shown {
  readonly route: string;
  readonly asked: Record<string, unknown> | null;
  readonly found: Record<string, unknown> | null;
  readonly [field: string]: unknown;
}

async function slowest(http: TestHttp): Promise<Shown> {
  const { body } = await http.ask('GET', '/v1/slow-queries?limit=1');
  return body.slow_queries[0];
}

test('a slow search shows what it asked for by shape, and what came of it', async (t) => {
  const http = await withPoints(t);
  const filter = {
    must: [
      { key: 'price', range: { gte: 5, lt: 9 } },
      { key: 'brand', match: { any: ['private-a', 'private-b'] } },
    ],
  };
  const headers = { 'x-request-id': 'slow-1', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
  const answer = await http.ask('POST', SEARCH, { vector: [1, 1], limit: 3, filter }, headers);
  assert.is(answer.status, 200);
  const query = await slowest(http);
  assert.is(query.route, '/v1/collections/:collection/points/search');
  assert.is(query['collection'], 'c');
  assert.is(query['status'], 200);
  assert.is(query['request_id'], 'slow-1');
  assert.is(query['trace_id'], TRACE);
  assert.ok(Number(query['duration_ms']) > 0);
  assert.equal(query.asked, {
    vector: 2,
    limit: 3,
    with_payload: true,
    with_vector: false,
    filter: 'must(range price gte lt, match any 2 brand)',
  });
  assert.is(query.found?.['hits'], 0);
  assert.is(query.found?.['complete'], true);
  const line = http.log.find(({ event, fields }) => event === 'slow_query' && fields['request_id'] !== undefined);
  assert.is(line?.level, 'warn');
  assert.not.match(JSON.stringify([query, http.log]), 'private');
});

test('texts and values are kept only where the operator wants them', async (t) => {
  const http = await withPoints(t, { slowQueries: { thresholdMs: 0.000_001, withContent: true } });
  const filter = { must: [{ key: 'brand', match: { value: 'shown' } }] };
  await http.ask('POST', '/v1/collections/c/points/count', { filter });
  const query = await slowest(http);
  assert.is(query.asked?.['filter'], 'must(match brand)');
  assert.match(String(query.asked?.['filter_content']), 'shown');
});

test('every route that asks for points or changes them is watched, and failures with their type', async (t) => {
  const http = await withPoints(t);
  const body = { vector: [1, 1] };
  await http.ask('POST', `${SEARCH}/batch`, { searches: [body, body] });
  await http.ask('POST', '/v1/collections/c/points/scroll', {});
  await http.ask('POST', '/v1/collections/c/points/get', { ids: [1, 2] });
  await http.ask('GET', '/v1/collections/c/points/1');
  await http.ask('POST', '/v1/collections/c/points/delete', { ids: [1] });
  await http.ask('POST', '/v1/collections/missing/points/search', body);
  await http.ask('GET', '/health/live');
  const { body: answer } = await http.ask('GET', '/v1/slow-queries');
  const shown = (answer.slow_queries as Shown[]).map(({ method, route, status, error_type, asked }) => {
    const path = String(route).replace('/v1/collections/:collection/points', '…');
    return [method, path, status, error_type, asked];
  });
  assert.equal(shown[0]?.slice(0, 4), ['POST', '…/search', 404, 'CollectionNotFound']);
  assert.equal(shown.slice(1), [
    ['POST', '…/delete', 200, null, { points: 1, w: 1, wait: 'indexed' }],
    ['GET', '…/:id', 200, null, null],
    ['POST', '…/get', 200, null, { ids: 2 }],
    ['POST', '…/scroll', 200, null, { limit: 100, with_payload: true, with_vector: false }],
    [
      'POST',
      '…/search/batch',
      200,
      null,
      { searches: 2, first: { vector: 2, limit: 10, with_payload: true, with_vector: false } },
    ],
    ['PUT', '…', 200, null, { points: 1, w: 1, wait: 'indexed' }],
  ]);
});

test('the threshold can be seen and changed, and nothing is kept below it', async (t) => {
  const http = await withPoints(t, { slowQueries: { thresholdMs: 60_000 } });
  await http.ask('POST', SEARCH, { vector: [1, 1] });
  assert.equal((await http.ask('GET', '/v1/slow-queries')).body, { threshold_ms: 60_000, count: 0, kept: 0, slow_queries: [] });
  assert.equal((await http.ask('PATCH', '/v1/slow-queries', { threshold_ms: 0 })).body, { threshold_ms: 0, count: 0, kept: 0 });
  for (const bad of [{}, { threshold_ms: -1 }, { threshold_ms: 1.5 }, { threshold_ms: '5' }, { threshold_ms: 1, more: 2 }]) {
    assert.is((await http.ask('PATCH', '/v1/slow-queries', bad)).body.error.type, 'InvalidRequest');
  }
  for (const bad of ['limit=0', 'limit=x', 'limit=10001', 'other=1'])
    assert.is((await http.ask('GET', `/v1/slow-queries?${bad}`)).body.error.type, 'InvalidRequest');
});

test('the level of the log can be seen and changed, and the change is said', async (t) => {
  const http = await startHttp(t);
  assert.equal((await http.ask('GET', '/v1/log')).body, { level: 'info', file: null, lost_lines: 0 });
  assert.is((await http.ask('PATCH', '/v1/log', { level: 'debug' })).body.level, 'debug');
  assert.is((await http.ask('GET', '/v1/log')).body.level, 'debug');
  assert.is((await http.ask('PATCH', '/v1/log', { level: 'loud' })).body.error.type, 'InvalidRequest');
  const line = http.log.find(({ event }) => event === 'log_level_changed');
  assert.is(line?.fields['from'], 'info');
  assert.is(line?.fields['to'], 'debug');
});

test('errors are counted by route and type, and every line of a request has its trace', async (t) => {
  const http = await startHttp(t);
  const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
  await http.ask('POST', '/v1/collections/none/points/search', { vector: [1] }, headers);
  await http.ask('GET', '/nowhere?api_key=in-the-query');
  const { body } = await http.ask('GET', '/metrics');
  const route = 'route="/v1/collections/:collection/points/search"';
  assert.match(body, `skein_http_errors_total{method="POST",${route},type="CollectionNotFound"} 1`);
  assert.match(body, 'skein_http_errors_total{method="none",route="none",type="RouteNotFound"} 1');
  const line = http.log.find(({ fields }) => fields['type'] === 'CollectionNotFound');
  assert.is(line?.fields['trace_id'], TRACE);
  assert.not.match(JSON.stringify(http.log), 'in-the-query');
});

test('without measuring there is no /metrics', async (t) => {
  const http = await startHttp(t, { measured: false });
  assert.is((await http.ask('GET', '/metrics')).body.error.type, 'RouteNotFound');
});

test.run();
