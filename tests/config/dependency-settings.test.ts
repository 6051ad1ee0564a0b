/** The settings of calls to outside dependencies. */

import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import type { DependencySettings } from '../../src/config/dependency-settings.js';
import { suite } from '../support/suite.js';

const test = suite('config/dependency-settings');

const load = (flags: Readonly<Record<string, unknown>>): DependencySettings =>
  loadConfig({ flags, environment: {}, workingDir: '/srv' }).config.dependencies;

test('by default there are three tries, five failures or three of a slow one, and three successes', () => {
  const { retry, breaker, slowBreaker } = load({});
  assert.equal(retry, {
    attemptsMax: 3,
    strategy: 'exponential',
    baseDelayMs: 1_000,
    maxDelayMs: 60_000,
    factor: 2,
    jitter: true,
  });
  assert.equal(breaker, { failuresMax: 5, resetMs: 60_000, successesMin: 3 });
  assert.equal(slowBreaker, { failuresMax: 3, resetMs: 120_000, successesMin: 3 });
});

test('each can be set, and breakers be switched off', () => {
  const { retry, breaker, slowBreaker } = load({
    ...{
      dependencyAttemptsMax: 5,
      dependencyRetryStrategy: 'linear',
      dependencyRetryDelayMs: '2s',
      dependencyRetryJitter: false,
    },
    ...{ dependencyFailuresMax: 0, dependencySuccessesMin: 1 },
  });
  assert.equal([retry.attemptsMax, retry.strategy, retry.baseDelayMs, retry.jitter], [5, 'linear', 2_000, false]);
  for (const { failuresMax, successesMin } of [breaker, slowBreaker])
    assert.equal([failuresMax, successesMin], [Number.POSITIVE_INFINITY, 1]);
});

test('a base delay above the longest wait is a contradiction', () => {
  assert.throws(() => load({ dependencyRetryDelayMs: '2m' }), /dependency_retry_delay_ms is 120000/);
});

test.run();
