/** Checks that answer, hang, throw, come and go, in one run. */
import * as assert from 'uvu/assert';
import { type Clock, systemClock } from '../../src/model/clock.js';
import { SkeinError } from '../../src/model/errors.js';
import type { ComponentReport, HealthCheck, HealthFinding } from '../../src/model/health.js';
import { HealthRunner } from '../../src/observability/health-runner.js';
import { suite } from '../support/suite.js';

const test = suite('observability/health-runner');

const WELL: HealthFinding = { status: 'healthy', message: 'well', latencyMs: 1 };

function runnerOf(checks: readonly HealthCheck[], clock: Clock = systemClock, reuseMs = 0) {
  const errors: string[] = [];
  const runner = new HealthRunner({ clock, reuseMs, onError: (component) => errors.push(component) });
  for (const check of checks) runner.add(check);
  return { runner, errors };
}

function check(name: string, look: HealthCheck['check'], more: Partial<HealthCheck> = {}): HealthCheck {
  return { name, deadlineMs: 30, whenSilent: 'degraded', check: look, ...more };
}

const named = (components: readonly ComponentReport[], name: string): ComponentReport | undefined =>
  components.find((component) => component.name === name);

test('all checks run at once, and one that hangs is not waited for longer than its deadline', async () => {
  let aborted = false;
  const hanging = (signal: AbortSignal): Promise<never> => {
    signal.addEventListener('abort', () => (aborted = true));
    return new Promise(() => {});
  };
  const { runner } = runnerOf([check('a', hanging), check('b', () => WELL), check('c', () => Promise.resolve(WELL))]);
  const { components, status, reasons, tookMs } = await runner.report();
  assert.equal(
    [named(components, 'a')?.status, named(components, 'b')?.status, named(components, 'c')?.status],
    ['degraded', 'healthy', 'healthy'],
  );
  assert.equal([status, reasons], ['degraded', ['a gave no answer in 30 ms']]);
  assert.ok(aborted, 'the check is told');
  assert.ok(tookMs >= 29, `${tookMs}`);
});

test('a check that still hangs is not begun again, and is looked at anew once it has ended', async () => {
  let begun = 0;
  let end: (finding: HealthFinding) => void = () => {};
  const slow = (): Promise<HealthFinding> => {
    begun += 1;
    return new Promise((resolve) => (end = resolve));
  };
  let deadlineMs = 30;
  const looked = Object.defineProperty(check('slow', slow, { whenSilent: 'unhealthy' }), 'deadlineMs', { get: () => deadlineMs });
  const { runner } = runnerOf([looked]);
  const first = await runner.report();
  const second = await runner.report();
  assert.equal([first.components[0]?.status, second.components[0]?.status, begun], ['unhealthy', 'unhealthy', 1]);
  assert.match(second.reasons[0] ?? '', /^slow gave no answer in \d+ ms$/);
  assert.is(second.status, 'unhealthy', 'what requests depend on serves nothing while it is silent');
  end(WELL);
  deadlineMs = 60_000;
  await new Promise((resolve) => setImmediate(resolve));
  const third = runner.report();
  end(WELL);
  await new Promise((resolve) => setImmediate(resolve));
  end(WELL);
  assert.equal([(await third).status, begun], ['healthy', 2]);
});

test('a check that throws is shown by the type of its error alone', async () => {
  const secret = (): never => {
    throw new SkeinError('CorruptData', 'the row of key s3cr3t is damaged');
  };
  const { runner, errors } = runnerOf([check('a', secret), check('b', () => Promise.reject(new Error('s3cr3t')))]);
  const report = await runner.report();
  assert.equal(report.reasons, ['the check of a failed (CorruptData)', 'the check of b failed (Internal)']);
  assert.not.match(JSON.stringify(report), /s3cr3t/);
  assert.equal(errors, ['a', 'b']);
});

test('callers share a run, and its result for a while', async () => {
  let nowMs = 0;
  let runs = 0;
  const counted = (): HealthFinding => {
    runs += 1;
    return WELL;
  };
  const clock = { wallMs: () => 0, monotonicMs: () => nowMs };
  const { runner } = runnerOf([check('a', counted)], clock, 1_000);
  const [one, two] = await Promise.all([runner.report(), runner.report()]);
  assert.is(one, two);
  nowMs = 999;
  assert.is(await runner.report(), one);
  assert.is(runs, 1);
  nowMs = 1_000;
  assert.is.not(await runner.report(), one);
  assert.equal([runs, runner.lastWithin(0)?.status], [2, 'healthy']);
  runner.forget();
  await runner.report();
  assert.is(runs, 3, 'what was seen before a change is not given again');
  nowMs = 1_500;
  assert.is(runner.lastWithin(499), null, 'too old');
});

test('a dependency comes and goes, and names are its own', async () => {
  const { runner } = runnerOf([check('a', () => WELL)], systemClock, 60_000);
  await runner.report();
  const remove = runner.add(check('backup', () => ({ ...WELL, status: 'unhealthy' })));
  assert.throws(() => runner.add(check('backup', () => WELL)), /named backup already/);
  assert.is((await runner.report()).status, 'degraded', 'seen at once, whatever was found before');
  remove();
  remove();
  assert.is((await runner.report()).status, 'healthy');
});

test.run();
