/** The server as its callers meet it: paths, methods, headers, keys, types, errors, the end. */

import { once } from 'node:events';
import { connect } from 'node:net';
import * as assert from 'uvu/assert';
import { UNGUARDED_HTTP } from '../../src/http/guards.js';
import { systemClock } from '../../src/model/clock.js';
import { SkeinError } from '../../src/model/errors.js';
import { QUIET_SEARCH } from '../support/fake-engine.js';
import { type Answer, startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('http/http');

function isError(answer: Answer, status: number, type: string): Readonly<Record<string, unknown>> {
  assert.is(answer.status, status, JSON.stringify(answer.body));
  const { error } = answer.body;
  assert.is(error.type, type);
  assert.equal(Object.keys(error).sort(), ['details', 'message', 'request_id', 'retryable', 'type']);
  assert.is(error.request_id, answer.headers.get('x-request-id'));
  return error.details;
}

test('paths and methods that no route has are told apart', async (t) => {
  const { ask } = await startHttp(t);
  isError(await ask('GET', '/nothing'), 404, 'RouteNotFound');
  isError(await ask('GET', '/replication/state'), 404, 'RouteNotFound');
  assert.equal(isError(await ask('PATCH', '/v1/aliases/a'), 405, 'MethodNotAllowed')['allowed'], ['DELETE', 'PUT']);
  const wrong = await ask('POST', '/v1/collections/c', {});
  assert.equal(isError(wrong, 405, 'MethodNotAllowed')['allowed'], ['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']);
  assert.is(wrong.headers.get('allow'), 'DELETE, GET, HEAD, PATCH, PUT');
  for (const page of ['/health', '/openapi.json']) {
    assert.equal(isError(await ask('DELETE', page), 405, 'MethodNotAllowed')['allowed'], ['GET', 'HEAD']);
  }
});

test('a bad collection name is refused on every method, whatever it hides', async (t) => {
  const { ask } = await startHttp(t);
  const names = [
    'a%2Fb',
    '.hidden',
    '..%2Fx',
    '%00',
    'a%20b',
    'caf%C3%A9',
    'a%E2%80%8Bb',
    '%zz',
    '%ff',
    'x'.repeat(129),
    'x'.repeat(5_000),
    '%F0%9F%92%A9',
  ];
  for (const name of names) {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'POST']) {
      const answer = await ask(
        method,
        `/v1/collections/${name}`,
        method === 'GET' ? undefined : { dimension: 2, distance: 'dot' },
      );
      isError(answer, 400, 'InvalidCollectionName');
    }
    isError(await ask('POST', `/v1/collections/${name}/points/search`, { vector: [1] }), 400, 'InvalidCollectionName');
    isError(await ask('GET', `/v1/collections/${name}/points/1`), 400, 'InvalidCollectionName');
  }
});

test('request ids are the caller’s when sane, else new and different', async (t) => {
  const { ask } = await startHttp(t);
  const given = await ask('GET', '/health/live', undefined, { 'x-request-id': 'my-id/7' });
  assert.is(given.headers.get('x-request-id'), 'my-id/7');
  const seen = new Set<string | null>();
  for (const bad of ['', 'a b', 'é', 'x'.repeat(129)]) {
    const { headers } = await ask('GET', '/health/live', undefined, { 'x-request-id': bad });
    assert.not.equal(headers.get('x-request-id'), bad);
    seen.add(headers.get('x-request-id'));
  }
  assert.is(seen.size, 4);
});

test('with a key only health, document and page are open', async (t) => {
  const { ask } = await startHttp(t, { apiKey: 'secret-key', docs: true });
  for (const path of ['/health', '/health/live', '/health/ready', '/openapi.json', '/docs']) {
    assert.is((await ask('GET', path)).status, 200, path);
  }
  for (const path of ['/v1/collections', '/metrics', '/v1/version', '/v1/config', '/nothing']) {
    const answer = await ask('GET', path);
    isError(answer, 401, 'Unauthorized');
    assert.is(answer.headers.get('www-authenticate'), 'Bearer');
  }
  for (const headers of [
    { authorization: 'Bearer secret-key' },
    { authorization: 'bearer  secret-key' },
    { 'api-key': 'secret-key' },
  ]) {
    assert.is((await ask('GET', '/v1/collections', undefined, headers)).status, 200);
  }
  for (const headers of [
    { authorization: 'Bearer secret-ke' },
    { authorization: 'Basic secret-key' },
    { 'api-key': 'secret-key2' },
    { 'api-key': '' },
  ]) {
    isError(await ask('GET', '/v1/collections', undefined, headers), 401, 'Unauthorized');
  }
});

