/** The meter over prom-client: a registry of its own, names under `skein_`, printed as Prometheus text.
 *  Label cardinality is the caller's to bound. Must not know: what is measured, HTTP. */

import { type Metric, Counter as PromCounter, Gauge as PromGauge, Registry } from 'prom-client';
import type { Counter, Gauge, Labels, MeasureDescription, Meter } from '../model/meter.js';
import { BucketCounts } from './bucket-counts.js';

export interface Metrics {
  readonly meter: Meter;
  readonly contentType: string;
  /** Prometheus text, everything refreshed first. */
  text(): Promise<string>;
  /** Every measure there is, by name, whether anything was measured or not. */
  describe(): readonly MeasureFacts[];
}

export interface MeasureFacts {
  /** As it is printed. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const NO_LABELS: Labels = {};

export function createMetrics(): Metrics {
  const registry = new Registry();
  const refreshers: (() => void)[] = [];
  const facts: MeasureFacts[] = [];
  const waiting = new Set<() => void>();
  const note = (type: MeasureFacts['type'], { name, help, labels = [] }: MeasureDescription): void => {
    facts.push({ name: `skein_${name}`, type, labels, help });
  };
  const named = ({ name, help, labels = [] }: MeasureDescription) => ({
    name: `skein_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  const meter: Meter = {
    counter: (description) => {
      note('counter', description);
      return counterOver(new PromCounter(named(description)), waiting);
    },
    histogram: (description, buckets) => {
      note('histogram', description);
      const histogram = new BucketCounts({ ...named(description), buckets });
      // The registry asks a metric for nothing but its name and what it has.
      registry.registerMetric(histogram as unknown as Metric);
      return { series: (labels = NO_LABELS) => histogram.series(labels) };
    },
    gauge: (description) => {
      note('gauge', description);
      return gaugeOver(new PromGauge(named(description)));
    },
    beforePrinting: (refresh) => void refreshers.push(refresh),
  };
  return {
    meter,
    contentType: registry.contentType,
    text: async () => {
      for (const refresh of refreshers) refresh();
      for (const flush of waiting) flush();
      waiting.clear();
      return registry.metrics();
    },
    describe: () => [...facts].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** What is added is kept beside the library until it is printed: its own sum is looked up by labels each time. */
function counterOver(counter: PromCounter, waiting: Set<() => void>): Counter {
  return {
    series: (labels = NO_LABELS) => {
      const child = counter.labels(labels);
      let added = 0;
      const flush = (): void => {
        child.inc(added);
        added = 0;
      };
      return {
        add: (count) => {
          if (!(count >= 0)) throw new RangeError(`a counter cannot grow by ${count}`);
          if (added === 0) waiting.add(flush);
          added += count;
        },
      };
    },
    clear: () => {
      for (const flush of waiting) flush();
      waiting.clear();
      counter.reset();
    },
  };
}

function gaugeOver(gauge: PromGauge): Gauge {
  return {
    series: (labels = NO_LABELS) => {
      const child = gauge.labels(labels);
      return {
        set: (value) => {
          if (value === null) gauge.remove(labels);
          else child.set(value);
        },
      };
    },
    clear: () => gauge.reset(),
  };
}
