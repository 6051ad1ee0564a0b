/** Which pages may call: what a preflight is answered, what answers carry, and that nobody is let in by it. */

import * as assert from 'uvu/assert';
import { preflightHeaders, sharingHeaders } from '../../src/http/cors.js';
import { fakeReplication } from '../support/fake-replication.js';
import { startHttp } from '../support/http-server.js';
import { suite } from '../support/suite.js';

const test = suite('http/cors');
const PAGE = 'https://app.example';
const asks = (origin: string, method = 'PUT') => ({ origin, 'access-control-request-method': method });

test('a named origin is answered with itself, everybody with the star, others with nothing', () => {
  assert.equal(sharingHeaders([PAGE], PAGE)['access-control-allow-origin'], PAGE);
  assert.equal(sharingHeaders(['*'], 'https://who.example')['access-control-allow-origin'], '*');
  for (const origin of [undefined, 'null', 'https://app.example.evil', 'http://app.example', 'https://app.example:8443'])
    assert.equal(sharingHeaders([PAGE], origin), { vary: 'Origin' }, origin);
  assert.is(preflightHeaders([PAGE], 'OPTIONS', { origin: PAGE }), null, 'OPTIONS alone is no preflight');
  assert.is(preflightHeaders([PAGE], 'POST', asks(PAGE)), null);
  assert.is(preflightHeaders([PAGE], 'OPTIONS', asks('https://evil.example')), null);
});

test('a preflight of a named origin is answered at once, on every path, without a key; no other is', async (t) => {
  const { ask, log } = await startHttp(t, { apiKey: 'k'.repeat(20), callers: { hosts: [], origins: [PAGE] } });
  for (const path of ['/v1/collections/c/points', '/v1/keys', '/none', '/health/ready']) {
    const answer = await ask('OPTIONS', path, undefined, asks(PAGE));
    assert.equal([answer.status, answer.body], [204, ''], path);
    const { headers } = answer;
    assert.equal([headers.get('access-control-allow-origin'), headers.get('vary')], [PAGE, 'Origin']);
    assert.match(headers.get('access-control-allow-methods') ?? '', 'PATCH');
    for (const name of [
      'authorization',
      'api-key',
      'content-type',
      'idempotency-key',
      'x-skein-min-position',
      'x-skein-redirect',
    ])
      assert.ok(headers.get('access-control-allow-headers')?.split(', ').includes(name), name);
    assert.is(headers.get('access-control-max-age'), '600');
    assert.is(headers.get('access-control-allow-credentials'), null);
    const other = await ask('OPTIONS', path, undefined, asks('https://evil.example'));
    assert.ok(other.status >= 400, path);
    assert.is(other.headers.get('access-control-allow-origin'), null);
  }
  assert.is(log.filter(({ level }) => level === 'error').length, 0);
});

test('a page may read answers and errors with what they carry, and still needs its key', async (t) => {
  const apiKey = 'k'.repeat(20);
  const { ask } = await startHttp(t, { apiKey, callers: { hosts: [], origins: [PAGE] } });
  const keyed = await ask('GET', '/v1/collections', undefined, { origin: PAGE, authorization: `Bearer ${apiKey}` });
  assert.equal([keyed.status, keyed.headers.get('access-control-allow-origin')], [200, PAGE]);
  const exposed = keyed.headers.get('access-control-expose-headers')?.split(', ') ?? [];
  for (const name of ['x-skein-position', 'x-skein-staleness-ms', 'x-request-id', 'retry-after'])
    assert.ok(exposed.includes(name), name);
  const keyless = await ask('GET', '/v1/collections', undefined, { origin: PAGE });
  assert.equal([keyless.status, keyless.headers.get('access-control-allow-origin')], [401, PAGE]);
  const foreign = await ask('GET', '/v1/collections', undefined, {
    origin: 'https://evil.example',
    authorization: `Bearer ${apiKey}`,
  });
  assert.is(foreign.headers.get('access-control-allow-origin'), null, 'its browser keeps the answer from it');
});

test('without a setting nothing is said of origins, and OPTIONS is a method like any other', async (t) => {
  const { ask } = await startHttp(t, { apiKey: 'k'.repeat(20) });
  const { status, headers } = await ask('OPTIONS', '/v1/collections', undefined, {
    ...asks(PAGE),
    authorization: `Bearer ${'k'.repeat(20)}`,
  });
  assert.equal([status, headers.get('vary'), headers.get('access-control-allow-origin')], [405, null, null]);
});

test('while no key is asked for, a page whose origin is named may call; the star names nobody', async (t) => {
  const named = await startHttp(t, { callers: { hosts: [], origins: [PAGE] } });
  assert.is((await named.ask('GET', '/v1/collections', undefined, { origin: PAGE })).status, 200);
  assert.is((await named.ask('GET', '/v1/collections', undefined, { origin: 'https://evil.example' })).status, 403);
  const star = await startHttp(t, { callers: { hosts: [], origins: ['*'] } });
  const answer = await star.ask('GET', '/v1/collections', undefined, { origin: PAGE });
  assert.equal([answer.status, answer.body.error.type], [403, 'Forbidden']);
});

test('who says that he cannot read redirects is told of the master in a plain refusal', async (t) => {
  const replication = fakeReplication({ role: () => 'replica', masterUrl: () => 'http://10.0.0.1:7171' });
  const { ask } = await startHttp(t, { service: { replication } });
  const body = { dimension: 1, distance: 'dot' };
  const told = await ask('PUT', '/v1/collections/c', body, { 'x-skein-redirect': 'off' });
  assert.equal(
    [told.status, told.body.error.type, told.body.error.details],
    [409, 'NotMaster', { master_url: 'http://10.0.0.1:7171' }],
  );
  for (const other of ['on', '', 'OFF'])
    assert.is((await ask('PUT', '/v1/collections/c', body, { 'x-skein-redirect': other })).status, 307);
});

test.run();
