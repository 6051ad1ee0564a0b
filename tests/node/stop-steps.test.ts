/** The steps of a stop share one deadline; whatever one of them does, the others are begun. */

import * as assert from 'uvu/assert';
import { systemClock } from '../../src/model/clock.js';
import type { Log } from '../../src/model/log.js';
import { runStopSteps, type StopStep } from '../../src/node/stop-steps.js';
import { suite } from '../support/suite.js';

const test = suite('node/stop-steps');

class Rig {
  readonly begun: string[] = [];
  readonly left: number[] = [];
  readonly logged: string[] = [];

  step(name: string, run: () => Promise<void> = () => Promise.resolve(), keepsMs = 0): StopStep {
    return {
      name,
      keepsMs,
      run: (leftMs) => {
        this.begun.push(name);
        this.left.push(leftMs);
        return run();
      },
    };
  }

  run(totalMs: number, steps: readonly StopStep[]): Promise<string | null> {
    const note: Log['info'] = (event, fields = {}) => void this.logged.push(`${event} ${fields['step']}`);
    const log: Log = { debug: note, info: note, warn: note, error: note };
    return runStopSteps(steps, { totalMs, clock: systemClock, log }).then(
      () => null,
      (error: Error) => error.message,
    );
  }
}

test('each step is told what is left for it and logs how long it took', async () => {
  const rig = new Rig();
  assert.is(await rig.run(1_000, [rig.step('a', undefined, 400), rig.step('b')]), null);
  assert.equal(rig.logged, ['stop_step a', 'stop_step b']);
  const [a = 0, b = 0] = rig.left;
  assert.ok(a > 500 && a <= 600, `${a}`);
  assert.ok(b > 900 && b <= 1_000, `${b}`);
});

test('a step that fails keeps none from being begun, and the stop says so', async () => {
  const rig = new Rig();
  const problem = await rig.run(1_000, [
    rig.step('a', () => Promise.reject(new Error('no'))),
    rig.step('b', () => {
      throw new Error('never');
    }),
    rig.step('c'),
  ]);
  assert.is(problem, 'the stop was not clean: a: no; b: never');
  assert.equal(rig.begun, ['a', 'b', 'c']);
});

test('a step that does not end is left behind when the time is over, and all is over with it', async () => {
  const rig = new Rig();
  const startMs = performance.now();
  const problem = await rig.run(100, [rig.step('a', () => new Promise(() => {})), rig.step('b')]);
  assert.match(problem ?? '', /a: not done when the time/);
  assert.equal(rig.begun, ['a', 'b']);
  // A timer may be a part of a millisecond early.
  assert.ok((rig.left[1] ?? 2) <= 1, `${rig.left[1]}`);
  assert.ok(performance.now() - startMs < 2_000);
});

test.run();
