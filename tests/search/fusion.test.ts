/** Fusion: worked examples of each method, and what holds for all of them. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DEFAULT_FUSION, FUSION_METHODS, type Fusion } from '../../src/model/fusion.js';
import { fuse, type Ranking } from '../../src/search/fusion.js';
import { suite } from '../support/suite.js';

const test = suite('search/fusion');

const ranking = (pairs: readonly (readonly [number, number])[], lowerIsBetter = false): Ranking => ({
  labels: Uint32Array.from(pairs, ([label]) => label),
  scores: Float64Array.from(pairs, ([, score]) => score),
  lowerIsBetter,
});
const using = (method: Fusion['method'], weights = DEFAULT_FUSION.weights): Fusion => ({ method, rrfK: 60, weights });

/** Best first, each label once. */
const anyRanking = fc.uniqueArray(fc.nat(30), { maxLength: 12 }).chain((labels) =>
  fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: labels.length, maxLength: labels.length }).map((scores) => {
    const sorted = scores.sort((a, b) => b - a);
    return ranking(labels.map((label, i) => [label, sorted[i] as number]));
  }),
);
const anyFusion = fc.constantFrom(...FUSION_METHODS).map((method) => using(method));

test('reciprocal ranks add up: what both sides know comes first', () => {
  const fused = fuse(
    ranking([
      [1, 0.9],
      [2, 0.8],
    ]),
    ranking([
      [2, 7],
      [3, 5],
    ]),
    using('rrf'),
  );
  assert.equal([...fused.labels], [2, 1, 3]);
  assert.equal([...fused.scores], [1 / 62 + 1 / 61, 1 / 61, 1 / 62]);
});

test('weights count one side more', () => {
  const fused = fuse(ranking([[1, 0.9]]), ranking([[2, 7]]), using('rrf', { vector: 1, text: 3 }));
  assert.equal([...fused.labels], [2, 1]);
});

test('weighted sums lie between the worst and the best of each side, and smaller distances are better', () => {
  const near = ranking(
    [
      [1, 0],
      [2, 5],
      [3, 10],
    ],
    true,
  );
  const fused = fuse(
    near,
    ranking([
      [3, 4],
      [1, 2],
    ]),
    using('weighted', { vector: 0.5, text: 0.5 }),
  );
  assert.equal(Object.fromEntries([...fused.labels].map((label, i) => [label, fused.scores[i]])), { 1: 0.5, 2: 0.25, 3: 0.5 });
  assert.equal([...fused.labels], [1, 3, 2], 'of equal scores the lower label comes first');
});

test('distribution-based scores: mean is a half, three deviations are the ends', () => {
  const fused = fuse(
    ranking([
      [1, 3],
      [2, 1],
    ]),
    ranking([]),
    using('dbsf'),
  );
  assert.equal([...fused.scores], [2 / 6 - 1 / 6 + 0.5, 0.5 - 1 / 6]);
});

test('lists of one score or none give no NaN', () => {
  for (const method of FUSION_METHODS) {
    const fused = fuse(
      ranking([
        [1, 2],
        [2, 2],
      ]),
      ranking([[3, 0]]),
      using(method),
    );
    assert.ok(fused.scores.every(Number.isFinite), method);
    assert.is(fuse(ranking([]), ranking([]), using(method)).labels.length, 0);
  }
});

test('every label of either side is there once, best first, whatever the method', () => {
  fc.assert(
    fc.property(anyRanking, anyRanking, anyFusion, (vector, text, fusion) => {
      const { labels, scores } = fuse(vector, text, fusion);
      assert.equal(
        [...labels].sort((a, b) => a - b),
        [...new Set([...vector.labels, ...text.labels])].sort((a, b) => a - b),
      );
      for (let i = 1; i < scores.length; i++) assert.ok((scores[i - 1] as number) >= (scores[i] as number));
    }),
  );
});

test('what is ahead in both lists is not behind in the fused one', () => {
  fc.assert(
    fc.property(anyRanking, anyRanking, anyFusion, (vector, text, fusion) => {
      const { labels } = fuse(vector, text, fusion);
      const place = new Map([...labels].map((label, i) => [label, i]));
      for (const a of vector.labels) {
        for (const b of vector.labels) {
          const ahead = (list: Ranking): boolean => {
            const [one, other] = [list.labels.indexOf(a), list.labels.indexOf(b)];
            return one >= 0 && other >= 0 && one < other && (list.scores[one] as number) > (list.scores[other] as number);
          };
          if (ahead(vector) && ahead(text)) assert.ok((place.get(a) as number) < (place.get(b) as number));
        }
      }
    }),
  );
});

test.run();
