/** A piece of work in the log: its start, its end, what it took, what it learned. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { logOperation } from '../../src/model/log-operation.js';
import { keptLog } from '../support/kept-log.js';
import { suite } from '../support/suite.js';

const test = suite('model/log-operation');

function clockOf(...times: number[]) {
  return { monotonicMs: () => times.shift() ?? Number.NaN };
}

test('work that ends is said with its fields, what was added on the way, and how long it took', async () => {
  const { log, lines } = keptLog();
  const operation = { log, clock: clockOf(1_000, 1_250.5), name: 'restore', fields: { backup: 'b1', points: 0 } };
  const result = await logOperation(operation, async (scope) => {
    scope.add({ points: 1 });
    scope.add({ points: 7, bytes: 12 });
    return 'done';
  });
  assert.is(result, 'done');
  assert.equal(lines, [
    { level: 'debug', event: 'restore_started', fields: { backup: 'b1', points: 0 } },
    { level: 'info', event: 'restore_completed', fields: { backup: 'b1', points: 7, bytes: 12, duration_ms: 250.5 } },
  ]);
});

test('work that fails is said with the error, which goes on; what a caller was refused is a warning', async () => {
  for (const [error, level] of [
    [new TypeError('broken'), 'error'],
    [new SkeinError('PayloadTooLarge', 'too large', {}), 'warn'],
  ] as const) {
    const { log, lines } = keptLog();
    const operation = { log, clock: clockOf(0, 3), name: 'import', fields: { collection: 'c' } };
    const work = async (scope: { add(fields: object): void }): Promise<never> => {
      scope.add({ lines: 2 });
      throw error;
    };
    const thrown = await logOperation(operation, work).catch((caught: unknown) => caught);
    assert.is(thrown, error);
    assert.equal(lines[1], { level, event: 'import_failed', fields: { collection: 'c', lines: 2, duration_ms: 3, error } });
  }
});

test.run();
