/** What a node measures, from its first moment to its last: the process, the engine while there is one, replication, searches.
 *  Must not know: how measures are printed. */

import type { EndedSearch, Engine } from '../engine/engine.js';
import type { ReplicationService } from '../http/http.js';
import { measureEngine } from '../observability/engine-measures.js';
import { createMetrics, type Metrics } from '../observability/metrics.js';
import { measureProcess } from '../observability/process-measures.js';
import { measureReplication } from '../observability/replication-measures.js';
import { measureSearches } from '../observability/search-measures.js';

export interface MeasuringParts {
  readonly about: { readonly version: string; readonly nativeBuild: string };
  /** Null until there is one. */
  engine(): Engine | null;
  readonly replication: ReplicationService;
}

export interface Measuring {
  readonly metrics: Metrics;
  countSearch(search: EndedSearch): void;
  stop(): void;
}

export function measureNode({ about, engine, replication }: MeasuringParts): Measuring {
  const metrics = createMetrics();
  const stop = measureProcess(metrics.meter);
  const countSearch = measureSearches(metrics.meter);
  measureEngine(metrics.meter, about, engine);
  measureReplication(metrics.meter, replication);
  return { metrics, countSearch, stop };
}
