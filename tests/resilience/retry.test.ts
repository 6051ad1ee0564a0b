/** Retry: which errors are tried again, how long it waits, what it logs, and how it is broken off. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { silentLog } from '../../src/model/log.js';
import { type RetryOptions, retry, retrying } from '../../src/resilience/retry.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('resilience/retry');

class Rig {
  readonly waits: number[] = [];
  readonly lines: unknown[] = [];
  readonly options: RetryOptions;
  calls = 0;

  constructor(settings: NonNullable<RetryOptions['settings']> = {}, random = 0) {
    const line = (event: string, fields = {}): void => void this.lines.push({ event, ...fields });
    this.options = {
      operation: 'ask',
      settings,
      isWorthRetrying: (error) => !(error instanceof RangeError),
      log: { ...silentLog, info: line, warn: line },
      random: () => random,
      wait: async (waitMs) => void this.waits.push(waitMs),
    };
  }

  /** Fails until the given call. */
  until(good: number, error: unknown = new Error('busy')): () => Promise<string> {
    return async () => {
      this.calls += 1;
      if (this.calls < good) throw error;
      return `call ${this.calls}`;
    };
  }
}

const thrownBy = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => null,
    (error: unknown) => error,
  );

test('by default there are three tries, with waits of a second and two, up to half of it taken by chance', async () => {
  const rig = new Rig();
  assert.is(await retry(rig.until(3), rig.options), 'call 3');
  assert.equal(rig.waits, [500, 1_000]);
  const failing = new Rig({}, 1);
  assert.match(String(await thrownBy(retry(failing.until(9), failing.options))), 'busy');
  assert.is(failing.calls, 3);
  assert.equal(failing.waits, [1_000, 2_000]);
});

test('tries, waits, strategy and jitter can be set; five tries of base 2 s wait 2, 4, 8 and 16 s', async () => {
  const rig = new Rig({ attemptsMax: 5, baseDelayMs: 2_000, jitter: false });
  await thrownBy(retry(rig.until(9), rig.options));
  assert.equal(rig.waits, [2_000, 4_000, 8_000, 16_000]);
  const linear = new Rig({ attemptsMax: 5, strategy: 'linear', maxDelayMs: 2_500, jitter: false });
  await thrownBy(retry(linear.until(9), linear.options));
  assert.equal(linear.waits, [1_000, 2_000, 2_500, 2_500]);
  const once = new Rig({ attemptsMax: 1 });
  await thrownBy(retry(once.until(9), once.options));
  assert.equal([once.calls, once.waits.length], [1, 0]);
});

test('an error that its owner calls lasting goes to the caller at once, as it is', async () => {
  const rig = new Rig();
  const lasting = new RangeError('never');
  assert.is(await thrownBy(retry(rig.until(9, lasting), rig.options)), lasting);
  assert.equal([rig.calls, rig.lines.length], [1, 0]);
});

test('every try that failed is one line, with its operation and what comes next', async () => {
  const rig = new Rig({ attemptsMax: 2, jitter: false });
  await retry(rig.until(2), rig.options);
  await thrownBy(retry(rig.until(9), rig.options));
  const failed = { operation: 'ask', attempt: 1, attempts_max: 2, error: 'busy' };
  assert.equal(rig.lines, [
    { event: 'retry', ...failed, wait_ms: 1_000 },
    { event: 'retry_succeeded', operation: 'ask', attempt: 2 },
    { event: 'retry', ...failed, wait_ms: 1_000 },
    { event: 'retry_given_up', ...failed, attempt: 2 },
  ]);
});

test('whoever refused may wish for a longer wait, within the longest one', async () => {
  const refused = (retryAfterMs: unknown): SkeinError => new SkeinError('Overloaded', 'busy', { retry_after_ms: retryAfterMs });
  for (const [wish, waitMs] of [
    [5_000, 5_000],
    [500, 1_000],
    [1e9, 60_000],
    ['soon', 1_000],
  ]) {
    const rig = new Rig({ jitter: false });
    await retry(rig.until(2, refused(wish)), rig.options);
    assert.equal(rig.waits, [waitMs]);
  }
});

test('a signal breaks off the wait, and no try begins after it', async (t: TestContext) => {
  const stop = new AbortController();
  t.after(() => stop.abort());
  const rig = new Rig();
  const { wait: _, ...waiting } = rig.options;
  const reason = new Error('stopping');
  const log = { ...silentLog, warn: () => void setImmediate(() => stop.abort(reason)) };
  const running = retry(rig.until(9), { ...waiting, log, signal: stop.signal, settings: { baseDelayMs: 60_000 } });
  assert.is(await thrownBy(running), reason);
  assert.is(rig.calls, 1);
  assert.is(await thrownBy(retry(rig.until(1), { ...rig.options, signal: stop.signal })), reason);
  assert.is(rig.calls, 1);
});

test('a function can be wrapped, and may be a plain one', async () => {
  const rig = new Rig();
  const add = retrying((a: number, b: number) => {
    rig.calls += 1;
    if (rig.calls < 3) throw new Error('not yet');
    return a + b;
  }, rig.options);
  assert.is(await add(2, 3), 5);
  assert.is(rig.calls, 3);
});

test.run();
