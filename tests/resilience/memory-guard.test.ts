/** Memory over the limit: caches first, then a second look, then no writes until it is well under the limit again. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { MemoryGuard } from '../../src/resilience/memory-guard.js';
import { refusalOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('resilience/memory-guard');
const LIMIT = 1_000;

test('caches are cleared once, and when that helped nothing is refused', () => {
  const guard = new MemoryGuard(LIMIT);
  assert.is(guard.look(900, 0), false);
  assert.is(guard.look(1_001, 1_000), true);
  guard.admitGrowth();
  assert.is(guard.look(990, 1_200), false);
  assert.is(guard.state, 'relieved');
  guard.admitGrowth();
  guard.look(950, 2_000);
  assert.is(guard.state, 'free');
});

test('what is still over the limit after that refuses writes with what is used and what may be, until 5 % are free', () => {
  const guard = new MemoryGuard(LIMIT);
  guard.look(1_100, 0);
  guard.look(1_050, 200);
  assert.equal(guard.state, 'full');
  const error = refusalOf(() => guard.admitGrowth());
  assert.equal([error.type, error.details], ['MemoryLimitExceeded', { used_bytes: 1_050, limit_bytes: LIMIT }]);
  guard.look(960, 1_000);
  assert.is(guard.state, 'full');
  guard.look(950, 2_000);
  assert.is(guard.state, 'free');
});

test('while it stays full, caches are cleared again every ten seconds', () => {
  const guard = new MemoryGuard(LIMIT);
  const reliefs = Array.from({ length: 42 }, (_, second) => guard.look(2_000, 1_000 * second)).filter(Boolean).length;
  assert.equal([reliefs, guard.reliefs], [5, 5]);
});

test('around the limit it does not swing: one relief in ten seconds, however often it is over', () => {
  for (const under of [999, 951, 900, 0]) {
    const guard = new MemoryGuard(LIMIT);
    for (let second = 0; second < 20; second++) guard.look(second % 2 === 0 ? 1_001 : under, 1_000 * second);
    assert.is(guard.reliefs, 2, `between ${under} and over`);
  }
});

test('after ten seconds below the limit, and not well under it, one that is over has its caches cleared before writes are refused', () => {
  const guard = new MemoryGuard(LIMIT);
  assert.is(guard.look(1_001, 0), true);
  guard.look(990, 200);
  assert.is(guard.look(1_001, 10_000), true);
  guard.admitGrowth();
  guard.look(1_001, 10_200);
  assert.is(guard.state, 'full');
});

test('without a limit nothing is ever done', () => {
  const guard = new MemoryGuard(null);
  assert.is(guard.look(Number.MAX_SAFE_INTEGER, 0), false);
  guard.admitGrowth();
});

const LOOKS = fc.array(fc.record({ used: fc.integer({ min: 0, max: 2_000 }), afterMs: fc.integer({ min: 0, max: 12_000 }) }));

test('whatever is looked at: full only soon after caches were cleared, free only well under the limit, reliefs ten seconds apart', () => {
  fc.assert(
    fc.property(LOOKS, (looks) => {
      const guard = new MemoryGuard(LIMIT);
      let [nowMs, relievedMs] = [0, Number.NEGATIVE_INFINITY];
      for (const { used, afterMs } of looks) {
        const before = guard.state;
        nowMs += afterMs;
        if (guard.look(used, nowMs)) {
          assert.ok(nowMs - relievedMs >= 10_000);
          relievedMs = nowMs;
        }
        if (guard.state === 'full') assert.ok(used > LIMIT * 0.95 && (before === 'full' || nowMs - relievedMs < 10_000));
        else if (guard.state === 'free') assert.ok(used <= LIMIT * 0.95 || (before === 'free' && used <= LIMIT));
        else assert.ok(used > LIMIT * 0.95 && relievedMs >= 0);
      }
    }),
  );
});

test.run();
