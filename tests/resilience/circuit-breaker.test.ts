/** The circuit breaker: opens after failures in a row, refuses without calling, tries once, closes on success. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { type BreakerState, CircuitBreaker } from '../../src/resilience/circuit-breaker.js';
import { suite, type TestContext } from '../support/suite.js';
import { shiftedTime } from './shifted-time.js';

const test = suite('resilience/circuit-breaker');
/** Passes only when a test says so. */
const RESET_MS = 60_000;

class Rig {
  readonly states: BreakerState[] = [];
  calls = 0;
  readonly breaker: CircuitBreaker;
  readonly pass: (ms: number) => void;

  constructor(t: TestContext, failuresMax: number, successesMin?: number) {
    this.pass = shiftedTime(t);
    this.breaker = new CircuitBreaker({
      name: 'thing',
      ...(successesMin === undefined ? {} : { successesMin }),
      failuresMax,
      resetMs: RESET_MS,
      isFailure: (error) => error.message !== 'your fault',
      onState: (state) => this.states.push(state),
    });
  }

  async end(how: string): Promise<string> {
    try {
      return await this.breaker.run(async () => {
        this.calls += 1;
        if (how !== 'good') throw new Error(how);
        return how;
      });
    } catch (error) {
      return error instanceof SkeinError ? error.type : (error as Error).message;
    }
  }

  /** The first call once it has been open for long enough. */
  async trying(how: string): Promise<void> {
    this.pass(RESET_MS);
    assert.is(await this.end(how), how);
  }
}

test('it opens after so many failures in a row, and then refuses without a call', async (t) => {
  const rig = new Rig(t, 3);
  for (const how of ['bad', 'bad', 'good', 'bad', 'bad']) await rig.end(how);
  assert.is(rig.breaker.state, 'closed', 'a success starts the count anew');
  assert.is(await rig.end('bad'), 'bad');
  assert.is(rig.breaker.state, 'open');
  const { calls } = rig;
  assert.is(await rig.end('good'), 'CircuitOpen');
  assert.is(rig.calls, calls);
  assert.equal([rig.breaker.failures, rig.breaker.failuresTotal], [3, 5]);
});

test('errors that are the fault of the caller do not count', async (t) => {
  const rig = new Rig(t, 1);
  for (let i = 0; i < 5; i++) assert.is(await rig.end('your fault'), 'your fault');
  assert.is(rig.breaker.state, 'closed');
  assert.is(rig.breaker.failures, 0);
});

test('after a while one call tries: a failure opens it again, a success closes it', async (t) => {
  const rig = new Rig(t, 1);
  await rig.end('bad');
  await rig.trying('bad');
  assert.is(rig.breaker.state, 'open');
  await rig.trying('good');
  assert.is(rig.breaker.state, 'closed');
  assert.equal(rig.states, ['open', 'half_open', 'open', 'half_open', 'closed']);
});

test('a try that ends with the fault of its caller proves nothing: it stays open, and the caller has its error', async (t) => {
  const rig = new Rig(t, 1);
  await rig.end('bad');
  await rig.trying('your fault');
  assert.is(rig.breaker.state, 'open');
  assert.is(rig.breaker.failures, 1);
  await rig.trying('good');
  assert.is(rig.breaker.state, 'closed');
});

test('while one call tries the others are refused at once', async (t) => {
  const rig = new Rig(t, 1);
  await rig.end('bad');
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  rig.pass(RESET_MS);
  const tried = rig.breaker.run(() => gate.then(() => 'tried'));
  assert.is(await rig.end('good'), 'CircuitOpen');
  assert.is(rig.calls, 1);
  release();
  assert.is(await tried, 'tried');
  assert.is(rig.breaker.state, 'closed');
});

