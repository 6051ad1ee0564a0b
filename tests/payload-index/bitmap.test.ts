/** Bitmaps: loose labels in, a LabelFilter out, whatever the containers look like inside. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { labelsOf } from '../../src/model/label-filter.js';
import { bitmapOf, differenceOf, emptyBitmap, labelFilterOfBitmap } from '../../src/payload-index/bitmap.js';
import { suite } from '../support/suite.js';

const test = suite('payload-index/bitmap');

/** Thin and dense stretches, far apart, each label maybe several times, in no order. */
const stretch = fc.tuple(
  fc.constantFrom(0, 60_000, 131_072, 5_000_000, 2 ** 31 - 20_000),
  fc.integer({ min: 1, max: 6_000 }),
  fc.constantFrom(1, 2, 3),
);
const loose = fc
  .array(stretch, { maxLength: 4 })
  .map((stretches) =>
    stretches.flatMap(([start, count, step]) =>
      Array.from({ length: count }, (_, place) => start + (((place * 7_919) % count) % 20_000) * step).filter(
        (one) => one < 2 ** 31,
      ),
    ),
  );

test('it holds exactly the labels that it was made of, and so does the filter made of it', () => {
  let many = 0;
  fc.assert(
    fc.property(loose, (labels) => {
      const wanted = Uint32Array.from(new Set(labels)).sort();
      const bitmap = bitmapOf(Uint32Array.from(labels));
      assert.equal(bitmap.toUint32Array(), wanted);
      const filter = labelFilterOfBitmap(bitmap);
      assert.is(filter.size, wanted.length);
      assert.equal(labelsOf(filter), wanted);
      if (wanted.length > 4_096) many += 1;
    }),
    { numRuns: 200 },
  );
  assert.ok(many > 10, 'dense containers were there');
});

test('few labels spread thin are sorted, many are marked, with the same result', () => {
  const thin = Uint32Array.from({ length: 2_000 }, (_, place) => ((place * 104_729) % 30_000) * 70_000);
  assert.equal(bitmapOf(thin.slice()).toUint32Array(), Uint32Array.from(new Set(thin)).sort());
  const few = Uint32Array.of(9, 3, 3, 2 ** 31 - 1, 0);
  assert.equal(bitmapOf(few).toUint32Array(), Uint32Array.of(0, 3, 9, 2 ** 31 - 1));
});

test('full stretches become a filter too', () => {
  const bitmap = emptyBitmap();
  bitmap.addRange(10, 200_000);
  bitmap.runOptimize();
  assert.ok(bitmap.statistics().runContainers > 0);
  const filter = labelFilterOfBitmap(bitmap);
  assert.equal(labelsOf(filter), bitmap.toUint32Array());
  assert.is(labelFilterOfBitmap(differenceOf(bitmap, bitmap)).size, 0);
});

test.run();
