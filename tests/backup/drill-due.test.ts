/** When a drill is due: by what this process did and by what others noted, and whatever is done to the clock of the world. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type DrillProgress, isDrillDue } from '../../src/backup/drill-due.js';
import { suite } from '../support/suite.js';

const test = suite('backup/drill-due');
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const NOW_MS = 400 * WEEK_MS;
const NONE: DrillProgress = { wallMs: NOW_MS, monotonicMs: 0, lastDrill: null, provenAtMs: [], oldestAtMs: NOW_MS };

const due = (progress: Partial<DrillProgress>): boolean => isDrillDue({ ...NONE, ...progress }, WEEK_MS);

test('the first proof comes an hour after the first backup, the next an interval after the newest proof', () => {
  assert.is(due({}), false);
  assert.is(due({ oldestAtMs: NOW_MS - HOUR_MS }), true);
  assert.is(isDrillDue({ ...NONE, oldestAtMs: NOW_MS - WEEK_MS }, 0), false, '0: never');
  const oldestAtMs = NOW_MS - 4 * WEEK_MS;
  assert.is(due({ oldestAtMs, provenAtMs: [NOW_MS - 2 * WEEK_MS, NOW_MS - WEEK_MS + 1] }), false);
  assert.is(due({ oldestAtMs, provenAtMs: [NOW_MS - 2 * WEEK_MS, NOW_MS - WEEK_MS] }), true);
});

test('a proof of its own counts for an interval, one that failed is tried again after an hour', () => {
  const [old, monotonicMs] = [{ oldestAtMs: NOW_MS - 4 * WEEK_MS }, 9 * WEEK_MS];
  const since = (ok: boolean, ms: number): boolean =>
    due({ ...old, monotonicMs, lastDrill: { ok, endedAtMs: monotonicMs - ms } });
  assert.equal([since(true, WEEK_MS - 1), since(true, WEEK_MS)], [false, true]);
  assert.equal([since(false, HOUR_MS - 1), since(false, HOUR_MS)], [false, true]);
});

test('what lies in the future was noted before the clock was set back, and holds nothing up', () => {
  const future = NOW_MS + 3 * WEEK_MS;
  assert.is(due({ oldestAtMs: future, provenAtMs: [] }), true, 'a backup of unknown age');
  assert.is(due({ oldestAtMs: future, provenAtMs: [future] }), true, 'a proof of unknown age');
  assert.is(
    due({ oldestAtMs: NOW_MS - WEEK_MS, provenAtMs: [future, NOW_MS - HOUR_MS] }),
    false,
    'a proof of known age beside it',
  );
  assert.is(due({ oldestAtMs: NOW_MS - WEEK_MS, provenAtMs: [NOW_MS + 10_000] }), false, 'clocks of nodes differ a little');
});

test('what this process did itself is timed by no clock that can be set', () => {
  const ms = fc.integer({ min: 0, max: 800 * WEEK_MS });
  fc.assert(
    fc.property(ms, ms, ms, fc.integer({ min: 0, max: 2 * WEEK_MS }), (wallMs, oldestAtMs, provenMs, sinceMs) => {
      const lastDrill = { ok: true, endedAtMs: 5 * WEEK_MS };
      const monotonicMs = lastDrill.endedAtMs + sinceMs;
      assert.is(due({ wallMs, oldestAtMs, provenAtMs: [provenMs], lastDrill, monotonicMs }), sinceMs >= WEEK_MS);
    }),
  );
});

test.run();
