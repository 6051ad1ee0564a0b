/** Numbers of vectors: always the float32 that JSON.parse and Math.fround would give. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { FloatScan } from '../../src/wire/float-scan.js';
import { suite } from '../support/suite.js';

const test = suite('wire/float-scan');

function scanned(text: string): { value: number; end: number } {
  const scan = new FloatScan(Buffer.from(text));
  return { value: scan.read(0), end: scan.end };
}

function agrees(text: string): void {
  const { value, end } = scanned(`${text},`);
  assert.is(end, text.length, text);
  assert.ok(Object.is(value, Math.fround(Number(text))), `${text}: ${value} is not ${Math.fround(Number(text))}`);
}

test('agrees with JSON.parse on doubles, as JavaScript writes them', (t) => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) =>
      agrees(String(Object.is(value, -0) ? '-0' : value)),
    ),
    {
      seed: t.seed(),
      numRuns: 3_000,
    },
  );
});

test('agrees on decimals of any length, with and without exponents', (t) => {
  const digits = (most: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: most });
  const exponent = fc.option(fc.integer({ min: -60, max: 60 }), { nil: undefined });
  const number = fc.tuple(
    fc.boolean(),
    fc.integer({ min: 0, max: 10 ** 9 }),
    fc.option(digits(40), { nil: undefined }),
    exponent,
  );
  const run = (sign: boolean, whole: number, fraction?: string, power?: number): void =>
    agrees(`${sign ? '-' : ''}${whole}${fraction === undefined ? '' : `.${fraction}`}${power === undefined ? '' : `e${power}`}`);
  fc.assert(
    fc.property(number, ([sign, whole, fraction, power]) => run(sign, whole, fraction, power)),
    { seed: t.seed(), numRuns: 3_000 },
  );
});

test('agrees half way between two floats, where rounding is hardest', (t) => {
  const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(1e-10), max: Math.fround(1e10) });
  fc.assert(
    fc.property(float, (value) => {
      const next =
        new Float32Array(new Uint32Array([(new Uint32Array(Float32Array.from([value]).buffer)[0] ?? 0) + 1]).buffer)[0] ?? 0;
      const middle = (value + next) / 2;
      for (const text of [middle.toFixed(50).slice(0, 60), middle.toPrecision(17), `${middle.toFixed(40)}1`]) {
        if (!text.includes('e')) agrees(text);
      }
    }),
    { seed: t.seed(), numRuns: 500 },
  );
});

test('keeps the sign of zero and overflows to infinity', () => {
  assert.ok(Object.is(scanned('-0').value, -0));
  assert.ok(Object.is(scanned('-0.000').value, -0));
  assert.is(scanned('1e39').value, Number.POSITIVE_INFINITY);
  assert.is(scanned(`${'9'.repeat(60)}`).value, Number.POSITIVE_INFINITY);
});

test('says where there is no number', () => {
  for (const text of ['-', '01', '1.', '.5', '1e', '1e+', '-x']) assert.ok(scanned(text).end < 0, text);
});

test.run();
