/** Label sets against Set, with labels that lie close, far apart, and at the very end of their range. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { FIXED } from '../../src/model/limits.js';
import { LabelSet } from '../../src/vector-index/label-set.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/label-set');

const label = fc.oneof(
  fc.nat(200),
  fc.integer({ min: 4_000, max: 4_200 }),
  fc.integer({ min: FIXED.labelMax - 100, max: FIXED.labelMax }),
);

test('does what a set of numbers does, and lists its labels in ascending order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), label), { maxLength: 300 }), (steps) => {
      const labels = new LabelSet();
      const model = new Set<number>();
      for (const [adds, one] of steps) {
        if (adds) {
          assert.is(labels.add(one), !model.has(one));
          model.add(one);
        } else assert.is(labels.delete(one), model.delete(one));
      }
      assert.is(labels.size, model.size);
      assert.equal(
        [...labels.toArray()],
        [...model].sort((a, b) => a - b),
      );
      for (const [, one] of steps) assert.is(labels.has(one), model.has(one));
    }),
  );
});

test('labels that start high take as little memory as labels that start at 0, and none when they are gone', () => {
  const low = new LabelSet();
  const high = new LabelSet();
  for (let one = 0; one < 10_000; one++) {
    low.add(one);
    high.add(one + 2_000_000_000);
  }
  assert.ok(high.memoryBytes <= low.memoryBytes * 2);
  assert.ok(low.memoryBytes < 10_000);
  for (let one = 0; one < 10_000; one++) high.delete(one + 2_000_000_000);
  assert.is(high.memoryBytes, 0);
});

test.run();
