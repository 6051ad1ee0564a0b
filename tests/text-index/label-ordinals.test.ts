/** Label ordinals hold what was put in, and only that. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { LabelOrdinals } from '../../src/text-index/label-ordinals.js';
import { suite } from '../support/suite.js';

const test = suite('text-index/label-ordinals');

test('they answer as a map does, near and far apart', () => {
  const label = fc.oneof(fc.nat(20), fc.nat(5_000), fc.integer({ min: 2 ** 31 - 3_000, max: 2 ** 31 - 1 }));
  const step = fc.tuple(label, fc.option(fc.nat(1_000_000)));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ordinals = new LabelOrdinals();
      const model = new Map<number, number>();
      for (const [one, ordinal] of steps) {
        if (ordinal === null) {
          ordinals.delete(one);
          model.delete(one);
        } else {
          ordinals.set(one, ordinal);
          model.set(one, ordinal);
        }
        assert.is(ordinals.size, model.size);
      }
      assert.equal(ordinals.labels(), Uint32Array.from(model.keys()).sort());
      for (const [one] of steps) assert.is(ordinals.get(one), model.get(one) ?? -1);
    }),
  );
});

test('memory follows what is inside', () => {
  const ordinals = new LabelOrdinals();
  for (let label = 0; label < 100_000; label++) ordinals.set(label, label);
  assert.ok(ordinals.memoryBytes < 500_000);
  for (let label = 0; label < 99_999; label++) ordinals.delete(label);
  assert.ok(ordinals.memoryBytes < 5_000);
  assert.is(ordinals.get(99_999), 99_999);
});

test.run();
