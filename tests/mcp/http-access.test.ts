/** Who may speak MCP over HTTP: by path, name, origin, method and key. */
import * as assert from 'uvu/assert';
import { type AccessRequest, keyOf, pathOf, refusalOf } from '../../src/mcp/http-access.js';
import { suite } from '../support/suite.js';

const test = suite('mcp/http-access');
const RULES = { loopback: true, hosts: ['mcp.example'], keyNeeded: false };

const request = (headers: AccessRequest['headers'], method = 'POST', path = '/mcp'): AccessRequest => ({ method, path, headers });
const statusOf = (headers: AccessRequest['headers'], rules = RULES): number | null =>
  refusalOf(request(headers), rules)?.status ?? null;

test('on a loopback address no name that somebody outside may own is answered to, but for those that were allowed', () => {
  for (const host of ['localhost', 'LOCALHOST:7172', '127.0.0.1:7172', '[::1]:7172', 'mcp.example', ''])
    assert.is(statusOf({ host }), null, host);
  for (const host of ['evil.example', 'localhost.evil.example:7172', '127.0.0.1.evil.example'])
    assert.is(statusOf({ host }), 403, host);
  assert.is(statusOf({}), null, 'no browser leaves the name out');
  assert.is(statusOf({ host: 'any.example' }, { ...RULES, loopback: false }), null);
});

test('pages of other origins are refused, also those that have none to show', () => {
  const host = 'localhost:7172';
  assert.is(statusOf({ host, origin: 'http://localhost:7172' }), null);
  for (const origin of ['http://localhost:8080', 'https://evil.example', 'null', ''])
    assert.is(statusOf({ host, origin }), 403, origin);
});

test('only POST at the one path is answered', () => {
  const headers = { host: 'localhost' };
  assert.is(refusalOf(request(headers, 'POST', '/'), RULES)?.status, 404);
  const get = refusalOf(request(headers, 'GET'), RULES);
  assert.equal([get?.status, get?.headers], [405, { allow: 'POST' }]);
});

test('the path of any target is told, also where the target is none', () => {
  const paths = {
    '/mcp?a=b': '/mcp',
    'http://any.example/mcp?a': '/mcp',
    '//': '//',
    '//evil': '//evil',
    'http://[': 'http://[',
  };
  for (const [target, path] of Object.entries({ ...paths, '*': '*', '': '' })) assert.is(pathOf(target), path, target);
});

test('a key is read from either header, and asked for where one is needed', () => {
  assert.is(keyOf({ authorization: 'Bearer abc' }), 'abc');
  assert.is(keyOf({ authorization: 'bearer  abc' }), 'abc');
  assert.is(keyOf({ 'api-key': 'abc' }), 'abc');
  for (const headers of [{}, { authorization: 'Basic abc' }, { authorization: 'Bearer a b' }, { 'api-key': '' }])
    assert.is(keyOf(headers), null);
  const rules = { ...RULES, keyNeeded: true };
  assert.equal(refusalOf(request({ host: 'localhost' }), rules)?.headers, { 'www-authenticate': 'Bearer' });
  assert.is(statusOf({ host: 'localhost', 'api-key': 'abc' }, rules), null);
});

test.run();
