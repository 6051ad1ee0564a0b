/** Text of float32: it reads back to the same float, and no shorter text does. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { FLOAT_TEXT_BYTES_MAX, floatText, writeFloat } from '../../src/codec/float-text.js';
import { suite } from '../support/suite.js';

const test = suite('codec/float-text');

function textOf(value: number): string {
  const target = Buffer.alloc(FLOAT_TEXT_BYTES_MAX + 8, '#');
  const end = writeFloat(target, 0, value);
  assert.ok(end <= FLOAT_TEXT_BYTES_MAX, `${value} took ${end} bytes`);
  assert.is(target.toString('latin1', end), '#'.repeat(target.length - end), 'writes nothing behind its end');
  return target.toString('latin1', 0, end);
}

/** How many digits the shortest text has. */
function shortestDigits(value: number): number {
  for (let places = 1; places < 9; places++) if (Math.fround(Number(value.toPrecision(places))) === value) return places;
  return 9;
}

function digitsOf(text: string): number {
  const digits = (text.replace(/e.*$/, '').replace(/[-.]/g, '').replace(/^0+/, '') || '0').replace(/0+$/, '');
  return Math.max(1, digits.length);
}

function restores(value: number): void {
  const text = textOf(value);
  assert.match(text, /^-?(0|[1-9]\d*)(\.\d+)?(e[+-]\d+)?$/);
  assert.is(Math.fround(Number(text)), Object.is(value, -0) ? 0 : value, text);
}

test('every float32 reads back to itself', (t) => {
  fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), restores), { seed: t.seed(), numRuns: 5_000 });
  const bits = fc.integer({ min: 0, max: 0xffffffff });
  const anyBits = fc.property(bits, (word) => {
    const value = new Float32Array(new Uint32Array([word]).buffer)[0] ?? 0;
    if (Number.isFinite(value)) restores(value);
  });
  fc.assert(anyBits, { seed: t.seed(), numRuns: 5_000 });
});

test('sizes of everyday vectors are the shortest there are', (t) => {
  const everyday = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-1000), max: Math.fround(1000) });
  fc.assert(
    fc.property(everyday, (value) => {
      if (Math.abs(value) > 1e-6) assert.is(digitsOf(textOf(value)), shortestDigits(value), textOf(value));
    }),
    { seed: t.seed(), numRuns: 3_000 },
  );
});

test('writes as people do', () => {
  for (const [value, text] of [
    [0, '0'],
    [-0, '0'],
    [1, '1'],
    [-17, '-17'],
    [0.1, '0.1'],
    [-0.25, '-0.25'],
    [1234.5, '1234.5'],
    [0.000123, '0.000123'],
    [16_777_215, '16777215'],
    [100_000, '100000'],
    [3.4028235e38, '3.4028235e+38'],
    [1e-45, '1e-45'],
  ] as const) {
    assert.is(textOf(Math.fround(value)), text);
    assert.is(floatText(Math.fround(value)), text);
  }
});

test.run();
