/** The share of refused requests follows the delay of the event loop, step by step, and comes back to nothing. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { LOOK_MS, ShedShare } from '../../src/resilience/shed-share.js';
import { suite } from '../support/suite.js';

const test = suite('resilience/shed-share');
const RULES = { delayMaxMs: 250 };
const RECOVERY_MS = 5_000;

function refusedOf(share: ShedShare, requests: number): number {
  let refused = 0;
  for (let i = 0; i < requests; i++) if (share.next()) refused += 1;
  return refused;
}

test('one stall, however long, refuses nobody', () => {
  const share = new ShedShare(RULES);
  for (const delayMs of [0, 10_000, 0, 0, 10_000, 3]) {
    share.look(delayMs);
    assert.is(refusedOf(share, 100), 0);
  }
});

test('a loop that stays late has more and more refused, never all', () => {
  const share = new ShedShare(RULES);
  let before = 0;
  for (let i = 0; i < 40; i++) {
    share.look(400);
    assert.ok(share.share >= before);
    before = share.share;
  }
  const refused = refusedOf(share, 1_000);
  assert.ok(refused >= 940 && refused <= 960, `${refused} of 1,000`);
});

test('between half of the bound and the bound the share stays', () => {
  const share = new ShedShare(RULES);
  for (let i = 0; i < 6; i++) share.look(400);
  const before = share.share;
  for (let i = 0; i < 20; i++) share.look(200);
  assert.is(share.share, before);
});

test('from the most on, a loop that is in time again has nobody refused within five seconds', () => {
  const share = new ShedShare(RULES);
  for (let i = 0; i < 100; i++) share.look(1_000);
  for (let ms = 0; ms < RECOVERY_MS; ms += LOOK_MS) share.look(0);
  assert.is(share.share, 0);
  assert.is(refusedOf(share, 1_000), 0);
});

test('0 switches it off', () => {
  const share = new ShedShare({ delayMaxMs: 0 });
  for (let i = 0; i < 100; i++) share.look(10_000);
  assert.is(refusedOf(share, 1_000), 0);
});

test('refusals are spread evenly over any row of requests', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 30 }), fc.integer({ min: 1, max: 2_000 }), (looks, requests) => {
      const share = new ShedShare(RULES);
      for (let i = 0; i < looks; i++) share.look(1_000);
      const refused = refusedOf(share, requests);
      assert.ok(Math.abs(refused - share.share * requests) <= 1, `${refused} of ${requests} at ${share.share}`);
    }),
  );
});

test.run();
