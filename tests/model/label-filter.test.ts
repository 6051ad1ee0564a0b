/** Label filters: what goes in comes out, and nothing else passes. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { labelFilterOf, labelsOf, passesFilter, spreadOf } from '../../src/model/label-filter.js';
import { suite } from '../support/suite.js';

const test = suite('model/label-filter');

test('it holds exactly the labels that it was made of, near and far apart', () => {
  const label = fc.oneof(fc.nat(200), fc.nat(200_000), fc.integer({ min: 2 ** 31 - 70_000, max: 2 ** 31 - 1 }));
  fc.assert(
    fc.property(fc.uniqueArray(label, { maxLength: 200 }), fc.array(label, { maxLength: 50 }), (inside, asked) => {
      const labels = Uint32Array.from(inside).sort();
      const filter = labelFilterOf(labels);
      assert.equal(filter.size, labels.length);
      assert.equal(labelsOf(filter), labels);
      for (const one of [...asked, ...labels]) assert.equal(passesFilter(filter, one), labels.includes(one));
    }),
  );
});

test('an empty one lets nothing pass', () => {
  const filter = labelFilterOf(new Uint32Array(0));
  assert.equal(passesFilter(filter, 0), false);
  assert.equal(labelsOf(filter), new Uint32Array(0));
});

test('a spread of it is every so-maniest label, or all of them', () => {
  const label = fc.oneof(fc.nat(200), fc.nat(200_000), fc.integer({ min: 2 ** 31 - 70_000, max: 2 ** 31 - 1 }));
  fc.assert(
    fc.property(fc.uniqueArray(label, { maxLength: 200 }), fc.nat(250), (inside, count) => {
      const labels = Uint32Array.from(inside).sort();
      const wanted = Math.min(count, labels.length);
      const expected = Array.from({ length: wanted }, (_, i) => labels[Math.floor((i * labels.length) / wanted)]);
      assert.equal([...spreadOf(labelFilterOf(labels), count)], expected);
    }),
  );
});

test.run();