test('types of bodies that are not read are refused, parameters of those that are do no harm', async (t) => {
  const { send, ask, engine } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  const body = '{"vector":[1,2]}';
  const search = '/v1/collections/c/points/search';
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'garbage', 'application/jsonx']) {
    const details = isError(await send('POST', search, body, { 'content-type': type }), 415, 'UnsupportedMediaType');
    assert.equal([details['content_type'], details['supported']], [type, ['application/json', 'application/msgpack']]);
  }
  isError(await send('POST', search, Buffer.from(body), {}), 415, 'UnsupportedMediaType');
  isError(
    await send('POST', search, body, { 'content-type': 'application/json', 'content-encoding': 'br' }),
    415,
    'UnsupportedMediaType',
  );
  for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=iso-8859-1']) {
    assert.is((await send('POST', search, body, { 'content-type': type })).status, 200, type);
  }
  assert.is(engine.seq, 1);
});

test('unknown and malformed query parameters are named', async (t) => {
  const { ask } = await startHttp(t);
  for (const [query, path] of [
    ['wiat=indexed', 'wiat'],
    ['wait=soon', 'wait'],
    ['timeout_ms=-1', 'timeout_ms'],
    ['timeout_ms=99999999', 'timeout_ms'],
    ['w=0', 'w'],
    ['w=most', 'w'],
    ['wait=durable&wait=indexed', 'wait'],
  ] as const) {
    const details = isError(
      await ask('PUT', `/v1/collections/c?${query}`, { dimension: 2, distance: 'dot' }),
      400,
      'InvalidRequest',
    );
    assert.is((details['issues'] as { path: string }[])[0]?.path, path, query);
  }
  const many = await ask('PUT', '/v1/collections/c?w=2', { dimension: 2, distance: 'dot' });
  assert.equal(isError(many, 400, 'WriteConcernImpossible'), { required: 2, voters: 1 });
  assert.is(
    (await ask('PUT', '/v1/collections/c?w=majority&timeout_ms=5000&wait=durable', { dimension: 2, distance: 'dot' })).status,
    201,
  );
});

test('a defect shows its request id and nothing else', async (t) => {
  const { ask, engine, log } = await startHttp(t);
  engine.failNext('search', new TypeError('secret detail in /etc/place'));
  const answer = await ask('POST', '/v1/collections/c/points/search', { vector: [1] });
  assert.equal(isError(answer, 500, 'Internal'), {});
  assert.not.match(JSON.stringify(answer.body), /secret|place/);
  const line = log.find(({ event }) => event === 'request_failed');
  assert.is(line?.fields['request_id'], answer.body.error.request_id);
  const logged = line?.fields['error'];
  assert.match(logged instanceof Error ? logged.message : '', 'secret detail');
});

test('typed failures keep status, details and hints', async (t) => {
  const { ask, engine } = await startHttp(t);
  const search = () => ask('POST', '/v1/collections/c/points/search?max_wait_ms=5', { vector: [1] });
  engine.failNext('search', new SkeinError('Overloaded', 'busy', { reason: 'queue' }));
  const busy = await search();
  isError(busy, 503, 'Overloaded');
  assert.is(busy.body.error.retryable, true);
  assert.match(busy.headers.get('retry-after') ?? '', /^[123]$/);
  engine.failNext('search', new SkeinError('CircuitOpen', 'open', { dependency: 'x', retry_after_ms: 4_200 }));
  assert.is((await search()).headers.get('retry-after'), '5');
  engine.failNext('search', new SkeinError('NotMaster', 'elsewhere', { master_url: 'http://10.0.0.1:7171/' }));
  const moved = await search();
  isError(moved, 307, 'NotMaster');
  assert.is(moved.headers.get('location'), 'http://10.0.0.1:7171/v1/collections/c/points/search?max_wait_ms=5');
});

