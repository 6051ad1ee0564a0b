/** Traces of a node from its settings. The collector is a dependency like others. */

import type { TracingSettings } from '../config/tracing-settings.js';
import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { Meter } from '../model/meter.js';
import type { Tracer } from '../model/tracer.js';
import { SpanCounts } from '../observability/span-counts.js';
import { Tracing } from '../observability/tracing.js';
import type { Dependencies } from '../resilience/dependencies.js';
import { version } from './version.js';

export interface NodeTracingParts {
  readonly settings: TracingSettings;
  readonly dependencies: Dependencies;
  readonly meter: Meter;
  readonly clock: Clock;
  readonly log: Log;
}

export interface NodeTracing {
  /** Null: nothing is traced. */
  readonly tracer: Tracer | null;
  /** @param nodeId which node spans are of */
  begin(nodeId: string): Promise<void>;
  stop(): Promise<void>;
}

const NOT_TRACED: NodeTracing = { tracer: null, begin: () => Promise.resolve(), stop: () => Promise.resolve() };

export function nodeTracing({ settings, dependencies, meter, clock, log }: NodeTracingParts): NodeTracing {
  const { endpoint, sampleShare, service, headers } = settings;
  const counts = new SpanCounts(meter);
  if (endpoint === null) return NOT_TRACED;
  const collector = dependencies.add({ name: 'trace_collector', isFailure: () => true });
  const tracing = new Tracing({
    settings: {
      endpoint,
      sampleShare,
      headers: Object.fromEntries(headers.map(({ name, value }) => [name, value.reveal()])),
      resource: { 'service.name': service, 'service.version': version },
    },
    ...{ collector, counts, clock, log },
  });
  return { tracer: tracing, begin: (nodeId) => tracing.begin(nodeId), stop: () => tracing.stop() };
}
