/** Exact scans against sorting everything. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { compareScores, DISTANCES, scorer } from '../../src/model/distance.js';
import { exactTopK, TopK } from '../../src/vector-index/exact-scan.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/exact-scan');

const distance = fc.constantFrom(...DISTANCES);
/** Few different scores, so that ties are common. */
const scores = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), { maxLength: 300 });

test('keeps the best of all offers, equal scores by label, whatever the order of offers', () => {
  fc.assert(
    fc.property(distance, fc.integer({ min: 1, max: 100 }), scores, fc.boolean(), (chosen, limit, offered, backwards) => {
      const pairs = offered.map((score, label) => ({ score, label }));
      const top = new TopK(chosen, limit);
      for (const { score, label } of backwards ? pairs.toReversed() : pairs) top.offer(label, score);
      const expected = pairs.toSorted((a, b) => compareScores(chosen, a.score, b.score) || a.label - b.label).slice(0, limit);
      assert.is(top.count, expected.length);
      const kept = top.finish();
      assert.equal(
        [...kept.labels],
        expected.map(({ label }) => label),
      );
      assert.equal(
        [...kept.scores],
        expected.map(({ score }) => score),
      );
      assert.is(top.count, 0);
    }),
  );
});

test('an exact scan scores as model/distance does, and a threshold cuts in the better direction with its bound inside', () => {
  const query = Float32Array.of(1, 0);
  const rows = [Float32Array.of(1, 0), Float32Array.of(0.5, 0), Float32Array.of(-1, 0), Float32Array.of(0, 3)];
  for (const chosen of DISTANCES) {
    const score = scorer(chosen, query);
    const threshold = score(rows[1] as Float32Array);
    const scan = exactTopK(chosen, query, 10, threshold);
    for (const [label, row] of rows.entries()) scan.offer(label, row);
    const { labels, scores: found } = scan.finish();
    assert.equal([...labels].sort(), [0, 1]);
    assert.equal(
      [...found],
      [...labels].map((label) => score(rows[label] as Float32Array)),
    );
    assert.is(scan.scanned, 4);
  }
});

test('a limit that is not a positive integer is refused', () => {
  for (const limit of [0, -1, 2.5, Number.NaN]) assert.throws(() => new TopK('dot', limit), /limit/);
});

test.run();
