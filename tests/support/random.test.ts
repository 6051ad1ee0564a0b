/** Seeded randomness: repeatable, evenly spread, and clustered where it says so. */
import * as assert from 'uvu/assert';
import { GaussianMixture, Random } from './random.js';
import { suite } from './suite.js';

const test = suite('support/random');

test('the same seed gives the same values on every machine', () => {
  const random = new Random(42);
  assert.equal([random.uint32(), random.uint32(), random.uint32()], [1424808046, 3778525926, 3676079305]);
  assert.equal(new Random(7).vector(5), new Random(7).vector(5));
  assert.not.equal(new Random(7).vector(5), new Random(8).vector(5));
});

test('integers reach both ends and stay within', () => {
  const random = new Random(1);
  const seen = new Set(Array.from({ length: 1000 }, () => random.integer(-2, 2)));
  assert.equal(
    [...seen].sort((a, b) => a - b),
    [-2, -1, 0, 1, 2],
  );
});

test('normal numbers have mean 0 and variance 1', () => {
  const random = new Random(3);
  const values = Array.from({ length: 20_000 }, () => random.normal());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  assert.ok(Math.abs(mean) < 0.03, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.05, `variance ${variance}`);
});

test('a shuffle keeps every item', () => {
  const shuffled = new Random(5).shuffled([1, 2, 3, 4, 5, 6, 7, 8]);
  assert.not.equal(shuffled, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.equal([...shuffled].sort(), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test('vectors of a mixture lie near few centres', () => {
  const mixture = new GaussianMixture(new Random(11), { dimension: 32, clusters: 2, spread: 0.01 });
  const vectors = mixture.take(50);
  const first = vectors[0] as Float32Array;
  const near = vectors.filter((vector) => distance(vector, first) < 1).length;
  assert.ok(near > 5 && near < 45, `${near} of 50 are near the first`);
});

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, index) => sum + (value - (b[index] as number)) ** 2, 0));
}

test.run();
