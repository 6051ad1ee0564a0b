/** The best of many are those that sorting finds. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { BestHits } from '../../src/text-index/best-hits.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/best-hits');

test('of any offers the best come back in order, ties by label', () => {
  const offers = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(1_000)), {
    maxLength: 80,
    selector: ([, label]) => label,
  });
  fc.assert(
    fc.property(offers, fc.nat(30), (offered, limit) => {
      const best = new BestHits(limit);
      for (const [score, label] of offered) best.offer(score / 3, label);
      const sorted = [...offered].sort(([a, labelA], [b, labelB]) => b - a || labelA - labelB).slice(0, limit);
      const { labels, scores } = best.takeAll();
      assert.equal(
        [...labels],
        sorted.map(([, label]) => label),
      );
      assert.equal(
        [...scores],
        sorted.map(([score]) => score / 3),
      );
      assert.is(best.takeAll().labels.length, 0);
    }),
    { numRuns: 1_000 },
  );
});

test.run();
