/** The canonical text of payloads: JSON.stringify, but a large float never looks like an integer. */

import * as assert from 'uvu/assert';
import { needsExponent, payloadText } from '../../src/codec/payload.js';
import { suite } from '../support/suite.js';

const test = suite('codec/payload');

test('is what JSON.stringify writes', () => {
  const payload = { b: [1, null, 'é"'], a: { c: -0.5 } };
  assert.is(payloadText(payload, false), JSON.stringify(payload));
  assert.is(payloadText(payload, true), JSON.stringify(payload));
});

test('writes floats between 2^53 and 10^21 with an exponent, at any depth', () => {
  assert.is(payloadText({ a: 1e20, b: [{ c: -1e18 }], d: 1e22 }, true), '{"a":1e+20,"b":[{"c":-1e+18}],"d":1e+22}');
  assert.is(needsExponent(2 ** 53), false);
  assert.is(needsExponent(2 ** 53 + 2), true);
  assert.is(needsExponent(1e21), false);
});

test.run();
