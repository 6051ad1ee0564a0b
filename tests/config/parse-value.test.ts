/** Values: sizes, durations, numbers and words are read exactly, and written so that they can be read again. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { Field } from '../../src/config/field.js';
import { formatBytes, formatDuration, formatValue, parseValue, ValueProblem } from '../../src/config/parse-value.js';
import { suite } from '../support/suite.js';

const bytes: Field = { kind: 'bytes', min: 0, default: 0, doc: '' };
const duration: Field = { kind: 'duration', min: 0, default: 0, doc: '' };
const integer: Field = { kind: 'integer', unit: '', min: 1, max: 100, words: ['auto'], default: 1, doc: '' };
const flag: Field = { kind: 'boolean', default: false, doc: '' };
const url: Field = { kind: 'url', default: null, doc: '' };

function problemOf(field: Field, given: unknown): string {
  try {
    const value = parseValue(field, given);
    return `read as ${String(value)}`;
  } catch (error) {
    if (error instanceof ValueProblem) return error.message;
    throw error;
  }
}

const test = suite('config/parse-value');

test('sizes are read with binary and decimal units, with or without a space, in any case', () => {
  const cases: [unknown, number][] = [
    ['0', 0],
    ['512', 512],
    [4096, 4096],
    ['64MiB', 67_108_864],
    ['64 mib', 67_108_864],
    ['1.5GiB', 1_610_612_736],
    ['0.3kB', 300],
    ['2TB', 2e12],
    ['7b', 7],
  ];
  for (const [given, value] of cases) assert.is(parseValue(bytes, given), value, String(given));
});

test('durations are milliseconds unless a unit is given', () => {
  const cases: [unknown, number][] = [
    ['1500', 1500],
    [250, 250],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1 d', 86_400_000],
  ];
  for (const [given, value] of cases) assert.is(parseValue(duration, given), value, String(given));
  assert.is(parseValue({ ...duration, max: 60_000 }, '1m'), 60_000);
  assert.throws(() => parseValue({ ...duration, max: 60_000 }, 60_001), /must be at most 1m, not 60001/);
});

test('a size that is not whole, not plain or not a size is refused and shown', () => {
  for (const given of [
    '64M',
    '1.3',
    '0.3KiB',
    '-1',
    '1e6',
    'MiB',
    '',
    '1 MiB 2',
    '0x10',
    '9999999999TiB',
    -1,
    1.5,
    null,
    true,
    [],
    '٣',
  ]) {
    const problem = problemOf(bytes, given);
    assert.match(problem, 'a size such as 64MiB', String(given));
    assert.ok(problem.includes(JSON.stringify(given)), problem);
  }
  assert.match(problemOf({ ...bytes, min: 1024 }, '1000B'), 'at least 1KiB, not 1000B');
});

test('every size and duration that is written is read back as itself', () => {
  const numbers = fc.oneof(
    fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    fc.tuple(fc.nat({ max: 4096 }), fc.constantFrom(1, 1024, 2 ** 20, 2 ** 30, 1000, 60_000, 3_600_000)).map(([a, b]) => a * b),
  );
  fc.assert(
    fc.property(numbers, (value) => {
      assert.is(parseValue(bytes, formatBytes(value)), value);
      assert.is(parseValue(duration, formatDuration(value)), value);
      assert.is(parseValue(bytes, formatValue(bytes, value)), value);
    }),
  );
});

test('any text at all is either read as a whole number that is not negative or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,18}(\.\d{1,7})? ?[kKmMgGiIbBsShHdD]{0,3}$/)), (text) => {
      for (const field of [bytes, duration]) {
        const outcome = problemOf(field, text);
        const value = outcome.startsWith('read as ') ? Number(outcome.slice(8)) : 0;
        assert.ok(Number.isSafeInteger(value) && value >= 0, `${text}: ${outcome}`);
      }
    }),
  );
});

test('shares are numbers from 0 to 1, and what is written is read again', () => {
  const share: Field = { kind: 'share', default: 0, doc: '' };
  const cases: [unknown, number][] = [
    ['0.001', 0.001],
    ['.5', 0.5],
    [0.25, 0.25],
    ['1', 1],
    ['1e-7', 1e-7],
    [0, 0],
  ];
  for (const [given, value] of cases) {
    assert.is(parseValue(share, given), value, String(given));
    assert.is(parseValue(share, formatValue(share, value)), value);
  }
  for (const given of ['1.1', '-0.1', -0.1, '10%', '', 'NaN', Number.NaN, null, '1e2'])
    assert.match(problemOf(share, given), 'a number from 0 to 1', String(given));
});

test('integers keep their range and know their words', () => {
  assert.is(parseValue(integer, '42'), 42);
  assert.is(parseValue(integer, 'auto'), 'auto');
  for (const given of ['0', '101', 'Auto', '1.0', '4_2', 1.5, Number.NaN, null, '']) {
    assert.match(problemOf(integer, given), 'a whole number from 1 to 100 or auto', String(given));
  }
});

test('booleans take the usual words and nothing else', () => {
  for (const given of [true, 'true', '1', 'YES', 'on']) assert.is(parseValue(flag, given), true);
  for (const given of [false, 'false', '0', 'No', 'off']) assert.is(parseValue(flag, given), false);
  for (const given of ['', 'y', 2, 0, 1, null]) assert.match(problemOf(flag, given), 'must be true or false');
});

test('addresses are http or https, carry no credentials, and lose a slash at the end', () => {
  assert.is(parseValue(url, 'http://localhost:7171/'), 'http://localhost:7171');
  assert.is(parseValue(url, 'https://example.test/skein/'), 'https://example.test/skein');
  for (const given of ['localhost:7171', 'ws://a', '', 7171, 'http://'])
    assert.match(problemOf(url, given), 'must be an address');
  for (const given of ['http://u:p@h', 'http://h/?a=1', 'http://h/#x']) assert.match(problemOf(url, given), 'plain address');
});

test.run();