test('errors come in the form that was asked for', async (t) => {
  const { askPacked } = await startHttp(t);
  const answer = await askPacked('GET', '/v1/collections/none');
  isError(answer, 404, 'CollectionNotFound');
  assert.is(answer.headers.get('content-type'), 'application/msgpack');
});

test('MessagePack that is refused by its weight is not sent', async (t) => {
  const { send } = await startHttp(t);
  for (const accept of ['application/msgpack;q=0', 'application/msgpack; q=0.0, application/json']) {
    const { headers } = await send('GET', '/v1/collections', undefined, { accept });
    assert.match(headers.get('content-type') ?? '', 'application/json');
  }
});

test('what Node would refuse by itself has an answer of ours', async (t) => {
  const { url } = await startHttp(t);
  const exchange = async (text: string): Promise<string> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    t.after(() => socket.destroy());
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.write(text);
    await once(socket, 'close');
    return answer;
  };
  const hostless = await exchange('GET /health/live HTTP/1.1\r\nconnection: close\r\n\r\n');
  assert.match(hostless, /^HTTP\/1\.1 400 /);
  assert.match(hostless, /x-request-id: .*"type":"InvalidRequest"/s);
  const old = await exchange('GET /health/live HTTP/1.0\r\n\r\n');
  assert.match(old, /^HTTP\/1\.[01] 200 /);
  const expecting = await exchange(
    'GET /health/live HTTP/1.1\r\nhost: localhost\r\nexpect: miracles\r\nconnection: close\r\n\r\n',
  );
  assert.match(expecting, /^HTTP\/1\.1 200 .*x-request-id/s);
});

test('a replica without data is not ready, and says how far its first snapshot is', async (t) => {
  const progress = { step: 'sync', progress: 0.25, etaMs: 3_000, message: 'taking a snapshot' } as const;
  const engine = (): never => {
    throw new SkeinError('Starting', 'no data yet', { step: 'sync', progress: 0.25, eta_ms: 3_000 });
  };
  const { ask } = await startHttp(t, { service: { engine, startProgress: () => progress } });
  const ready = await ask('GET', '/health/ready');
  assert.equal([ready.status, ready.body.state, ready.body.step, ready.body.progress], [503, 'starting', 'sync', 0.25]);
  isError(await ask('GET', '/v1/collections'), 503, 'Starting');
});

test('while the engine starts, data waits with step and progress, and health says so', async (t) => {
  const progress = { step: 'verify', progress: 0.5, etaMs: 1_200, message: 'checking rows' } as const;
  const starting = new SkeinError('Starting', 'The server is starting', { step: 'verify', progress: 0.5, eta_ms: 1_200 });
  const engine = () => {
    throw starting;
  };
  const { ask } = await startHttp(t, { service: { engine, startProgress: () => progress } });
  assert.equal(isError(await ask('GET', '/v1/collections'), 503, 'Starting'), starting.details);
  const live = await ask('GET', '/health/live');
  assert.equal([live.status, live.body], [200, { status: 'healthy' }]);
  const ready = await ask('GET', '/health/ready');
  assert.is(ready.status, 503);
  assert.equal(ready.body, {
    status: 'unhealthy',
    state: 'starting',
    ...starting.details,
    message: 'checking rows',
    role: 'master',
    epoch: null,
  });
  const health = await ask('GET', '/health');
  assert.is(health.status, 503);
  assert.is(health.body.status, 'unhealthy');
  const details = await ask('GET', '/health/detailed');
  assert.equal([details.status, details.body.status], [503, 'unhealthy']);
  assert.is((await ask('GET', '/v1/version')).status, 200);
  assert.is((await ask('GET', '/metrics')).status, 200);
});

