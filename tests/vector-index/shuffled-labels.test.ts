/** Labels in an order of chance: each once, all over, the same again. */

import * as assert from 'uvu/assert';
import { ShuffledLabels } from '../../src/vector-index/shuffled-labels.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/shuffled-labels');

function drawn(labels: Uint32Array): number[] {
  const order = new ShuffledLabels(labels.slice());
  const all: number[] = [];
  for (let label = order.next(); label !== undefined; label = order.next()) all.push(label);
  assert.is(order.next(), undefined);
  return all;
}

test('each label comes once, in the same order whenever they are the same', () => {
  for (const count of [0, 1, 2, 3, 1_000]) {
    const labels = Uint32Array.from({ length: count }, (_, i) => i * 7 + 3);
    const order = drawn(labels);
    assert.equal(
      order.toSorted((a, b) => a - b),
      [...labels],
    );
    assert.equal(drawn(labels), order);
  }
});

test('whichever part of the order is looked at, its labels come from everywhere', () => {
  const order = drawn(Uint32Array.from({ length: 1_000 }, (_, i) => i));
  for (let from = 0; from < 1_000; from += 100) {
    const low = order.slice(from, from + 100).filter((label) => label < 500).length;
    assert.ok(low > 25 && low < 75, `${low} of 100 are from the lower half`);
  }
});

test.run();
