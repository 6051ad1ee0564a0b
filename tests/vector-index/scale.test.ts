/** The factors: whatever is ranked stays within float32, with room for sums of products and of squared differences. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DISTANCES, dot, norm, scorer, squaredEuclid } from '../../src/model/distance.js';
import {
  COSINE_ERROR,
  queryScale,
  scoreOfDistance,
  scoreOfMeasure,
  storedScale,
  unitScale,
} from '../../src/vector-index/scale.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/scale');
const FLOAT32_MAX = 2 ** 128;
/** All lengths that float32 vectors can have, evenly over the orders of magnitude. */
const length = fc
  .tuple(fc.integer({ min: -149, max: 135 }), fc.double({ min: 1, max: 2, noNaN: true }))
  .map(([e, m]) => m * 2 ** e);

test('dot: products of whatever is ranked are at least 1 and do not overflow, and factors are powers of two', () => {
  fc.assert(
    fc.property(length, length, length, (a, b, query) => {
      for (const scale of [storedScale('dot', a), queryScale('dot', query)]) {
        if (scale !== null) assert.ok(Number.isInteger(Math.log2(scale)));
      }
      const [first, second] = [a, b].map((stored) => stored * (storedScale('dot', stored) ?? Number.NaN)) as [number, number];
      const asked = query * (queryScale('dot', query) as number);
      for (const product of [first * second, first * asked]) {
        if (!Number.isNaN(product)) assert.ok(product >= 1 && product < FLOAT32_MAX, `${product}`);
      }
    }),
  );
});

test('euclid: squared distances of whatever is ranked do not overflow, and nothing is changed', () => {
  fc.assert(
    fc.property(length, length, (stored, query) => {
      const scales = [storedScale('euclid', stored), queryScale('euclid', query)];
      if (scales.includes(null)) return;
      assert.equal(scales, [1, 1]);
      assert.ok((stored + query) ** 2 < FLOAT32_MAX);
    }),
  );
});

test('lengths from a billionth to a billion are ranked, and zero is', () => {
  for (const distance of DISTANCES) {
    for (const size of [0, 1e-9, 1, 1e9]) {
      assert.is.not(storedScale(distance, size), null);
      assert.is.not(queryScale(distance, size), null);
    }
  }
  for (const size of [1e-10, 1e19]) assert.equal([storedScale('dot', size), storedScale('euclid', size)], [null, null]);
});

test('scores come back from the distances of a graph, and from the measures of a scan', () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 20 }), fc.integer({ min: -25, max: 25 }), (seed, dimension, exponent) => {
      const random = new Random(seed);
      const vector = random.vector(dimension).map((value) => value * 2 ** exponent);
      const query = random.vector(dimension);
      const [length, stored] = [norm(query), norm(vector)];
      for (const distance of DISTANCES) {
        const exact = scorer(distance, query)(vector);
        const [a, b] = [storedScale(distance, stored) ?? Number.NaN, queryScale(distance, length) ?? Number.NaN];
        const asked = query.map((value) => value * b);
        const kept = vector.map((value) => value * a);
        const native = distance === 'dot' ? 1 - dot(asked, kept) : squaredEuclid(asked, kept);
        const near = 1e-6 * (length + 1) * (stored + 1);
        assert.ok(Math.abs(scoreOfDistance(distance, native, length) - exact) <= near);
        const measure = distance === 'euclid' ? Math.sqrt(squaredEuclid(query, kept)) : -dot(query, kept);
        const score = scoreOfMeasure(distance, measure, length);
        if (distance === 'cosine') assert.ok(Math.abs(score - exact) <= COSINE_ERROR, `${score} for ${exact}`);
        else assert.is(score, exact, 'to the last bit');
      }
    }),
  );
});

test('the unit scale brings every length to between 1 and 2', () => {
  fc.assert(
    fc.property(length, (size) => {
      const unit = size * unitScale(size);
      assert.ok(unit >= 1 - 1e-12 && unit < 2 + 1e-12, `${unit}`);
    }),
  );
});

test.run();
