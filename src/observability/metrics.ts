/** The meter over prom-client: a registry of its own, names under `skein_`, printed as Prometheus text.
 *  Label cardinality is the caller's to bound. Must not know: what is measured, HTTP. */

import { Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry } from 'prom-client';
import type { Counter, Gauge, Histogram, Labels, MeasureDescription, Meter } from '../model/meter.js';

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
      return counterOver(new PromCounter(named(description)));
    },
    histogram: (description, buckets) => {
      note('histogram', description);
      return histogramOver(new PromHistogram({ ...named(description), buckets: [...buckets] }));
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
      return registry.metrics();
    },
    describe: () => [...facts].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function counterOver(counter: PromCounter): Counter {
  return {
    series: (labels = NO_LABELS) => {
      const child = counter.labels(labels);
      return { add: (count) => child.inc(count) };
    },
    clear: () => counter.reset(),
  };
}

function histogramOver(histogram: PromHistogram): Histogram {
  return {
    series: (labels = NO_LABELS) => {
      const child = histogram.labels(labels);
      return { observe: (value) => child.observe(value) };
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
