/** The budget of file handles: a reserve is kept, grants count at once, and what cannot be read refuses nobody. */

import * as assert from 'uvu/assert';
import { HandleGuard } from '../../src/resilience/handle-guard.js';
import { handleReading, isOutOfHandles } from '../../src/resilience/process-readings.js';
import { refusalOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('resilience/handle-guard');

test('before the first look nothing is refused', () => {
  const guard = new HandleGuard(null);
  assert.is(guard.isShort, false);
  guard.acquire(10_000)();
});

test('the reserve is kept, and what is granted counts before it can be seen', () => {
  const guard = new HandleGuard(null);
  guard.look({ open: 900, limit: 1_000 });
  assert.is(guard.left, 50);
  const giveBack = guard.acquire(40);
  assert.is(guard.left, 10);
  const { type, details } = refusalOf(() => guard.acquire(12));
  assert.equal([type, details], ['Overloaded', { reason: 'handles' }]);
  giveBack();
  giveBack();
  assert.is(guard.left, 50);
  guard.acquire(40);
  guard.look({ open: 940, limit: 1_000 });
  assert.equal([guard.left, guard.isShort], [10, false]);
  guard.look({ open: 950, limit: 1_000 });
  assert.is(guard.isShort, true);
});

test('the reserve has a least and a most', () => {
  const guard = new HandleGuard(null);
  guard.look({ open: 0, limit: 64 });
  assert.is(guard.left, 56);
  guard.look({ open: 0, limit: 1_000_000 });
  assert.is(guard.left, 1_000_000 - 256);
});

test('a limit of its own stands below that of the system, and off stands for none', () => {
  const lower = new HandleGuard(100);
  lower.look({ open: 95, limit: 1_000 });
  assert.equal([lower.limit, lower.isShort], [100, true]);
  const off = new HandleGuard('off');
  off.look({ open: 1_000, limit: 1_000 });
  assert.is(off.isShort, false);
});

test('when not even one handle is left to count with, it is short', () => {
  const guard = new HandleGuard(null);
  guard.look({ open: 10, limit: 1_000 });
  guard.look('exhausted');
  assert.is(guard.isShort, true);
});

test('the kernel tells how many are open and may be', async () => {
  const reading = await handleReading();
  if (reading === null || reading === 'exhausted') return assert.is(process.platform === 'linux', false);
  assert.ok(reading.open > 2 && reading.open < reading.limit, JSON.stringify(reading));
  assert.equal([isOutOfHandles({ code: 'EMFILE' }), isOutOfHandles(new Error('x')), isOutOfHandles(null)], [true, false, false]);
});

test.run();
