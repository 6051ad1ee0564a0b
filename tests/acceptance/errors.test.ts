/** Routes, methods, headers, media types and the pages of the server as HTTP_API.md §§1, 2 and 5 promise them, tried from outside. */
import { Packr } from 'msgpackr';
import * as assert from 'uvu/assert';
import { COLLECTIONS, outside, refused } from './outside.js';

const { test, call, pack } = outside('acceptance/errors');
const c = `${COLLECTIONS}/errors`;
const POINTS = '{"points":[{"id":1,"vector":[1,2]}]}';

test('a path that is no route is RouteNotFound, also with slashes or letters too many', async () => {
  for (const path of [
    '/nope',
    '/v1',
    '/V1/collections',
    '//v1//collections',
    '/health/',
    '/health/x',
    `${c}/`,
    `${c}//points/1`,
  ]) {
    for (const method of ['GET', 'POST', 'OPTIONS'])
      refused(await call(method, path), 404, 'RouteNotFound', {}, `${method} ${path}`);
  }
  assert.is((await call('HEAD', '/nope')).status, 404);
});

test('a method that a path does not have is 405 with Allow, and HEAD stands beside GET', async () => {
  await call('PUT', c, { dimension: 2, distance: 'dot' });
  for (const [method, path, allow] of [
    ['POST', COLLECTIONS, 'GET, HEAD'],
    ['POST', c, 'DELETE, GET, HEAD, PATCH, PUT'],
    ['OPTIONS', c, 'DELETE, GET, HEAD, PATCH, PUT'],
    ['TRACE', c, 'DELETE, GET, HEAD, PATCH, PUT'],
    ['GET', `${c}/points`, 'PATCH, PUT'],
    ['DELETE', `${c}/points/1`, 'GET, HEAD'],
    ['PUT', `${c}/points/search`, 'GET, HEAD, POST'],
    ['GET', '/v1/batch', 'POST'],
    ['PUT', '/health', 'GET, HEAD'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['PROPFIND', '/health/live', 'GET, HEAD'],
  ] as const) {
    const answer = await call(method, path);
    refused(answer, 405, 'MethodNotAllowed', {}, `${method} ${path}`);
    assert.is(answer.headers.allow, allow, path);
    assert.is(answer.headers['access-control-allow-origin'], undefined);
  }
  const head = await call('HEAD', c);
  assert.equal([head.status, head.bytes.length], [200, 0]);
  assert.is((await call('HEAD', `${COLLECTIONS}/none`)).status, 404);
});

test('a path that is not percent-encoded UTF-8 is a bad request', async () => {
  await call('PUT', c, { dimension: 2, distance: 'dot' });
  for (const id of ['%ff', '%', '%zz']) refused(await call('GET', `${c}/points/${id}`), 400, 'InvalidRequest', {}, id);
});

test('the request id is the caller’s when it is sane, in errors too', async () => {
  const id = async (given: string): Promise<unknown> =>
    (await call('GET', '/nope', undefined, { 'x-request-id': given })).headers['x-request-id'];
  for (const sane of ['abc-1', 'x'.repeat(64)]) assert.is(await id(sane), sane);
  for (const odd of ['', 'a b', 'x'.repeat(1_000), 'é']) assert.not.equal(await id(odd), odd);
  assert.not.equal(await id(''), await id(''));
});

test('content types other than JSON and MessagePack are 415', async () => {
  await call('PUT', c, { dimension: 2, distance: 'dot' });
  const put = (type: string) => call('PUT', `${c}/points`, POINTS, { 'content-type': type });
  for (const type of ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON'])
    assert.is((await put(type)).status, 200, type);
  for (const type of [
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'application/vnd.api+json',
    'garbage',
    '',
  ]) {
    refused(await put(type), 415, 'UnsupportedMediaType', {}, type);
  }
  refused(
    await call('PUT', `${c}/points`, POINTS, { 'content-type': 'application/json', 'content-encoding': 'br' }),
    415,
    'UnsupportedMediaType',
  );
  const unnamed = await pack('PUT', `${c}/points`, Buffer.from(POINTS), { 'content-type': 'text/plain' });
  refused(unnamed, 415, 'UnsupportedMediaType', { content_type: 'text/plain' });
});

test('Accept chooses the encoding of the answer, whatever that of the body', async () => {
  await call('PUT', c, { dimension: 2, distance: 'dot' });
  await call('PUT', `${c}/points`, POINTS);
  const type = async (accept: string, path: string): Promise<unknown> =>
    (await call('GET', path, undefined, { accept })).headers['content-type'];
  assert.is(await type('application/msgpack', c), 'application/msgpack');
  assert.is(await type('application/msgpack', '/nope'), 'application/msgpack');
  assert.is(await type('application/msgpack', '/health'), 'application/msgpack');
  for (const accept of ['application/json', '*/*', 'text/html', ''])
    assert.match(String(await type(accept, c)), 'application/json');
  const search = new Packr({ useRecords: false }).pack({ vector: [1, 0] });
  const answer = await pack<{ hits: object[] }>('POST', `${c}/points/search`, search, { accept: 'application/json' });
  assert.match(answer.headers['content-type'] ?? '', 'application/json');
  assert.is(answer.body.hits.length, 1);
});

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, object>>;
}

test('the OpenAPI document names every route that runs, and every route it names runs', async () => {
  const { body } = await call<Document>('GET', '/openapi.json');
  assert.match(body.openapi, /^3\.1/);
  const points = '/v1/collections/{collection}/points';
  for (const [path, methods] of [
    ['/v1/collections', 'get'],
    ['/v1/collections/{collection}', 'delete get patch put'],
    [points, 'patch put'],
    [`${points}/{id}`, 'get'],
    ...['delete', 'get', 'scroll', 'count', 'search', 'search/batch', 'import'].map((tail) => [`${points}/${tail}`, 'post']),
    ['/v1/batch', 'post'],
    ['/v1/aliases', 'get'],
    ['/v1/aliases/{alias}', 'delete put'],
    ...['/health', '/health/live', '/health/ready', '/metrics'].map((path) => [path, 'get']),
  ] as [string, string][]) {
    assert.is(
      Object.keys(body.paths[path] ?? {})
        .sort()
        .join(' '),
      methods,
      path,
    );
  }
  for (const [path, methods] of Object.entries(body.paths)) {
    for (const method of Object.keys(methods)) {
      // A feed that begins does not end.
      const query = path === '/v1/changes' ? '?from=nowhere' : '';
      const answer = await call(
        method.toUpperCase(),
        `${path.replace('{collection}', 'absent').replace('{alias}', 'absent').replace('{id}', '1')}${query}`,
      );
      const type = (answer.body as { error?: { type: string } } | null)?.error?.type;
      assert.not.ok(type === 'RouteNotFound' || type === 'MethodNotAllowed' || answer.status >= 500, `${method} ${path} ${type}`);
    }
  }
});

test('the pages of the server', async () => {
  const docs = await call<string>('GET', '/docs');
  assert.equal([docs.status, docs.headers['content-type']?.startsWith('text/html')], [200, true]);
  for (const path of ['/health', '/health/live', '/health/ready']) {
    const answer = await call<{ status: string }>('GET', path);
    assert.is(answer.status, 200, path);
    assert.is(answer.body.status, 'healthy', path);
    assert.ok(answer.headers['x-request-id'], path);
  }
  const metrics = await call<string>('GET', '/metrics');
  assert.match(metrics.headers['content-type'] ?? '', 'text/plain');
  const lines = metrics.body.split('\n').filter((line) => line !== '');
  for (const line of lines) assert.match(line, /^(# (HELP|TYPE) )?skein_/);
  for (const name of [
    'http_requests_total',
    'http_request_duration_seconds_bucket',
    'points',
    'commits_total',
    'event_loop_delay_seconds',
  ]) {
    assert.ok(
      lines.some((line) => line.startsWith(`skein_${name}`)),
      name,
    );
  }
  assert.ok(lines.some((line) => line.startsWith('skein_http_request_duration_seconds_bucket') && line.includes('le="0.0001"')));
});

test.run();
