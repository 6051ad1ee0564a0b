/** What is found of the machine: limits with hysteresis over figures that a test sets, and real figures. */
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/model/clock.js';
import type { HealthCheck } from '../../src/model/health.js';
import { type SystemLimits, systemChecks } from '../../src/observability/system-checks.js';
import { type SystemFigures, systemFigures } from '../../src/observability/system-figures.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('observability/system-checks');

const LIMITS: SystemLimits = { cpuMax: 0.8, memoryMax: 0.85, diskMax: 0.9, eventLoopMaxMs: 100, timeoutMs: 1_000 };
const SIGNAL = new AbortController().signal;

function figuresOf(set: { disk: number; memory: number; cpu: number | null; loopMs: number }): SystemFigures {
  return {
    disk: () => Promise.resolve({ totalBytes: 100, freeBytes: 100 - set.disk * 100, usedShare: set.disk }),
    memory: () => ({ residentBytes: set.memory * 1_000, limitBytes: 1_000, limitedBy: 'cgroup' }),
    cpu: () => ({ share: set.cpu, processShare: 0.1, cores: 2, windowMs: 30_000 }),
    eventLoopDelayMs: () => set.loopMs,
    stop: () => {},
  };
}

async function statuses(checks: readonly HealthCheck[]): Promise<Record<string, string>> {
  const found = await Promise.all(checks.map(async ({ name, check }) => [name, (await check(SIGNAL)).status]));
  return Object.fromEntries(found);
}

test('each limit degrades its component from there on, and until well below it', async () => {
  const set = { disk: 0.89, memory: 0.84, cpu: 0.79, loopMs: 99 };
  const checks = systemChecks(figuresOf(set), LIMITS);
  const all = (status: string): object => ({ disk: status, memory: status, cpu: status, event_loop: status });
  assert.equal(await statuses(checks), all('healthy'));
  Object.assign(set, { disk: 0.9, memory: 0.85, cpu: 0.8, loopMs: 100 });
  assert.equal(await statuses(checks), all('degraded'));
  Object.assign(set, { disk: 0.85, memory: 0.8, cpu: 0.75, loopMs: 95 });
  assert.equal(await statuses(checks), all('degraded'), 'not yet well below');
  Object.assign(set, { disk: 0.8, memory: 0.76, cpu: 0.71, loopMs: 89 });
  assert.equal(await statuses(checks), all('healthy'));
});

test('a limit of 1 is never reached, and what was not measured yet is no alarm', async () => {
  const set = { disk: 1, memory: 1.2, cpu: null, loopMs: 0 };
  const checks = systemChecks(figuresOf(set), { ...LIMITS, diskMax: 1, memoryMax: 1 });
  assert.equal(await statuses(checks), { disk: 'healthy', memory: 'healthy', cpu: 'healthy', event_loop: 'healthy' });
});

test('messages say the figure and the limit', async () => {
  const [disk, memory] = systemChecks(figuresOf({ disk: 0.934, memory: 0.05, cpu: 0, loopMs: 0 }), LIMITS);
  assert.is((await disk?.check(SIGNAL))?.message, 'the disk of the data folder is 93 % full; the limit is 90 %');
  assert.is((await memory?.check(SIGNAL))?.message, 'the process has 5.0 % of what its control group allows');
});

test('real figures are in range, and CPU is known after its window', async (t) => {
  let standsStillMs: number | null = systemClock.monotonicMs();
  const clock = { ...systemClock, monotonicMs: () => standsStillMs ?? systemClock.monotonicMs() };
  const figures = systemFigures(t.folder(), 1_000, clock);
  t.after(() => figures.stop());
  const { totalBytes, freeBytes, usedShare } = await figures.disk();
  assert.ok(totalBytes > 0 && freeBytes <= totalBytes && usedShare >= 0 && usedShare <= 1);
  const { residentBytes, limitBytes } = figures.memory();
  assert.ok(residentBytes > 2 ** 20 && limitBytes > residentBytes);
  assert.is(figures.cpu().share, null);
  standsStillMs = null;
  const cpu = await waitUntil(() => (figures.cpu().share === null ? null : figures.cpu()), { what: 'a measured share' });
  assert.ok((cpu.share ?? -1) >= 0 && (cpu.share ?? 2) <= 1.01 && cpu.processShare >= 0, JSON.stringify(cpu));
  assert.ok(figures.eventLoopDelayMs() >= 0);
});

test('a loop that stood still is late', async (t) => {
  const figures = systemFigures(t.folder(), 30_000, systemClock);
  t.after(() => figures.stop());
  /** Always false. */
  const standStill = (): boolean => {
    const untilMs = performance.now() + 60;
    while (performance.now() < untilMs);
    return false;
  };
  await waitUntil(() => standStill() || figures.eventLoopDelayMs() > 20, { what: 'the delay is seen' });
});

test.run();
