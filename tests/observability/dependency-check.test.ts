/** What is found of outside dependencies by their breakers. */
import * as assert from 'uvu/assert';
import { dependencyFinding } from '../../src/observability/dependency-check.js';
import type { DependencyStatus } from '../../src/resilience/dependencies.js';
import { suite } from '../support/suite.js';

const test = suite('observability/dependency-check');

const WELL: DependencyStatus = { name: 'backup', state: 'closed', failures: 0, failuresTotal: 2, lastFailure: null };

test('a dependency behind a closed breaker is well, whatever it failed before', () => {
  assert.equal(
    [dependencyFinding([]).message, dependencyFinding([WELL]).message],
    ['nothing outside is called', '1 outside dependency answers'],
  );
  assert.is(dependencyFinding([WELL, { ...WELL, name: 'webhook', failures: 4 }]).status, 'healthy');
});

test('one that is not asked any more degrades the node; what it said is in the details alone', () => {
  const lastFailure = { message: 'bucket s3cr3t is gone', atMs: 0 };
  const { status, message, details } = dependencyFinding([{ ...WELL, state: 'open', failures: 5, lastFailure }]);
  assert.equal([status, message], ['degraded', 'backup failed repeatedly and is not asked for a while']);
  assert.equal(details, {
    backup: { state: 'open', failures: 5, last_failure: { message: 'bucket s3cr3t is gone', at: '1970-01-01T00:00:00.000Z' } },
  });
  assert.match(dependencyFinding([{ ...WELL, state: 'half_open' }]).message, 'is being tried');
});

test.run();
