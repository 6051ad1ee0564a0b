/** Errors by type: counted, with first and last time, the last stack and its surroundings, within bounds. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { ErrorTracker } from '../../src/observability/error-tracker.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { keptLog } from '../support/kept-log.js';
import { suite } from '../support/suite.js';

const test = suite('observability/error-tracker');

function tracker() {
  let nowMs = 1_000;
  const made = new ErrorTracker({ wallMs: () => nowMs });
  return { tracker: made, pass: (ms: number) => (nowMs += ms) };
}

test('errors are counted by type, with when they came first and last, and the last one in full', () => {
  const { tracker: errors, pass } = tracker();
  errors.note(new TypeError('first'), { route: '/a' });
  pass(500);
  errors.note(new TypeError('last'), { route: '/b', api_key: 'secret' });
  errors.note(new SkeinError('Overloaded', 'too much', {}), { request_id: 'r' });
  const [type, overloaded] = errors.status();
  assert.is(type?.type, 'TypeError');
  assert.is(type?.count, 2);
  assert.is(type?.firstAtMs, 1_000);
  assert.is(type?.lastAtMs, 1_500);
  assert.is(type?.lastMessage, 'last');
  assert.match(type?.lastStack ?? '', 'error-tracker.test');
  assert.equal(type?.lastContext, { route: '/b', api_key: '********' });
  assert.is(overloaded?.type, 'Overloaded');
});

test('what a caller was refused has no stack', () => {
  const { tracker: errors } = tracker();
  errors.note(new SkeinError('CollectionNotFound', 'no such', {}), {});
  assert.is(errors.status()[0]?.lastStack, null);
});

test('a log over it tells it of errors, once for each however often it is said, and of events that are errors themselves', () => {
  const { tracker: errors } = tracker();
  const { log, lines } = keptLog();
  const told = errors.over(log);
  const error = new RangeError('once');
  told.warn('link_lost', { reason: 'no error' });
  told.warn('batch_not_taken', { error });
  told.error('import_failed', { error, lines: 3 });
  told.error('two_masters', { epoch: 7 });
  told.info('fine', {});
  const status = errors.status();
  assert.equal(status.map(({ type, count }) => [type, count]).sort(), [
    ['RangeError', 1],
    ['two_masters', 1],
  ]);
  assert.equal(status.find(({ type }) => type === 'two_masters')?.lastContext, { event: 'two_masters', epoch: 7 });
  assert.is(lines.length, 5);
});

test('thousands of types, long messages and large surroundings stay within bounds', async () => {
  const { tracker: errors } = tracker();
  const { meter, text } = createMetrics();
  errors.measure(meter);
  for (let number = 0; number < 5_000; number++) {
    const error = new Error('m'.repeat(100_000));
    error.name = number % 2 === 0 ? `Kind${number}` : `kind "${number}"\n`;
    errors.note(error, Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, 'v'.repeat(10_000)])));
  }
  const status = errors.status();
  assert.is(status.length, 101);
  assert.is(
    status.reduce((sum, { count }) => sum + count, 0),
    5_000,
  );
  assert.ok(JSON.stringify(status).length < 101 * 11_000);
  const series = (await text()).split('\n').filter((line) => line.startsWith('skein_errors_total{'));
  // Those that alerts watch are there from the start.
  assert.is(series.length, 100 + 7);
  assert.ok(series.some((line) => line.startsWith('skein_errors_total{type="(other)"}')));
});

test.run();
