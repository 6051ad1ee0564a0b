/** Routes of access keys over a fake engine: what they answer, what they refuse, and that no secret is anywhere but in the one answer. */

import * as assert from 'uvu/assert';
import { systemClock } from '../../src/model/clock.js';
import { ALONE, startHttp } from '../support/http-server.js';
import { startKeyed } from '../support/keyed-http.js';
import { suite } from '../support/suite.js';

const test = suite('http/keys');
/** Two nodes must hold a write, and the other does not answer. */
const ALONE_OF_TWO = { ...ALONE, defaultRequired: () => 2, voters: () => 2 };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test('the first key of an open server is a lasting admin key of all collections, and closes the server', async (t) => {
  const { ask } = await startHttp(t);
  assert.is((await ask('GET', '/v1/keys')).status, 200);
  for (const body of [
    { name: 'a', role: 'read' },
    { name: 'a', role: 'admin', collections: ['films'] },
    { name: 'a', role: 'admin', expires_at: '2999-01-01T00:00:00Z' },
  ]) {
    const { status, body: answer } = await ask('POST', '/v1/keys', body);
    assert.equal([status, answer.error.type], [409, 'AdminKeyRequired']);
  }
  const first = await ask('POST', '/v1/keys', { name: 'first', role: 'admin' });
  assert.is(first.status, 201);
  assert.match(first.body.key, /^skn_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  assert.is((await ask('GET', '/v1/keys')).status, 401);
  const admin = bearer(first.body.key);
  const last = await ask('DELETE', `/v1/keys/${first.body.id}`, undefined, admin);
  assert.equal([last.status, last.body.error.type], [409, 'AdminKeyRequired']);
  const list = await ask('GET', '/v1/keys', undefined, admin);
  assert.is(list.headers.get('cache-control'), null);
  assert.equal(list.body.keys.length, 1);
  assert.ok(list.body.keys[0].last_used_at !== null);
});

test('a key says what it is, works, gets another secret and ends', async (t) => {
  const { ask } = await startHttp(t, { apiKey: 'key-of-the-file' });
  const file = bearer('key-of-the-file');
  const wanted = {
    name: 'loader',
    role: 'write',
    collections: ['films', 'tenant-7-*'],
    expires_at: '2999-01-01T00:00:00.000Z',
    rate_limit: { requests_per_second: 1_000 },
  };
  const made = await ask('POST', '/v1/keys', wanted, file);
  const { key, id } = made.body;
  const shown = { ...wanted, rate_limit: { requests_per_second: 1_000, burst: 1_000 }, id, state: 'active' };
  const said = Object.fromEntries(Object.keys(shown).map((name) => [name, made.body[name]]));
  assert.equal(said, shown);
  assert.ok(Date.parse(made.body.created_at) <= Date.now());
  assert.is((await ask('GET', '/v1/collections', undefined, bearer(key))).status, 200);
  const turned = await ask('POST', `/v1/keys/${id}/rotate`, { grace_ms: 60_000 }, file);
  assert.is(turned.body.id, id);
  for (const each of [key, turned.body.key])
    assert.is((await ask('GET', '/v1/collections', undefined, bearer(each))).status, 200);
  const again = await ask('POST', `/v1/keys/${id}/rotate`, { grace_ms: 0 }, file);
  assert.is(again.body.previous_until, null);
  for (const each of [key, turned.body.key])
    assert.is((await ask('GET', '/v1/collections', undefined, bearer(each))).status, 401);
  assert.is((await ask('DELETE', `/v1/keys/${id}`, undefined, file)).body.deleted, true);
  assert.is((await ask('GET', '/v1/collections', undefined, bearer(again.body.key))).status, 401);
  const gone = await ask('DELETE', `/v1/keys/${id}`, undefined, file);
  assert.equal([gone.status, gone.body.error.type, gone.body.error.details], [404, 'KeyNotFound', { key_id: id }]);
  assert.is((await ask('POST', '/v1/keys/nothing/rotate', { grace_ms: 0 }, file)).status, 404);
});

test('bad wishes are refused by their place', async (t) => {
  const { ask } = await startHttp(t);
  const base = { name: 'a', role: 'admin' };
  const cases: readonly (readonly [unknown, string])[] = [
    [{ ...base, name: '' }, 'name'],
    [{ ...base, name: 'a\n\u001b[2Jb' }, 'name'],
    [{ ...base, role: 'root' }, 'role'],
    [{ ...base, collections: ['ok', 'a*b'] }, 'collections[1]'],
    [{ ...base, role: 'replicate', collections: ['a'] }, 'collections'],
    [{ ...base, expires_at: '2001-01-01T00:00:00Z' }, 'expires_at'],
    [{ ...base, expires_at: 'tomorrow' }, 'expires_at'],
    [{ ...base, rate_limit: { requests_per_second: 0 } }, 'rate_limit.requests_per_second'],
    [{ ...base, secret: 'mine' }, 'secret'],
  ];
  for (const [body, path] of cases) {
    const { status, body: answer } = await ask('POST', '/v1/keys', body);
    assert.equal([status, answer.error?.details.issues?.[0]?.path], [400, path], JSON.stringify(body));
  }
  const repeated = await ask('POST', '/v1/keys', base, { 'idempotency-key': 'k' });
  assert.is(repeated.status, 400);
  assert.is((await ask('POST', '/v1/keys/x/rotate', {})).status, 400);
});

test('a secret is told even where the other nodes have not confirmed it, because it counts already', async (t) => {
  const admins = { apiKey: 'key-of-the-file' };
  for (const writeConcern of [ALONE_OF_TWO, { ...ALONE, mayAcknowledge: () => false }]) {
    const { ask } = await startHttp(t, { ...admins, service: { writeConcern } });
    const file = bearer('key-of-the-file');
    const concern = { required: writeConcern.defaultRequired(), acknowledged: 1 };
    const made = await ask('POST', '/v1/keys', { name: 'a', role: 'admin' }, file);
    assert.equal([made.status, made.body.confirmed, made.body.write_concern], [201, false, concern]);
    const turned = await ask('POST', `/v1/keys/${made.body.id}/rotate`, { grace_ms: 0 }, file);
    assert.equal([turned.status, turned.body.confirmed], [200, false]);
    assert.is((await ask('GET', '/v1/keys', undefined, bearer(turned.body.key))).status, 200);
    assert.is((await ask('DELETE', `/v1/keys/${made.body.id}`, undefined, file)).status, 504);
  }
});

test('a key with a rate limit is told when to come back, and others are not held up', async (t) => {
  const nowMs = systemClock.monotonicMs();
  const { ask, key, as } = await startKeyed(t, { clock: { ...systemClock, monotonicMs: () => nowMs } });
  const slow = key({ rateLimit: { perSecond: 1, burst: 2 } });
  const asked = [];
  for (let i = 0; i < 3; i++) asked.push(await ask('GET', '/v1/collections', undefined, slow));
  assert.equal(
    asked.map(({ status }) => status),
    [200, 200, 429],
  );
  const { body, headers } = asked[2] as (typeof asked)[number];
  assert.is(body.error.type, 'RateLimited');
  assert.ok(body.error.details.retry_after_ms > 0 && body.error.details.retry_after_ms <= 1_000);
  assert.is(headers.get('retry-after'), '1');
  assert.is((await ask('GET', '/v1/collections', undefined, as('read'))).status, 200);
});

test('nothing secret is in a log line or in a list', async (t) => {
  const { ask, log } = await startHttp(t);
  const { key, id } = (await ask('POST', '/v1/keys', { name: 'first', role: 'admin' })).body;
  const secret = key.slice(-43);
  const admin = bearer(key);
  const second = (await ask('POST', `/v1/keys/${id}/rotate`, { grace_ms: 1_000 }, admin)).body.key;
  const list = await ask('GET', '/v1/keys', undefined, bearer(second));
  await ask('GET', '/v1/collections', undefined, { 'api-key': `${key}x` });
  await ask('GET', `/v1/collections/${secret}`, undefined, { authorization: `Basic ${secret}` });
  const said = JSON.stringify([log.filter(({ event }) => event !== 'request failed'), list.body]);
  assert.not(said.includes(secret));
  assert.not(said.includes(second.slice(-43)));
  assert.not(said.includes('hash'));
});

test.run();
