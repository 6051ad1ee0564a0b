/** What is asked of access keys, resolved: random sequences never leave keys without a lasting admin key when that is asked for, secrets
 *  work exactly as long as rotation says. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type KeyOperation, resolveKey } from '../../src/engine/key-operations.js';
import { type AccessKey, isLastingAdmin } from '../../src/model/access-key.js';
import { SkeinError } from '../../src/model/errors.js';
import { FIXED } from '../../src/model/limits.js';
import { anyAccessKey } from '../support/any-access-key.js';
import { accessKey } from '../support/fake-keys.js';
import { suite } from '../support/suite.js';

const test = suite('engine/key-operations');

const id = fc.constantFrom('a'.repeat(16), 'b'.repeat(16), 'c'.repeat(16));
const newKey = fc.tuple(anyAccessKey, id, fc.boolean()).map(([key, own, lasting]) => ({
  ...key,
  id: own,
  ...(lasting ? { role: 'admin' as const, scope: null, expiresAtMs: null } : {}),
}));
const operation: fc.Arbitrary<KeyOperation> = fc.oneof(
  newKey.map((key): KeyOperation => ({ kind: 'create_key', key, keepsAdmin: true })),
  fc
    .tuple(id, fc.nat(5))
    .map(([own, graceMs]): KeyOperation => ({ kind: 'rotate_key', id: own, hash: new Uint8Array(32).fill(graceMs), graceMs })),
  id.map((own): KeyOperation => ({ kind: 'delete_key', id: own, keepsAdmin: true })),
);

function take(keys: Map<string, AccessKey>, given: KeyOperation, timeMs: number): void {
  for (const effect of resolveKey(given, { accessKeys: keys }, timeMs).effects) {
    if (effect.kind === 'put_key') keys.set(effect.key.id, effect.key);
    if (effect.kind === 'remove_key') keys.delete(effect.id);
  }
}

test('while admins are kept, there are no keys without one that lasts, whatever is asked', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const keys = new Map<string, AccessKey>();
      for (const [timeMs, each] of operations.entries()) {
        try {
          take(keys, each, timeMs);
        } catch (error) {
          assert.ok(error instanceof SkeinError);
        }
        assert.ok(keys.size === 0 || [...keys.values()].some(isLastingAdmin));
      }
    }),
    { numRuns: 300 },
  );
});

test('the last key of all is not deleted while admins are kept, and is when they need not be', () => {
  const admin = accessKey('a'.repeat(16), { role: 'admin' });
  const keys = new Map([[admin.id, admin]]);
  assert.throws(() => take(keys, { kind: 'delete_key', id: admin.id, keepsAdmin: true }, 0), /Afterwards no admin key/);
  take(keys, { kind: 'delete_key', id: admin.id, keepsAdmin: false }, 0);
  assert.is(keys.size, 0);
});

test('a rotation keeps the secret before it for its grace, and no older one', () => {
  const before = accessKey('a'.repeat(16));
  const keys = new Map([[before.id, before]]);
  const [first, second] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  take(keys, { kind: 'rotate_key', id: before.id, hash: first, graceMs: 500 }, 10_000);
  assert.equal(keys.get(before.id), {
    ...before,
    hash: first,
    rotatedAtMs: 10_000,
    previous: { hash: before.hash, untilMs: 10_500 },
  });
  take(keys, { kind: 'rotate_key', id: before.id, hash: second, graceMs: 0 }, 10_100);
  assert.equal(keys.get(before.id), { ...before, hash: second, rotatedAtMs: 10_100, previous: null });
  assert.throws(() => take(keys, { kind: 'rotate_key', id: 'none', hash: first, graceMs: 0 }, 0), /No access key/);
});

test('more keys than a node holds are refused', () => {
  const keys = new Map(Array.from({ length: FIXED.accessKeysMax }, (_, i) => [`${i}`, accessKey(`${i}`)]));
  const create: KeyOperation = { kind: 'create_key', key: accessKey('f'.repeat(16)), keepsAdmin: false };
  assert.throws(() => take(keys, create, 0), /maximum of 10000 access keys/);
});

test.run();
