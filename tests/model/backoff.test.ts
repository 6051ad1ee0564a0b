/** Backoff: the three strategies, their bound, and jitter. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BACKOFF_STRATEGIES, type Backoff, delayMs, jittered } from '../../src/model/backoff.js';
import { suite } from '../support/suite.js';

const test = suite('model/backoff');

const waits = (backoff: Backoff, tries: number): number[] => Array.from({ length: tries }, (_, i) => delayMs(backoff, i + 1));

test('waits stay, grow by steps, or grow by a factor, up to the longest one', () => {
  const base = { baseDelayMs: 1_000, maxDelayMs: 5_000, factor: 2 };
  assert.equal(waits({ ...base, strategy: 'fixed' }, 4), [1_000, 1_000, 1_000, 1_000]);
  assert.equal(waits({ ...base, strategy: 'linear' }, 6), [1_000, 2_000, 3_000, 4_000, 5_000, 5_000]);
  assert.equal(waits({ ...base, strategy: 'exponential' }, 5), [1_000, 2_000, 4_000, 5_000, 5_000]);
  // The numbers of S3-12: five tries of a database with base 2 s.
  assert.equal(
    waits({ ...base, strategy: 'exponential', baseDelayMs: 2_000, maxDelayMs: 60_000 }, 4),
    [2_000, 4_000, 8_000, 16_000],
  );
});

test('a wait never shrinks with more failures, never passes the longest, and jitter takes at most half of it', (t) => {
  const backoff = fc.record({
    strategy: fc.constantFrom(...BACKOFF_STRATEGIES),
    baseDelayMs: fc.nat(100_000),
    maxDelayMs: fc.nat(1_000_000),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
  });
  const property = fc.property(
    backoff,
    fc.integer({ min: 1, max: 5_000 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (given, n, random) => {
      const waitMs = delayMs(given, n);
      assert.ok(waitMs >= 0 && waitMs <= given.maxDelayMs);
      assert.ok(delayMs(given, n + 1) >= waitMs);
      assert.ok(jittered(waitMs, random) >= waitMs / 2 && jittered(waitMs, random) <= waitMs);
    },
  );
  fc.assert(property, { seed: t.seed(), numRuns: 500 });
});

test.run();
