/** Figures of this machine: what is told of them, and from when on. */

import * as assert from 'uvu/assert';
import { systemFigures } from '../../src/observability/system-figures.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('observability/system-figures');
const WINDOW_MS = 30_000;

function figures(t: TestContext): { figures: ReturnType<typeof systemFigures>; at(ms: number): void } {
  let nowMs = 1_000;
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  const made = systemFigures(t.folder(), WINDOW_MS, clock);
  t.after(() => made.stop());
  return {
    figures: made,
    at: (ms) => {
      nowMs = 1_000 + ms;
    },
  };
}

test('the use of CPU is told when the window has passed once, so that a start does not count for more than it is', (t) => {
  const { figures: system, at } = figures(t);
  for (const ms of [0, 5_000, WINDOW_MS - 1]) {
    at(ms);
    assert.is(system.cpu().share, null, `after ${ms} ms`);
  }
  at(WINDOW_MS);
  const { share, windowMs } = system.cpu();
  assert.ok(share !== null && share >= 0 && share <= 1, `${share}`);
  assert.is(windowMs, WINDOW_MS);
  for (let ms = WINDOW_MS; ms < 3 * WINDOW_MS; ms += 5_000) {
    at(ms);
    assert.ok(system.cpu().windowMs < 2 * WINDOW_MS);
  }
});

test.run();
