/** A histogram that is cheap where it is told something: one look for the bucket, three additions. The library's own looks up labels and makes
 *  objects each time, which for the few values of a search cost 2 % of it. Printed by the library's registry all the same.
 *  Must not know: what is measured. */

import type { HistogramSeries, Labels } from '../model/meter.js';

export interface BucketCountsOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

interface Series {
  readonly labels: Labels;
  /** By bucket; the last is of what is beyond all bounds. */
  readonly counts: Float64Array;
  sum: number;
  count: number;
}

export class BucketCounts {
  readonly name: string;
  readonly #help: string;
  readonly #labelNames: readonly string[];
  readonly #bounds: Float64Array;
  readonly #series = new Map<string, Series>();

  constructor({ name, help, labelNames, buckets }: BucketCountsOptions) {
    this.name = name;
    this.#help = help;
    this.#labelNames = labelNames;
    this.#bounds = Float64Array.from(buckets);
    // Without labels there is one series, and it is printed from the start.
    if (labelNames.length === 0) this.#of({});
  }

  /** A series with labels is printed once it was told something. */
  series(labels: Labels): HistogramSeries {
    const bounds = this.#bounds;
    let series: Series | null = null;
    return {
      observe: (value) => {
        series ??= this.#of(labels);
        let bucket = 0;
        while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
        series.counts[bucket] = (series.counts[bucket] as number) + 1;
        series.sum += value;
        series.count += 1;
      },
    };
  }

  #of(labels: Labels): Series {
    const key = JSON.stringify(this.#labelNames.map((name) => labels[name] ?? ''));
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const series = { labels, counts: new Float64Array(this.#bounds.length + 1), sum: 0, count: 0 };
    this.#series.set(key, series);
    return series;
  }

  /** As the registry asks for it. */
  get() {
    const values = [...this.#series.values()].flatMap((series) => this.#printed(series));
    return { name: this.name, help: this.#help, type: 'histogram', aggregator: 'sum', values };
  }

  #printed({ labels, counts, sum, count }: Series) {
    let below = 0;
    const buckets = Array.from(this.#bounds, (le, index) => {
      below += counts[index] as number;
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_bucket`, labels: { le: '+Inf', ...labels }, value: count },
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}
