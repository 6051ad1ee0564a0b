/** MessagePack for answers: plain messages, float32 bytes that survive. */

import * as assert from 'uvu/assert';
import { floatBytes, floatsOf, packMessage, unpackMessage } from '../../src/codec/msgpack.js';
import { suite } from '../support/suite.js';

const test = suite('codec/msgpack');

test('a message comes back as it was', () => {
  const message = { id: 7, text: 'é', list: [1.5, null, true, -3], big: 2 ** 40, nested: { empty: {} } };
  assert.equal(unpackMessage(packMessage(message)), message);
});

test('messages stand alone: equal shapes packed one after the other carry their keys each', () => {
  packMessage({ alpha: 1, beta: 2 });
  const second = packMessage({ alpha: 3, beta: 4 });
  assert.ok(Buffer.from(second).includes('alpha'));
});

test('a vector keeps every bit as binary, from a view at an odd place too', () => {
  const vector = Float32Array.from([0.1, -0, 3.4e38, 1e-45]);
  const packed = unpackMessage(packMessage({ vector: floatBytes(vector) })) as { vector: Uint8Array };
  const shifted = new Uint8Array(packed.vector.length + 3);
  shifted.set(packed.vector, 3);
  const back = floatsOf(shifted.subarray(3));
  assert.equal(Buffer.from(back.buffer), Buffer.from(vector.buffer));
});

test('a length that is no multiple of four is refused', () => {
  assert.throws(() => floatsOf(new Uint8Array(6)), RangeError);
});

test.run();
