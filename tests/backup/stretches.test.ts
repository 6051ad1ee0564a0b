/** Stretches of states against plain sets of them. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { covered, type Stretch, stretchesOf, without } from '../../src/backup/stretches.js';
import { suite } from '../support/suite.js';

const test = suite('backup/stretches');

const stretch: fc.Arbitrary<Stretch> = fc
  .record({ historyId: fc.constantFrom('a', 'b'), first: fc.integer({ min: 1, max: 20 }), count: fc.integer({ min: 1, max: 8 }) })
  .map(({ historyId, first, count }) => ({ historyId, first, last: first + count - 1 }));

function statesOf(stretches: readonly Stretch[]): Set<string> {
  const states = new Set<string>();
  for (const { historyId, first, last } of stretches) for (let seq = first; seq <= last; seq++) states.add(`${historyId} ${seq}`);
  return states;
}

test('what is taken away is away, and all else is left', (t) => {
  const property = fc.property(fc.array(stretch), fc.array(stretch), (some, others) => {
    const taken = statesOf(others);
    const expected = [...statesOf(some)].filter((state) => !taken.has(state));
    assert.equal([...statesOf(without(some, covered(others)))].sort(), expected.sort());
  });
  fc.assert(property, { seed: t.seed(), numRuns: 500 });
});

test('a line of data is cut where its histories begin', () => {
  const lineage = [
    { historyId: 'a', startSeq: 0 },
    { historyId: 'b', startSeq: 5 },
    { historyId: 'c', startSeq: 9 },
  ];
  assert.equal(stretchesOf(lineage, 3, 10), [
    { historyId: 'a', first: 4, last: 5 },
    { historyId: 'b', first: 6, last: 9 },
    { historyId: 'c', first: 10, last: 10 },
  ]);
  assert.equal(stretchesOf(lineage, 5, 7), [{ historyId: 'b', first: 6, last: 7 }]);
  assert.equal(stretchesOf(lineage, 7, 7), []);
});

test.run();
