/** What is kept and told of looks that come one after the other. */
import * as assert from 'uvu/assert';
import { systemClock } from '../../src/model/clock.js';
import type { HealthFinding, HealthReport, HealthStatus } from '../../src/model/health.js';
import type { LogFields } from '../../src/model/log.js';
import { measureHealth } from '../../src/observability/health-measures.js';
import { type HealthChange, HealthMonitor } from '../../src/observability/health-monitor.js';
import { HealthRunner } from '../../src/observability/health-runner.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('observability/health-monitor');

function monitorOf(t: TestContext, settings: { intervalMs?: number; historyMax?: number; confirmations?: number } = {}) {
  const lines: { level: string; event: string; fields: LogFields }[] = [];
  const keep =
    (level: string) =>
    (event: string, fields: LogFields = {}): void =>
      void lines.push({ level, event, fields });
  const log = { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
  const runner = new HealthRunner({ clock: systemClock, reuseMs: 0, onError: () => {} });
  const monitor = new HealthMonitor({ runner, intervalMs: 0, historyMax: 5, confirmations: 2, log, ...settings });
  t.after(() => monitor.stop());
  const changes: HealthChange[] = [];
  monitor.onChange((change) => changes.push(change));
  return { runner, monitor, lines, changes };
}

function report(status: HealthStatus, atMs = 0): HealthReport {
  const message = `disk is ${status}`;
  const components = [{ name: 'disk', status, message, latencyMs: null, tookMs: 1 }];
  return { status, reasons: status === 'healthy' ? [] : [message], components, atMs, tookMs: 2 };
}

test('a change that lasts is told once: one line for the component, one for the node, one event for listeners', (t) => {
  const { monitor, lines, changes } = monitorOf(t);
  for (const status of ['healthy', 'degraded', 'healthy', 'degraded', 'degraded', 'degraded'] as const)
    monitor.take(report(status));
  assert.is(changes.length, 1, 'one look alone is no change');
  assert.equal(
    lines.map(({ level, event, fields }) => [level, event, fields['component'], fields['from'], fields['to']]),
    [
      ['warn', 'health_changed', 'disk', 'healthy', 'degraded'],
      ['warn', 'health_changed', 'node', 'healthy', 'degraded'],
    ],
  );
  monitor.take(report('healthy'));
  monitor.take(report('healthy'));
  assert.equal([changes.length, lines.length, lines.at(-1)?.level], [2, 4, 'info']);
  assert.equal(
    monitor.transitions.map(({ component, to }) => [component, to]),
    [
      ['disk', 'degraded'],
      [null, 'degraded'],
      ['disk', 'healthy'],
      [null, 'healthy'],
    ],
  );
});

test('history and changes are bounded, and the oldest go', (t) => {
  const { monitor } = monitorOf(t, { confirmations: 1, historyMax: 3 });
  for (let i = 0; i < 10; i++) monitor.take(report(i % 2 === 0 ? 'healthy' : 'degraded', i));
  assert.equal(
    monitor.history.map(({ atMs }) => atMs),
    [7, 8, 9],
  );
  assert.equal(
    monitor.history.map(({ failing }) => failing),
    [['disk'], [], ['disk']],
  );
  assert.is(monitor.transitions.length, 3);
});

test('a component that is gone takes its state with it', (t) => {
  const { monitor, changes } = monitorOf(t, { confirmations: 1 });
  monitor.take(report('degraded'));
  monitor.take({ ...report('healthy'), components: [] });
  monitor.take(report('degraded'));
  assert.equal(
    changes.map(({ transitions }) => transitions.map(({ component, to }) => `${component} ${to}`)),
    [['disk degraded', 'null degraded'], ['null healthy'], ['disk degraded', 'null degraded']],
  );
});

test('it looks by itself at its interval until it is stopped, and measures show the newest look', async (t) => {
  const { runner, monitor } = monitorOf(t, { intervalMs: 1, confirmations: 1 });
  let finding: HealthFinding = { status: 'healthy', message: 'well', latencyMs: null };
  runner.add({ name: 'a', deadlineMs: 100, whenSilent: 'degraded', check: () => finding });
  const metrics = createMetrics();
  const webhook = () => ({ delivered: 3, failed: 1 });
  measureHealth(metrics.meter, { runner, monitor, webhook, oldestMs: 60_000 });
  assert.not.match(await metrics.text(), /skein_health_status\{/, 'unknown has no series');
  monitor.start();
  monitor.start();
  await waitUntil(() => monitor.history.length >= 3, { what: 'three looks' });
  finding = { ...finding, status: 'unhealthy', message: 'broken' };
  await waitUntil(() => monitor.transitions.length >= 2, { what: 'the change' });
  const text = await metrics.text();
  assert.match(text, 'skein_health_status{component="a"} 2');
  assert.match(text, 'skein_health_status{component="node"} 1');
  assert.match(text, 'skein_health_transitions_total{component="a",to="unhealthy"} 1');
  assert.match(text, 'skein_health_transitions_total{component="node",to="degraded"} 1');
  assert.match(text, /skein_health_check_seconds\{component="a"\} [\d.e-]+/);
  assert.match(text, 'skein_health_webhook_delivered_total 3');
  assert.match(text, 'skein_health_webhook_failed_total 1');
  monitor.stop();
  const { history } = monitor;
  await runner.report();
  assert.is(monitor.history, history, 'looks that others ask for are not its own');
});

test('measures show no look that is older than they may be', async (t) => {
  const { runner, monitor } = monitorOf(t, { intervalMs: 0 });
  runner.add({
    name: 'a',
    deadlineMs: 100,
    whenSilent: 'degraded',
    check: () => ({ status: 'healthy', message: '', latencyMs: null }),
  });
  const [old, young] = [createMetrics(), createMetrics()];
  measureHealth(old.meter, { runner, monitor, webhook: null, oldestMs: -1 });
  measureHealth(young.meter, { runner, monitor, webhook: null, oldestMs: 60_000 });
  await runner.report();
  assert.match(await young.text(), 'skein_health_status{component="a"} 0');
  assert.not.match(await old.text(), /skein_health_status\{/);
});

test.run();
