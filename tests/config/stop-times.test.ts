/** A drain that takes the time of what comes behind it is refused at the start, and both settings are named. */

import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { closingMsOf, stopContradictions } from '../../src/config/stop-times.js';
import { suite } from '../support/suite.js';

const test = suite('config/stop-times');

test('links and data keep ten seconds, or a third of a short stop', () => {
  assert.equal([closingMsOf(60_000), closingMsOf(30_000), closingMsOf(6_000)], [10_000, 10_000, 2_000]);
});

test('a drain fits as long as requests and data have their time', () => {
  const fits = (drainDelayMs: number, shutdownTimeoutMs: number) =>
    stopContradictions({ drainDelayMs, shutdownTimeoutMs }).length === 0;
  assert.equal([fits(0, 0), fits(10_000, 30_000), fits(40_000, 60_000), fits(2_000, 6_000)], [true, true, true, true]);
  assert.equal([fits(1, 0), fits(10_001, 30_000), fits(40_001, 60_000), fits(2_001, 6_000)], [false, false, false, false]);
});

test('a start with both says which they are and what would fit', () => {
  const flags = { drainDelayMs: '60s', shutdownTimeoutMs: '6s' };
  assert.throws(
    () => loadConfig({ flags, environment: {}, workingDir: '/' }),
    /drain_delay_ms is 60000 and shutdown_timeout_ms 6000: at most 2000 of it/,
  );
});

test.run();
