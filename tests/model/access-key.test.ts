/** Roles and scopes: what each role allows, and which names are in a scope. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { allows, inScope, isExpired, isScopePattern, KEY_ROLES, type Need } from '../../src/model/access-key.js';
import { suite } from '../support/suite.js';

const test = suite('model/access-key');

test('each role allows what its line says and nothing else', () => {
  const needs: readonly Need[] = ['none', 'read', 'write', 'admin', 'replicate'];
  const table = KEY_ROLES.map((role) => [role, needs.filter((need) => allows(role, need))]);
  assert.equal(table, [
    ['admin', ['none', 'read', 'write', 'admin', 'replicate']],
    ['write', ['none', 'read', 'write', 'replicate']],
    ['read', ['none', 'read', 'replicate']],
    ['replicate', ['none', 'replicate']],
  ]);
});

test('a name is in a scope when a pattern is the name, or its beginning with a star behind it', () => {
  const scope = ['films', 'tenant-7-*'];
  const names = ['films', 'films2', 'film', 'tenant-7-', 'tenant-7-a', 'tenant-70', 'Tenant-7-a', '*', ''];
  assert.equal(
    names.filter((name) => inScope(scope, name)),
    ['films', 'tenant-7-', 'tenant-7-a'],
  );
  assert.ok(inScope(null, 'anything') && inScope(['*'], 'anything'));
  assert.not(inScope([], 'anything'));
});

test('a pattern has the form of a name, a star at its end alone', () => {
  for (const good of ['a', 'a*', '*', 'a.b-c_d', '-x*', 'a'.repeat(128), `${'a'.repeat(128)}*`])
    assert.ok(isScopePattern(good), good);
  for (const bad of ['', '.a', '.*', 'a**', '*a', 'a*b', 'a b', 'ä', 'a/b', 'a'.repeat(130)])
    assert.not(isScopePattern(bad), bad);
  fc.assert(fc.property(fc.string(), (text) => assert.type(isScopePattern(text), 'boolean')));
});

test('a key is refused from the moment on at which it expires', () => {
  assert.equal(
    [9, 10, 11].map((nowMs) => isExpired({ expiresAtMs: 10 }, nowMs)),
    [false, true, true],
  );
  assert.not(isExpired({ expiresAtMs: null }, Number.MAX_SAFE_INTEGER));
});

test.run();
