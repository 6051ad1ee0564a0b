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
  assert.is(guard.look(900), false);
  assert.is(guard.look(1_001), true);
  guard.admitGrowth();
  assert.is(guard.look(990), false);
  assert.is(guard.state, 'free');
  guard.admitGrowth();
});

test('what is still over the limit after that refuses writes with what is used and what may be, until 5 % are free', () => {
  const guard = new MemoryGuard(LIMIT);
  guard.look(1_100);
  guard.look(1_050);
  assert.equal(guard.state, 'full');
  const error = refusalOf(() => guard.admitGrowth());
  assert.equal([error.type, error.details], ['MemoryLimitExceeded', { used_bytes: 1_050, limit_bytes: LIMIT }]);
  guard.look(960);
  assert.is(guard.state, 'full');
  guard.look(950);
  assert.is(guard.state, 'free');
});

test('while it stays full, caches are cleared again now and then', () => {
  const guard = new MemoryGuard(LIMIT);
  const reliefs = Array.from({ length: 42 }, () => guard.look(2_000)).filter(Boolean).length;
  assert.equal([reliefs, guard.reliefs], [5, 5]);
});

test('without a limit nothing is ever done', () => {
  const guard = new MemoryGuard(null);
  assert.is(guard.look(Number.MAX_SAFE_INTEGER), false);
  guard.admitGrowth();
});

test('whatever is looked at: full only after caches were cleared and a second look, free only at or below the limit', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2_000 })), (looks) => {
      const guard = new MemoryGuard(LIMIT);
      let reliefs = 0;
      for (const used of looks) {
        const before = guard.state;
        if (guard.look(used)) reliefs += 1;
        assert.is(guard.reliefs, reliefs);
        if (guard.state === 'full') assert.ok(before !== 'free' && used > LIMIT * 0.95);
        else if (guard.state === 'free') assert.ok(used <= LIMIT);
        else assert.ok(before === 'free' && used > LIMIT);
      }
    }),
  );
});

test.run();
