/** The frame of the dialect: envelope, errors, entry, paths, and how it is turned off. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../../src/model/errors.js';
import { startHttp } from '../../support/http-server.js';
import { startKeyed } from '../../support/keyed-http.js';
import { suite } from '../../support/suite.js';

const test = suite('http/qdrant/frame');

test('a result stands in the envelope, with the position in the header', async (t) => {
  const { ask } = await startHttp(t);
  const answer = await ask('GET', '/collections');
  assert.is(answer.status, 200);
  assert.equal(Object.keys(answer.body), ['result', 'status', 'time']);
  assert.is(answer.body.status, 'ok');
  assert.type(answer.body.time, 'number');
  assert.ok(answer.headers.get('x-skein-position') !== null);
  assert.ok(answer.headers.get('x-request-id') !== null);
});

test('the root and the probes have no envelope and ask for no key', async (t) => {
  const { ask } = await startHttp(t, { apiKey: 'a-key-of-16-chars', qdrant: { version: '1.17.3' } });
  assert.equal((await ask('GET', '/')).body, { title: 'skein - vector search engine', version: '1.17.3' });
  for (const path of ['/healthz', '/livez', '/readyz', '/readyz/']) {
    const answer = await ask('GET', path);
    assert.is(answer.status, 200, path);
    assert.ok(answer.headers.get('content-type')?.startsWith('text/plain'), path);
  }
});

test('who shows no key reads plain text; a good key is taken in either header', async (t) => {
  const { ask } = await startHttp(t, { apiKey: 'a-key-of-16-chars' });
  const refused = await ask('GET', '/collections');
  assert.is(refused.status, 401);
  assert.type(refused.body, 'string');
  assert.is((await ask('GET', '/collections', undefined, { 'api-key': 'a-key-of-16-chars' })).status, 200);
  assert.is((await ask('GET', '/collections', undefined, { authorization: 'Bearer a-key-of-16-chars' })).status, 200);
});

test('roles and scopes are those of the own API; who is known and lacks a right is told in the form of errors', async (t) => {
  const { ask, as } = await startKeyed(t);
  await ask('PUT', '/v1/collections/mine', { dimension: 1, distance: 'dot' }, as('admin'));
  await ask('PUT', '/v1/collections/other', { dimension: 1, distance: 'dot' }, as('admin'));
  const reader = as('read', ['mine']);
  assert.equal((await ask('GET', '/collections', undefined, reader)).body.result, { collections: [{ name: 'mine' }] });
  assert.is((await ask('POST', '/collections/mine/points/count', {}, reader)).status, 200);
  const refusals: readonly [string, string, object | undefined][] = [
    ['POST', '/collections/other/points/count', {}],
    ['PUT', '/collections/mine/points', { points: [] }],
    ['PUT', '/collections/mine', { vectors: { size: 1, distance: 'Dot' } }],
    ['POST', '/collections/aliases', { actions: [] }],
    ['GET', '/snapshots', undefined],
    ['GET', '/collections/mine/snapshots', undefined],
  ];
  for (const [method, path, body] of refusals) {
    const answer = await ask(method, path, body, reader);
    assert.equal([answer.status, /^Forbidden: /.test(answer.body.status.error)], [403, true], `${method} ${path}`);
  }
  const scopedAdmin = as('admin', ['mine']);
  assert.is((await ask('POST', '/collections/mine/snapshots', undefined, scopedAdmin)).status, 403);
});

test('errors have the form of the dialect', async (t) => {
  const { ask } = await startHttp(t, {
    service: {
      engine: () => {
        throw new SkeinError('Starting', 'The store is being checked');
      },
    },
  });
  const starting = await ask('GET', '/collections');
  assert.is(starting.status, 503);
  assert.equal(Object.keys(starting.body), ['status', 'time']);
  assert.is(starting.body.status.error, 'Service unavailable: The store is being checked');
  const unknown = await ask('GET', '/collections/c/nothing');
  assert.is(unknown.status, 404);
  assert.type(unknown.body.status.error, 'string');
});

test('a parameter that nobody knows, or out of its range, is refused', async (t) => {
  const { ask } = await startHttp(t);
  for (const query of ['wiat=true', 'timeout=0', 'timeout=x', 'consistency=some', 'timeout=1&timeout=2']) {
    const answer = await ask('GET', `/collections?${query}`);
    assert.is(answer.status, 400, query);
    assert.ok(answer.body.status.error.startsWith('Deserialize error in query parameters: '), query);
  }
  assert.is((await ask('GET', '/collections?timeout=3&consistency=majority')).status, 200);
  assert.is((await ask('GET', '/collections?consistency=2')).status, 200);
});

test('slashes at the end are passed over here, and nowhere else', async (t) => {
  const { ask } = await startHttp(t);
  assert.is((await ask('GET', '/collections//?timeout=1')).status, 200);
  assert.is((await ask('GET', '/v1/collections/')).body.error.type, 'InvalidCollectionName');
});

test('turned off, none of its paths is there', async (t) => {
  const { ask } = await startHttp(t, { qdrant: null });
  for (const path of ['/', '/collections', '/healthz', '/telemetry']) {
    assert.is((await ask('GET', path)).body.error.type, 'RouteNotFound', path);
  }
});

test('the document of the own API leaves it out', async (t) => {
  const { ask } = await startHttp(t);
  const { body } = await ask('GET', '/openapi.json');
  assert.equal(
    Object.keys(body.paths).filter((path) => path === '/' || path.startsWith('/collections')),
    [],
  );
});

test.run();
