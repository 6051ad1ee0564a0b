/** Integers that JSON numbers cannot hold are found, and nothing else is. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { roundedIntegers, roundedNumberIn } from '../../../../src/cli/import/foreign/exact-numbers.js';
import { suite } from '../../../support/suite.js';

const test = suite('cli/import/foreign/exact-numbers');

test('what every number holds is not complained of, wherever it stands', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify({ value, edge: [2 ** 53 - 1, -(2 ** 53 - 1), 1e300, 0.12345678901234568] });
      const unsafe = [...text.matchAll(/\d{16,}/g)].some(([digits]) => !Number.isSafeInteger(Number(digits)));
      if (!unsafe) assert.is(roundedNumberIn(JSON.parse(text), roundedIntegers(text)), null);
    }),
  );
});

test('an integer that lost digits is found in objects and lists, and not in texts', () => {
  for (const text of [
    '{"a": 9007199254740993}',
    '{"a":[1,{"b":-9007199254740995 }]}',
    '[12345678901234567890]',
    '{"a":18446744073709551615,"b":1}',
  ])
    assert.not.equal(roundedNumberIn(JSON.parse(text), roundedIntegers(text)), null, text);
  const words = '{"a": "x: 9007199254740993, y", "b": 5}';
  assert.is(roundedNumberIn(JSON.parse(words), roundedIntegers(words)), null);
});

test.run();
