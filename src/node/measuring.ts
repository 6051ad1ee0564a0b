/** What a node measures, from its first moment to its last: the process, the engine while there is one, replication, searches.
 *  Must not know: how measures are printed. */

import type { EndedSearch, Engine, EngineWork } from '../engine/engine.js';
import type { ReplicationService } from '../http/http.js';
import type { BackupStatus } from '../model/backup.js';
import { type Meter, silentMeter } from '../model/meter.js';
import type { RecoveryStatus } from '../model/recovery.js';
import { measureBackups } from '../observability/backup-measures.js';
import { measureBreakers } from '../observability/breaker-measures.js';
import { measureEngine } from '../observability/engine-measures.js';
import type { ErrorTracker } from '../observability/error-tracker.js';
import { type GuardFigures, measureGuards } from '../observability/guard-measures.js';
import { createMetrics, type Metrics } from '../observability/metrics.js';
import { measureProcess } from '../observability/process-measures.js';
import { measureRecovery } from '../observability/recovery-measures.js';
import { measureReplication } from '../observability/replication-measures.js';
import { measureSearches } from '../observability/search-measures.js';
import { measureSystem } from '../observability/system-measures.js';
import { measureWork } from '../observability/work-measures.js';
import type { Dependencies } from '../resilience/dependencies.js';

export interface MeasuringParts {
  readonly on: boolean;
  readonly errors: ErrorTracker;
  readonly about: { readonly version: string; readonly nativeBuild: string };
  /** Null until there is one. */
  engine(): Engine | null;
  /** May the node be used, as /health/ready says? */
  isReady(): boolean;
  readonly replication: ReplicationService;
  readonly dependencies: Dependencies;
  guards(): GuardFigures;
  /** Null: no target of backups is configured. */
  backups(): BackupStatus | null;
  /** Null until the store is open. */
  recovery(): RecoveryStatus | null;
}

export interface Measuring {
  readonly meter: Meter;
  /** Null: nothing is measured. */
  readonly metrics: Metrics | null;
  countSearch(search: EndedSearch): void;
  countWork(work: EngineWork): void;
  stop(): void;
}

/** What is switched off: nothing is measured, at no cost. */
const UNMEASURED: Measuring = { meter: silentMeter, metrics: null, countSearch() {}, countWork() {}, stop() {} };

export function measureNode(parts: MeasuringParts): Measuring {
  const { on, about, engine, isReady, replication, errors, dependencies, guards, backups } = parts;
  if (!on) return UNMEASURED;
  const metrics = createMetrics();
  const stopProcess = measureProcess(metrics.meter);
  const stopSystem = measureSystem(metrics.meter);
  const countSearch = measureSearches(metrics.meter);
  const showBreaker = measureBreakers(metrics.meter);
  metrics.meter.beforePrinting(() => {
    for (const dependency of dependencies.status()) showBreaker(dependency.name, dependency);
  });
  const ready = metrics.meter.gauge({ name: 'ready', help: '1 while /health/ready says so: the node serves.' }).series();
  metrics.meter.beforePrinting(() => ready.set(isReady() ? 1 : 0));
  measureEngine(metrics.meter, about, engine, showBreaker);
  const countWork = measureWork(metrics.meter);
  measureReplication(metrics.meter, replication);
  measureGuards(metrics.meter, guards);
  measureBackups(metrics.meter, backups);
  measureRecovery(metrics.meter, () => parts.recovery());
  errors.measure(metrics.meter);
  const stop = (): void => {
    stopProcess();
    stopSystem();
  };
  return { meter: metrics.meter, metrics, countSearch, countWork, stop };
}
