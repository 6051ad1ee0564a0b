/** The steps of a stop share one deadline; whatever one of them does, the others are begun. */

import * as assert from 'uvu/assert';
import type { Log } from '../../src/model/log.js';
import { runStopSteps, type StopStep } from '../../src/node/stop-steps.js';
import { suite } from '../support/suite.js';

const test = suite('node/stop-steps');

class Rig {
  /** Goes on when a step lets it. */
  nowMs = 0;
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

  run(totalMs: number, steps: readonly StopStep[], stepLevel: 'info' | 'debug' = 'info'): Promise<string | null> {
    const note: Log['info'] = (event, fields = {}) => void this.logged.push(`${event} ${fields['step']} ${fields['took_ms']}`);
    const log: Log = { debug: () => {}, info: note, warn: note, error: note };
    return runStopSteps(steps, { totalMs, clock: { wallMs: () => 0, monotonicMs: () => this.nowMs }, log, stepLevel }).then(
      () => null,
      (error: Error) => error.message,
    );
  }
}

test('each step is told what is left for it and logs how long it took', async () => {
  const rig = new Rig();
  const taking =
    (ms: number): (() => Promise<void>) =>
    () => {
      rig.nowMs += ms;
      return Promise.resolve();
    };
  assert.is(await rig.run(60_000, [rig.step('a', taking(90), 400), rig.step('b', taking(7))]), null);
  assert.equal(rig.logged, ['stop_step a 90', 'stop_step b 7']);
  assert.equal(rig.left, [59_600, 59_910]);
});

test('a step that fails keeps none from being begun, and the stop says so', async () => {
  const rig = new Rig();
  const problem = await rig.run(60_000, [
    rig.step('a', () => Promise.reject(new Error('no'))),
    rig.step('b', () => {
      throw new Error('never');
    }),
    rig.step('c'),
  ]);
  assert.is(problem, 'the stop was not clean: a: no; b: never');
  assert.equal(rig.begun, ['a', 'b', 'c']);
});

test('where nothing had begun, only steps that fail are told', async () => {
  const rig = new Rig();
  await rig.run(60_000, [rig.step('a'), rig.step('b', () => Promise.reject(new Error('no')))], 'debug');
  assert.equal(rig.logged, ['stop_step_failed b 0']);
});

test('a step that does not end is left behind when the time is over, and all is over with it', async () => {
  const rig = new Rig();
  const endless = (): Promise<void> => {
    rig.nowMs += 20;
    return new Promise(() => {});
  };
  const problem = await rig.run(20, [rig.step('a', endless), rig.step('b')]);
  assert.match(problem ?? '', /a: not done when the time/);
  assert.equal(rig.begun, ['a', 'b']);
  assert.equal(rig.left, [20, 0]);
});

test.run();
