/** Retries: delays grow within their bounds, the server's wish is kept, and what must not repeat does not. */
import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { apiErrorFrom, SkeinConnectionError } from '../../src/sdk/errors.js';
import { DEFAULT_RETRIES, delayBeforeRetry, NO_RETRIES } from '../../src/sdk/retry.js';
import { suite } from '../support/suite.js';

function refused(type: string, retryable: boolean, details: object = {}, headers: Record<string, string> = {}) {
  return apiErrorFrom(503, { error: { type, message: type, details, retryable, request_id: 'r' } }, headers);
}
function broken(maybeSent: boolean) {
  return new SkeinConnectionError('m', { code: 'ECONNRESET', url: 'u', maybeSent });
}

const test = suite('sdk/retry');

test('every delay is at least half of its step and at most the longest', () => {
  const settings = { attempts: 20, firstDelayMs: 100, delayMsMax: 5_000 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 19 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
      const delayMs =
        delayBeforeRetry({ error: broken(true), attempt, repeatable: true, hasOthers: false }, settings, random) ?? -1;
      const step = Math.min(5_000, 100 * 2 ** (attempt - 1));
      assert.ok(delayMs >= step / 2 && delayMs <= step, `${attempt}: ${delayMs}`);
    }),
  );
});

test('tries are counted', () => {
  const ask = (attempt: number): number | null =>
    delayBeforeRetry({ error: broken(true), attempt, repeatable: true, hasOthers: false }, DEFAULT_RETRIES, 0);
  assert.is(ask(10), null);
  assert.is.not(ask(9), null);
  assert.is(delayBeforeRetry({ error: broken(false), attempt: 1, repeatable: true, hasOthers: false }, NO_RETRIES, 0), null);
});

test('the server’s wish to wait longer is kept, from details or header', () => {
  const ask = (error: unknown): number | null =>
    delayBeforeRetry({ error, attempt: 1, repeatable: true, hasOthers: false }, DEFAULT_RETRIES, 0);
  assert.is(ask(refused('RateLimited', true, { retry_after_ms: 1_234 })), 1_234);
  assert.is(ask(refused('RateLimited', true, {}, { 'retry-after': '2' })), 2_000);
  assert.is(ask(refused('RateLimited', true, { retry_after_ms: 1 })), 50);
});

test('that a node is not the master is news only where no other node may become it', () => {
  const ask = (hasOthers: boolean): number | null =>
    delayBeforeRetry({ error: refused('NotMaster', true), attempt: 1, repeatable: true, hasOthers }, DEFAULT_RETRIES, 0);
  assert.equal([ask(false), ask(true)], [null, 50]);
});

test('only what may be repeated is, and only where repeating can help', () => {
  const ask = (error: unknown, repeatable: boolean): boolean =>
    delayBeforeRetry({ error, attempt: 1, repeatable, hasOthers: false }, DEFAULT_RETRIES, 0) !== null;
  assert.equal(
    [ask(broken(true), true), ask(broken(true), false), ask(broken(false), false), ask(refused('Overloaded', true), false)],
    [true, false, true, false],
  );
  assert.equal(
    [
      ask(refused('Overloaded', true), true),
      ask(refused('Internal', false), true),
      ask(refused('NotMaster', true), true),
      ask(new Error('x'), true),
    ],
    [true, false, false, false],
  );
});

test.run();
