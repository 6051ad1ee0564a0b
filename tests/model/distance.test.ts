/** Distances against plain float64 formulas, and the order and thresholds they imply. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { compareScores, dot, norm, passesThreshold, scorer, squaredEuclid } from '../../src/model/distance.js';
import { suite } from '../support/suite.js';

const test = suite('model/distance');

const component = fc.float({ min: -1000, max: 1000, noNaN: true });
const pair = fc
  .integer({ min: 1, max: 33 })
  .chain((length) =>
    fc.tuple(
      fc.array(component, { minLength: length, maxLength: length }),
      fc.array(component, { minLength: length, maxLength: length }),
    ),
  );

function near(actual: number, expected: number, scale: number): void {
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, scale), `${actual} is not ${expected}`);
}

test('all lengths agree with the plain formulas', () => {
  fc.assert(
    fc.property(pair, ([a, b]) => {
      const x = new Float32Array(a);
      const y = new Float32Array(b);
      const product = a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
      const square = a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0);
      near(dot(x, y), product, a.length * 1e6);
      near(squaredEuclid(x, y), square, a.length * 1e6);
      assert.is(scorer('dot', x)(y), dot(x, y));
      assert.is(scorer('euclid', x)(y), Math.sqrt(squaredEuclid(x, y)));
      const cosine = scorer('cosine', x)(y);
      assert.ok(cosine >= -1 && cosine <= 1);
      if (norm(x) > 1e-3 && norm(y) > 1e-3) near(cosine, product / (Math.hypot(...a) * Math.hypot(...b)), 1);
    }),
  );
});

test('a vector is nearest to itself and a zero vector has cosine 0 to all', () => {
  const x = new Float32Array([3, 4]);
  assert.is(scorer('cosine', x)(x), 1);
  assert.is(scorer('cosine', x)(new Float32Array(2)), 0);
  assert.is(scorer('euclid', x)(x), 0);
});

test('nearer sorts first and thresholds cut in the better direction, bound included', () => {
  assert.ok(compareScores('cosine', 0.9, 0.1) < 0 && compareScores('dot', 0.9, 0.1) < 0 && compareScores('euclid', 0.1, 0.9) < 0);
  assert.ok(passesThreshold('cosine', 0.5, 0.5) && !passesThreshold('cosine', 0.4, 0.5));
  assert.ok(passesThreshold('euclid', 0.5, 0.5) && !passesThreshold('euclid', 0.6, 0.5));
});

test.run();
