/** Measures of health: the newest look, and what has changed since the start. What was not looked at for long has no series.
 *  Labels are names of checks, which are few. Must not know: what is looked at. */

import { HEALTH_STATUSES } from '../model/health.js';
import type { Meter } from '../model/meter.js';
import { grownCounter } from './grown-counter.js';
import type { HealthMonitor } from './health-monitor.js';
import type { HealthRunner } from './health-runner.js';
import type { WebhookCounts } from './health-webhook.js';

/** Stands for all components together. */
const NODE = 'node';

export interface HealthMeasuresParts {
  readonly runner: HealthRunner;
  readonly monitor: HealthMonitor;
  /** Null when there is none. */
  readonly webhook: (() => WebhookCounts) | null;
  /** An older look says nothing about now, in milliseconds. */
  readonly oldestMs: number;
}

export function measureHealth(meter: Meter, { runner, monitor, webhook, oldestMs }: HealthMeasuresParts): void {
  const component = ['component'];
  const status = meter.gauge({
    name: 'health_status',
    help: '0 healthy, 1 degraded, 2 unhealthy, by component; "node" is all together.',
    labels: component,
  });
  const seconds = meter.gauge({
    name: 'health_check_seconds',
    help: 'How long the newest look at a component took; "node" is all together.',
    labels: component,
  });
  const transitions = meter.counter({
    name: 'health_transitions_total',
    help: 'Changes of health that lasted, by component and what it became.',
    labels: ['component', 'to'],
  });
  monitor.onChange((change) => {
    for (const { component: name, to } of change.transitions) transitions.series({ component: name ?? NODE, to }).add(1);
  });
  if (webhook !== null) measureWebhook(meter, webhook);
  meter.beforePrinting(() => {
    status.clear();
    seconds.clear();
    const report = runner.lastWithin(oldestMs);
    if (report === null) return;
    const parts = report.components.map(({ name, status: state, tookMs }) => ({ name, status: state, tookMs }));
    for (const part of [...parts, { name: NODE, ...report }]) {
      status.series({ component: part.name }).set(HEALTH_STATUSES.indexOf(part.status));
      seconds.series({ component: part.name }).set(part.tookMs / 1_000);
    }
  });
}

function measureWebhook(meter: Meter, counts: () => WebhookCounts): void {
  const delivered = grownCounter(meter, 'health_webhook_delivered_total', 'Changes of health that the webhook took.');
  const failed = grownCounter(
    meter,
    'health_webhook_failed_total',
    'Changes of health that were given up: refused, or too many before one was taken.',
  );
  meter.beforePrinting(() => {
    const now = counts();
    delivered(now.delivered);
    failed(now.failed);
  });
}
