/** Outside dependencies: retried, behind breakers of their own, and listed. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { silentLog } from '../../src/model/log.js';
import { Dependencies, type Dependency } from '../../src/resilience/dependencies.js';
import { suite } from '../support/suite.js';
import { shiftedTime } from './shifted-time.js';

const test = suite('resilience/dependencies');
/** Passes only when a test says so. */
const RESET_MS = 60_000;

class Rig {
  readonly lines: { event: string; from?: unknown; to?: unknown }[] = [];
  readonly all: Dependencies;
  readonly store: Dependency;
  calls = 0;

  constructor() {
    const line = (event: string, fields = {}): void => void this.lines.push({ event, ...fields });
    this.all = new Dependencies({ log: { ...silentLog, info: line, warn: line }, wallMs: () => 1_234 });
    this.store = this.all.add({
      name: 'store',
      breaker: { failuresMax: 3, resetMs: RESET_MS, successesMin: 2 },
      retry: { attemptsMax: 2, baseDelayMs: 1, jitter: false },
      isFailure: (error) => !(error instanceof RangeError),
    });
  }

  async call(error: Error | null, repeatable = true): Promise<string> {
    const work = async (): Promise<string> => {
      this.calls += 1;
      if (error !== null) throw error;
      return 'good';
    };
    return this.store
      .call('ask', work, { repeatable })
      .catch((thrown: Error) => (thrown instanceof SkeinError ? thrown.type : thrown.message));
  }
}

test('a failure is tried again, an error that is not the dependency’s is not, nor a call that may be made only once', async () => {
  const rig = new Rig();
  assert.is(await rig.call(new Error('gone')), 'gone');
  assert.is(rig.calls, 2);
  assert.is(await rig.call(new RangeError('yours')), 'yours');
  assert.is(rig.calls, 3);
  assert.is(await rig.call(null), 'good');
  assert.is(await rig.call(new Error('gone'), false), 'gone');
  assert.is(rig.calls, 5);
});

test('its breaker opens after failures in a row, ends the tries at once, and closes when it is proven; each step is one line', async (t) => {
  const pass = shiftedTime(t);
  const rig = new Rig();
  await rig.call(new Error('gone'));
  assert.is(await rig.call(new Error('gone')), 'gone', 'the third failure opens it: that is why the next try is refused');
  assert.is(rig.calls, 3);
  assert.equal(rig.all.status(), [
    { name: 'store', state: 'open', failures: 3, failuresTotal: 3, lastFailure: { message: 'gone', atMs: 1_234 } },
  ]);
  assert.is(await rig.call(null), 'CircuitOpen');
  pass(RESET_MS);
  assert.is(await rig.call(null), 'good');
  assert.is(rig.store.status().state, 'half_open');
  await rig.call(null);
  assert.is(rig.store.status().state, 'closed');
  const steps = rig.lines.filter(({ event }) => event === 'circuit_breaker').map(({ from, to }) => `${from} ${to}`);
  assert.equal(steps, ['closed open', 'open half_open', 'half_open closed']);
});

test('a refusal says what failed last, and who asks by hand has the next try', async () => {
  const rig = new Rig();
  for (let i = 0; i < 2; i++) await rig.call(new Error('gone'));
  const refused = await rig.store.call('ask', async () => 'good').catch((error: SkeinError) => error);
  assert.instance(refused, SkeinError);
  assert.match((refused as SkeinError).message, 'it failed last with: gone');
  assert.is((refused as SkeinError).details['last_failure'], 'gone');
  assert.is(await rig.store.call('ask', async () => 'good', { asked: true }), 'good');
  assert.is(await rig.call(null), 'good');
  assert.is(rig.store.status().state, 'closed');
});

test('what is said for all holds where a dependency says nothing, slow ones have limits of their own', async () => {
  const breaker = { failuresMax: 2, resetMs: 60_000, successesMin: 1 };
  const retry = { attemptsMax: 1, strategy: 'fixed', baseDelayMs: 1, maxDelayMs: 1, factor: 1, jitter: false } as const;
  const defaults = { retry, breaker, slowBreaker: { ...breaker, failuresMax: Number.POSITIVE_INFINITY } };
  const all = new Dependencies({ log: silentLog, wallMs: () => 0, defaults });
  const quick = all.add({ name: 'quick', isFailure: () => true });
  const slow = all.add({ name: 'slow', isSlow: true, isFailure: () => true });
  const own = all.add({ name: 'own', isFailure: () => true, retry: { attemptsMax: 3 }, breaker: { ...breaker, failuresMax: 5 } });
  const failed = (dependency: Dependency): Promise<unknown> =>
    dependency.call('ask', () => Promise.reject(new Error('gone'))).catch(() => undefined);
  for (const dependency of [quick, slow, own]) for (let i = 0; i < 2; i++) await failed(dependency);
  assert.equal(
    all.status().map(({ name, state, failuresTotal }) => `${name} ${state} ${failuresTotal}`),
    ['quick open 2', 'slow closed 2', 'own open 5'],
  );
});

test('dependencies do not share breakers, and names are taken once', async () => {
  const rig = new Rig();
  const other = rig.all.add({ name: 'webhook', isFailure: () => true });
  for (let i = 0; i < 2; i++) await rig.call(new Error('gone'));
  assert.is(await other.call('tell', async () => 'told'), 'told');
  assert.equal(
    rig.all.status().map(({ name, state }) => `${name} ${state}`),
    ['store open', 'webhook closed'],
  );
  assert.throws(() => rig.all.add({ name: 'store', isFailure: () => true }), /already/);
});

test.run();
