/** The health of a node, put together: its checks, the monitor over them, the webhook, the measures, and what the routes ask.
 *
 *    made with the node (routes may ask) ─► start, once its store is open ─► stop, before anything it looks at is closed
 *  Outside dependencies add checks of their own to `registry`. Must not know: what checks find, HTTP. */

import type { Config } from '../config/config.js';
import type { Engine } from '../engine/engine.js';
import type { HealthService } from '../http/http.js';
import type { Clock } from '../model/clock.js';
import type { HealthRegistry } from '../model/health.js';
import type { Log } from '../model/log.js';
import type { Meter } from '../model/meter.js';
import type { RecoveryStatus } from '../model/recovery.js';
import { type ConcernedPart, concernCheck } from '../observability/concern-check.js';
import { dependencyCheck } from '../observability/dependency-check.js';
import { engineChecks } from '../observability/engine-checks.js';
import { measureHealth } from '../observability/health-measures.js';
import { HealthMonitor } from '../observability/health-monitor.js';
import { HealthRunner } from '../observability/health-runner.js';
import { HealthWebhook, mayPass } from '../observability/health-webhook.js';
import { type ReplicationFacts, replicationCheck } from '../observability/replication-check.js';
import { systemChecks } from '../observability/system-checks.js';
import { systemFigures } from '../observability/system-figures.js';
import type { Dependencies } from '../resilience/dependencies.js';

export interface NodeHealthParts {
  readonly config: Pick<Config, 'health' | 'dataDir' | 'limits'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Null: nothing is measured. */
  readonly meter: Meter | null;
  readonly dependencies: Dependencies;
  /** @throws Starting, ShuttingDown */
  engine(): Engine;
  /** @throws Starting until the store is open */
  replication(): ReplicationFacts;
  storeConcern(): string | null;
  recovery(): RecoveryStatus | null;
  /** Each is a component of its own. */
  readonly concerned: readonly ConcernedPart[];
  /** Who speaks, to the webhook. */
  about(): Readonly<Record<string, unknown>>;
}

export interface NodeHealth {
  readonly service: HealthService;
  readonly registry: HealthRegistry;
  start(): void;
  /** The node serves from now on: what was seen before counts no more. */
  serves(): void;
  stop(): void;
}

/** However often probes come, the node looks at itself at most once in so long. */
const REUSE_MS = 1_000;
/** Measures show a look until so many more should have been made. */
const SHOWN_LOOKS = 3;

export function nodeHealth(parts: NodeHealthParts): NodeHealth {
  const { config, clock, log, meter } = parts;
  const { health, limits, dataDir } = config;
  const timeoutMs = health.healthTimeoutMs;
  const onError = (component: string, error: unknown): void => log.debug('health_check_failed', { component, error });
  const runner = new HealthRunner({ clock, reuseMs: Math.min(REUSE_MS, health.healthIntervalMs || REUSE_MS), onError });
  const figures = systemFigures(dataDir, health.healthCpuWindowMs, clock);
  const checks = [
    ...engineChecks({
      ...{ limits, timeoutMs },
      engine: () => parts.engine(),
      storeConcern: () => parts.storeConcern(),
      recovery: () => parts.recovery(),
    }),
    replicationCheck({ facts: () => parts.replication(), lagMaxMs: health.healthLagMaxMs, timeoutMs }),
    ...systemChecks(figures, {
      cpuMax: health.healthCpuMax,
      memoryMax: health.healthMemoryMax,
      diskMax: health.healthDiskMax,
      eventLoopMaxMs: health.healthEventLoopMaxMs,
      timeoutMs,
    }),
    ...parts.concerned.map((part) => concernCheck(part, timeoutMs)),
    dependencyCheck(() => parts.dependencies.status(), timeoutMs),
  ];
  for (const check of checks) runner.add(check);
  const webhook = webhookOf(parts);
  const monitor = new HealthMonitor({
    runner,
    onLook: (report) => webhook?.nudge(report),
    intervalMs: health.healthIntervalMs,
    historyMax: health.healthHistory,
    confirmations: health.healthConfirmations,
    log,
  });
  if (webhook !== null) {
    runner.add(webhook.check(timeoutMs));
    monitor.onChange((change) => webhook.notify(change));
  }
  if (meter !== null) {
    const oldestMs = SHOWN_LOOKS * Math.max(health.healthIntervalMs, REUSE_MS) + timeoutMs;
    measureHealth(meter, { runner, monitor, webhook: webhook === null ? null : () => webhook.counts, oldestMs });
  }
  return {
    service: {
      report: () => runner.report(),
      history: () => monitor.history,
      transitions: () => monitor.transitions,
      breakers: () => parts.dependencies.status(),
    },
    registry: runner,
    start: () => monitor.start(),
    serves: () => runner.forget(),
    stop: () => {
      monitor.stop();
      webhook?.stop();
      figures.stop();
    },
  };
}

function webhookOf({ config, clock, log, about, dependencies }: NodeHealthParts): HealthWebhook | null {
  const { healthWebhookUrl, webhookSecret, healthWebhookTimeoutMs } = config.health;
  if (healthWebhookUrl === null) return null;
  return new HealthWebhook({
    url: healthWebhookUrl.reveal(),
    secret: webhookSecret?.reveal() ?? null,
    timeoutMs: healthWebhookTimeoutMs,
    dependency: dependencies.add({ name: 'webhook', isFailure: mayPass }),
    ...{ clock, log, about },
  });
}
