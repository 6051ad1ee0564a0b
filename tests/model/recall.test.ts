/** Classes of searches by their filter: the bounds belong to the lower class. */

import * as assert from 'uvu/assert';
import { filterClassOf } from '../../src/model/recall.js';
import { suite } from '../support/suite.js';

const test = suite('model/recall');

test('searches are classed by the share of points that their filter lets pass', () => {
  const classes = [1_000, 501, 500, 101, 100, 11, 10, 0].map((matches) => filterClassOf(true, matches, 1_000));
  assert.equal(classes, ['above_50', 'above_50', '10_to_50', '10_to_50', '1_to_10', '1_to_10', 'below_1', 'below_1']);
  assert.is(filterClassOf(false, 1, 1_000), 'none');
  assert.is(filterClassOf(true, 0, 0), 'below_1');
});

test.run();
