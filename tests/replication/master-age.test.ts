/** What a master may know of being the newest: silence of its voters makes it old, a minority's does not, and what it never knew is unknown. */

import * as assert from 'uvu/assert';
import { masterAgeMs } from '../../src/replication/master-age.js';
import { suite } from '../support/suite.js';

const test = suite('replication/master-age');

const age = (heardMs: readonly (number | null)[], more: { isVoter?: boolean; promotedMs?: number | null } = {}) =>
  masterAgeMs({ nowMs: 60_000, heartbeatMs: 1_000, isVoter: true, promotedMs: null, heardMs, ...more });

test('alone it is never old', () => {
  assert.equal([age([]), age([], { isVoter: false })], [0, 0]);
});

test('with the others of a majority heard it is new; without, as old as the last word that made one', () => {
  assert.is(age([58_000]), 0, 'within two heartbeats');
  assert.is(age([57_999]), 2_001);
  assert.is(age([10_000, 59_000]), 0, 'one of three may be silent');
  assert.is(age([10_000, 20_000]), 40_000, 'the later of the two made a majority');
  assert.is(age([59_000, 20_000, 10_000, null]), 40_000, 'of five, two others');
  assert.is(age([59_000, 20_000], { isVoter: false }), 40_000, 'one that counts in no majority needs both');
});

test('what was never heard is not known, and a promotion is a moment at which it was the newest', () => {
  assert.equal([age([null]), age([59_000, null, null, null])], [null, null]);
  assert.equal([age([null], { promotedMs: 59_000 }), age([null], { promotedMs: 50_000 })], [0, 10_000]);
  assert.is(age([40_000], { promotedMs: 50_000 }), 10_000);
  assert.is(age([55_000], { promotedMs: 50_000 }), 5_000);
});

test.run();
