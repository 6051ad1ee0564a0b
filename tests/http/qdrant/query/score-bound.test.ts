/** The next number beyond a bound. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { beyond } from '../../../../src/http/qdrant/query/score-bound.js';
import { suite } from '../../../support/suite.js';

const test = suite('http/qdrant/query/score-bound');
const bound = fc.double({ noNaN: true, noDefaultInfinity: true });

test('what beats a bound reaches the number beyond it, and nothing else does', () => {
  fc.assert(
    fc.property(bound, bound, fc.boolean(), (threshold, score, lowerIsBetter) => {
      const next = beyond(threshold, lowerIsBetter);
      const beats = (one: number) => (lowerIsBetter ? one < threshold : one > threshold);
      const reaches = (one: number) => (lowerIsBetter ? one <= next : one >= next);
      for (const one of [score, threshold, next]) assert.is(reaches(one), beats(one), `${one} and ${threshold}`);
    }),
  );
});

test('around zero and at the ends', () => {
  assert.equal([beyond(0, false), beyond(-0, true)], [Number.MIN_VALUE, -Number.MIN_VALUE]);
  assert.ok(beyond(-Number.MIN_VALUE, false) === 0);
  assert.equal([beyond(Number.MAX_VALUE, false), beyond(-Number.MAX_VALUE, true)], [Infinity, -Infinity]);
  assert.is(beyond(1, false), 1 + Number.EPSILON);
});

test.run();