test('a call that may not try leaves the try to another, until it is long overdue', async (t) => {
  const rig = new Rig(t, 1);
  const tried = () => rig.breaker.run(async () => 'tried', false).catch((error: SkeinError) => error.type);
  await rig.end('bad');
  rig.pass(1.1 * RESET_MS);
  assert.is(await tried(), 'CircuitOpen');
  rig.pass(1.1 * RESET_MS);
  assert.is(await tried(), 'tried');
  assert.is(rig.breaker.state, 'closed');
});

test('where one success is no proof, it closes after so many in a row, and opens again at the first failure before', async (t) => {
  const rig = new Rig(t, 2, 3);
  for (const how of ['bad', 'bad']) await rig.end(how);
  await rig.trying('good');
  assert.is(rig.breaker.state, 'half_open');
  assert.is(await rig.end('your fault'), 'your fault', 'proves nothing, and breaks nothing off');
  assert.is(await rig.end('good'), 'good');
  assert.is(rig.breaker.state, 'half_open');
  assert.is(await rig.end('bad'), 'bad');
  assert.is(rig.breaker.state, 'open', 'one failure is enough');
  assert.is(await rig.end('good'), 'CircuitOpen');
  await rig.trying('good');
  for (let i = 0; i < 2; i++) {
    assert.is(rig.breaker.state, 'half_open');
    await rig.end('good');
  }
  assert.is(rig.breaker.state, 'closed');
  assert.equal(rig.states, ['open', 'half_open', 'open', 'half_open', 'closed']);
  assert.is(await rig.end('bad'), 'bad');
  assert.is(rig.breaker.state, 'closed', 'it counts anew');
});

test('while it is being proven one call at a time is let through', async (t) => {
  const rig = new Rig(t, 1, 2);
  await rig.end('bad');
  await rig.trying('good');
  const gate = new EventTarget();
  const opened = new Promise((resolve) => gate.addEventListener('open', resolve));
  const running = rig.breaker.run(() => opened);
  assert.is(await rig.end('good'), 'CircuitOpen');
  gate.dispatchEvent(new Event('open'));
  await running;
  assert.is(rig.breaker.state, 'closed');
});

test('told to try now it lets one call at a time through: a failure opens it again, successes close it', async (t) => {
  const rig = new Rig(t, 1, 2);
  rig.breaker.tryNow();
  assert.equal([rig.breaker.state, rig.states], ['closed', []], 'there is nothing to try');
  await rig.end('bad');
  assert.is(await rig.end('good'), 'CircuitOpen');
  rig.breaker.tryNow();
  assert.is(await rig.end('bad'), 'bad');
  assert.is(await rig.end('good'), 'CircuitOpen', 'for as long as after any failure');
  rig.breaker.tryNow();
  assert.is(await rig.end('your fault'), 'your fault', 'proves nothing');
  const gate = new EventTarget();
  const opened = new Promise((resolve) => gate.addEventListener('open', resolve));
  const running = rig.breaker.run(() => opened);
  assert.is(await rig.end('good'), 'CircuitOpen', 'one at a time');
  rig.breaker.tryNow();
  assert.is(await rig.end('good'), 'CircuitOpen', 'also when it is told again');
  gate.dispatchEvent(new Event('open'));
  await running;
  assert.is(rig.breaker.state, 'half_open');
  assert.is(await rig.end('good'), 'good');
  assert.is(rig.breaker.state, 'closed');
  assert.equal(rig.states, ['open', 'half_open', 'open', 'half_open', 'closed']);
});

test('its refusal says when to come back', async (t) => {
  const rig = new Rig(t, 1);
  await rig.end('bad');
  const refused = await rig.breaker.run(async () => 'never').catch((error: SkeinError) => error);
  assert.instance(refused, SkeinError);
  const { dependency, retry_after_ms: retryMs } = (refused as SkeinError).details as {
    dependency: string;
    retry_after_ms: number;
  };
  assert.is(dependency, 'thing');
  assert.ok(retryMs >= 1 && retryMs <= RESET_MS);
});

test.run();
