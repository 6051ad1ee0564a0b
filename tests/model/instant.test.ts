/** Instants: the same on every machine, strict about what is one. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { parseInstant } from '../../src/model/instant.js';
import { suite } from '../support/suite.js';

const test = suite('model/instant');

test('reads what toISOString writes', () => {
  const instant = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(fc.property(instant, (date) => assert.is(parseInstant(date.toISOString()), date.getTime())));
});

test('reads dates, minutes, fractions and zones; no zone is UTC, whatever the zone of the server', (t) => {
  const zone = process.env['TZ'];
  t.after(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  process.env['TZ'] = 'Asia/Tokyo';
  const base = Date.UTC(2026, 10, 20, 8, 30);
  assert.is(parseInstant('2026-11-20'), Date.UTC(2026, 10, 20));
  assert.is(parseInstant('2026-11-20T08:30'), base);
  assert.is(parseInstant('2026-11-20 08:30:00'), base);
  assert.is(parseInstant('2026-11-20t08:30:00z'), base);
  assert.is(parseInstant('2026-11-20T09:30:00+01:00'), base);
  assert.is(parseInstant('2026-11-20T03:00:00.5-05:30'), base + 500);
  assert.is(parseInstant('2026-11-20T08:30:00.000250Z'), base + 0.25);
  assert.is(parseInstant('0000-02-29'), new Date('0000-02-29').getTime());
  assert.is(parseInstant('1969-12-31T23:59:59.999Z'), -1);
});

test('refuses what is no instant', () => {
  const wrong = [
    '',
    'now',
    '2026',
    '2026-11',
    '2026-13-01',
    '2026-00-01',
    '2026-02-29',
    '2026-04-31',
    '2026-11-20T24:00',
    '2026-11-20T08:60',
  ];
  const more = [
    '2026-11-20T08:30:60Z',
    '2026-11-20T08',
    '2026-11-20T08:30+24:00',
    '2026-11-20T08:30+0100',
    '20261120',
    ' 2026-11-20',
    '2026-11-20Z',
  ];
  for (const text of [
    ...wrong,
    ...more,
    '2026-11-20T08:30:00.Z',
    '+002026-11-20',
    '2026-1-2',
    '2026-11-20T08:30:00.1234567890Z',
  ]) {
    assert.is(parseInstant(text), null, text);
  }
});

test.run();