test('a healthy server says so, a full disk degrades it', async (t) => {
  const { ask, engine } = await startHttp(t);
  const ready = await ask('GET', '/health/ready');
  assert.equal([ready.body.status, ready.body.state], ['healthy', 'ready']);
  assert.is((await ask('GET', '/health')).body.status, 'healthy');
  const status = engine.status();
  engine.status = () => ({ ...status, storage: { ...status.storage, full: true } });
  const { status: code, body } = await ask('GET', '/health');
  assert.is(code, 200);
  assert.is(body.status, 'degraded');
  assert.is(body.reasons.length, 1);
});

test('the details show every part, and a broken one degrades the server but not its readiness', async (t) => {
  const { ask, engine } = await startHttp(t);
  const well = await ask('GET', '/health/detailed');
  assert.is(well.status, 200);
  assert.equal([well.body.status, well.body.reasons], ['healthy', []]);
  const { check_ms: checkMs, details, ...text } = well.body.components.text;
  assert.type(checkMs, 'number');
  assert.equal(details, { threads_asked: 0, threads_answered: 0, points: 0 });
  assert.equal(text, {
    status: 'healthy',
    message: 'BM25 search is not used: no collection has text fields',
    breaker: 'closed',
    restarts: 0,
    stalled: 0,
    collections: 0,
    loading: 0,
    latency_ms: null,
  });
  assert.is(well.body.components.storage.status, 'healthy');
  const figures = [{ collection: 'c', filterClass: 'none', recall: 0.98, checks: 7 }] as const;
  engine.searching = {
    ...QUIET_SEARCH,
    text: { ...QUIET_SEARCH.text, breaker: 'open', failures: 5, restarts: 1, collections: 2, latencyMs: 3 },
    vector: { ...QUIET_SEARCH.vector, collections: 3, loading: 1 },
    fallback: { active: true, sinceMs: 0, count: 9 },
    recall: { ...QUIET_SEARCH.recall, figures, skipped: 4 },
  };
  const { status, body } = await ask('GET', '/health/detailed');
  assert.equal([status, body.status, body.reasons.length], [200, 'degraded', 3]);
  assert.equal([body.components.text.status, body.components.vector.status], ['unhealthy', 'degraded']);
  assert.equal(body.fallback, { active: true, since: '1970-01-01T00:00:00.000Z', count: 9 });
  assert.equal(body.breakers, { vector: { state: 'closed', failures: 0 }, text: { state: 'open', failures: 5 } });
  assert.equal(body.recall, {
    figures: [{ collection: 'c', filter_class: 'none', recall: 0.98, checks: 7 }],
    skipped: 4,
    discarded: 0,
  });
  assert.is((await ask('GET', '/health')).body.status, 'degraded');
  assert.is((await ask('GET', '/health/ready')).status, 200);
  const { text: broken } = engine.searching;
  engine.searching = { ...engine.searching, vector: { ...engine.searching.vector, breaker: 'half_open' } };
  for (const path of ['/health', '/health/detailed']) {
    const down = await ask('GET', path);
    assert.equal([down.status, down.body.status], [503, 'unhealthy'], 'no search can be answered');
  }
  engine.searching = { ...QUIET_SEARCH, vector: { ...broken, breaker: 'closed', stalled: 1 } };
  const silent = await ask('GET', '/health/detailed');
  assert.equal([silent.status, silent.body.status, silent.body.components.vector.status], [200, 'degraded', 'unhealthy']);
});

test('the details name collections, so they ask for the key', async (t) => {
  const { ask } = await startHttp(t, { apiKey: 'secret-key' });
  isError(await ask('GET', '/health/detailed'), 401, 'Unauthorized');
});

test('what the node itself is concerned about degrades it', async (t) => {
  const { ask } = await startHttp(t, { concerns: () => ['every row is being read'] });
  const { status, body } = await ask('GET', '/health');
  assert.equal([status, body.status, body.reasons], [200, 'degraded', ['every row is being read']]);
});

