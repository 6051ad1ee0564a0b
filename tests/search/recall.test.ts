/** Recall by scores: what is as near as the last of the truth counts, whatever its name. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type RankedLabels, recallOf } from '../../src/search/recall.js';
import { suite } from '../support/suite.js';

const test = suite('search/recall');

const ranked = (...hits: readonly (readonly [label: number, score: number])[]): RankedLabels => ({
  labels: Uint32Array.from(hits, ([label]) => label),
  scores: Float64Array.from(hits, ([, score]) => score),
});

test('it is the share of the nearest points that was found', () => {
  const truth = ranked([1, 0.9], [2, 0.8], [3, 0.7], [4, 0.6]);
  assert.is(recallOf(truth, truth, 4, false), 1);
  assert.is(recallOf(ranked([1, 0.9], [2, 0.8], [5, 0.5], [6, 0.4]), truth, 4, false), 0.5);
  assert.is(recallOf(ranked(), truth, 4, false), 0);
  // Only as many as are wanted count, however many both name.
  assert.is(recallOf(ranked([1, 0.9], [3, 0.7]), truth, 2, false), 0.5);
  assert.is(recallOf(truth, truth, 2, false), 1);
});

test('of a distance the lower one is nearer', () => {
  const truth = ranked([1, 1], [2, 2]);
  assert.is(recallOf(ranked([1, 1], [3, 3]), truth, 2, true), 0.5);
  assert.is(recallOf(ranked([1, 1], [3, 2]), truth, 2, true), 1);
});

test('a point that is just as near counts, though the truth names another', () => {
  const truth = ranked([1, 0.9], [2, 0.7]);
  assert.is(recallOf(ranked([1, 0.9], [7, 0.7]), truth, 2, false), 1);
  assert.is(recallOf(ranked([1, 0.9], [7, 0.6999]), truth, 2, false), 0.5);
});

test('what the truth names counts, though the answer has rounded its score', () => {
  assert.is(recallOf(ranked([1, 0.85]), ranked([1, 0.9]), 1, false), 1);
});

test('where nothing is to be found there is no recall', () => {
  assert.is(recallOf(ranked(), ranked(), 10, false), null);
});

test('it is the share by names wherever all scores differ', () => {
  const scores = fc.uniqueArray(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      scores,
      fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (all, kept, limit) => {
        const sorted = [...all].sort((a, b) => a - b).map((score, label) => [label, score] as const);
        const truth = ranked(...sorted.slice(0, limit));
        const found = sorted.filter((_, i) => kept[i]).slice(0, limit);
        const names = new Set(truth.labels);
        const expected = found.filter(([label]) => names.has(label)).length / truth.labels.length;
        assert.is(recallOf(ranked(...found), truth, limit, true), expected);
      },
    ),
  );
});

test.run();