test('version and configuration are plain', async (t) => {
  const { ask } = await startHttp(t);
  const { body } = await ask('GET', '/v1/version');
  assert.equal(body, { name: 'skein', version: '0.0.0-test', api: 'v1', node: process.version, native_build: 'none' });
  assert.equal((await ask('GET', '/v1/config')).body, { port: 0, api_key: '***' });
});

test('requests are measured by route and status, unknown paths as none', async (t) => {
  const { ask } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  await ask('GET', '/v1/collections/c');
  await ask('GET', '/v1/collections/other');
  await ask('GET', '/a/b');
  const { body, headers } = await ask('GET', '/metrics');
  assert.match(headers.get('content-type') ?? '', 'text/plain');
  assert.match(body, 'skein_http_requests_total{method="GET",route="/v1/collections/:collection",status="200"} 1');
  assert.match(body, 'skein_http_requests_total{method="GET",route="/v1/collections/:collection",status="404"} 1');
  assert.match(body, 'skein_http_requests_total{method="none",route="none",status="404"} 1');
  assert.match(body, 'skein_http_request_duration_seconds_bucket{le="0.0001",method="GET",route="/v1/collections/:collection"}');
  assert.match(body, 'skein_body_held_bytes 0');
  assert.not.match(body, '/a/b');
});

test('every request leaves a log line with its id', async (t) => {
  const { ask, log } = await startHttp(t);
  await ask('GET', '/v1/version', undefined, { 'x-request-id': 'abc' });
  const line = log.find(({ event, fields }) => event === 'request' && fields['request_id'] === 'abc');
  assert.is(line?.fields['route'], '/v1/version');
  assert.is(line?.fields['status'], 200);
  assert.type(line?.fields['duration_ms'], 'number');
});

test('of failures of one kind one a second is a warning and tells how many were left out; all are counted', async (t) => {
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const { ask, log, engine } = await startHttp(t, { clock });
  const fail = async (): Promise<void> => {
    engine.failNext('search', new SkeinError('Overloaded', 'Too many searches are waiting', { reason: 'search_queue' }));
    assert.is((await ask('POST', '/v1/collections/c/points/search', { vector: [1] })).status, 503);
  };
  for (let i = 0; i < 5; i++) await fail();
  const leftOut = (): unknown[] =>
    log.filter(({ level, event }) => level === 'warn' && event === 'request').map(({ fields }) => fields['left_out'] ?? 0);
  assert.equal(leftOut(), [0]);
  nowMs = 1_000;
  await fail();
  await fail();
  assert.equal(leftOut(), [0, 4]);
  const { body } = await ask('GET', '/metrics');
  assert.match(body, /http_requests_total\{method="POST",route="[^"]*search",status="503"\} 7/);
});

test('a node that is about to stop is not ready any more, and serves', async (t) => {
  const { ask } = await startHttp(t, { service: { guards: { ...UNGUARDED_HTTP, draining: true } } });
  const ready = await ask('GET', '/health/ready');
  assert.equal([ready.status, ready.body.status, ready.body.state], [503, 'unhealthy', 'draining']);
  assert.is((await ask('GET', '/health')).status, 503);
  assert.equal((await ask('GET', '/health/live')).body, { status: 'healthy' });
  assert.is((await ask('GET', '/v1/collections')).status, 200);
});

test('the end lets running requests finish and refuses new ones', async (t) => {
  const { ask, engine, close } = await startHttp(t);
  let open: () => void = () => {};
  engine.gate = new Promise((resolve) => {
    open = resolve;
  });
  const running = ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  while (engine.writes.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const closed = close(5_000);
  open();
  assert.is((await running).status, 201);
  await closed;
  assert.is(await ask('GET', '/health/live').catch(() => 'refused'), 'refused');
});

test('the end cuts off what outlives its deadline, and says how many requests that were', async (t) => {
  const { ask, engine, close, log } = await startHttp(t);
  engine.gate = new Promise(() => {});
  const running = ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' }).catch(() => 'cut');
  while (engine.writes.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await close(20);
  assert.is(await running, 'cut');
  assert.equal(
    log.filter(({ event }) => event === 'requests_cut').map(({ fields }) => fields),
    [{ count: 1, after_ms: 20 }],
  );
});

test.run();
