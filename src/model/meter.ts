/** Measures of the process, by name and labels: written by the rooms, kept and printed by observability, handed down.
 *
 *  Ask for a series once and keep it: `add` and `observe` are on hot paths, `series` is not. Units stand last in names. */

export type Labels = Readonly<Record<string, string>>;

export interface MeasureDescription {
  /** Without the `skein_` in front; counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

export interface CounterSeries {
  add(count: number): void;
}
export interface Counter {
  series(labels?: Labels): CounterSeries;
  /** Forgets all series, before totals that their owner keeps are added anew: what is gone has none any more. */
  clear(): void;
}

export interface HistogramSeries {
  observe(value: number): void;
}
export interface Histogram {
  series(labels?: Labels): HistogramSeries;
}

export interface GaugeSeries {
  /** @param value null: not known, so nothing is printed */
  set(value: number | null): void;
}
export interface Gauge {
  series(labels?: Labels): GaugeSeries;
  /** Forgets all series, before they are set anew. */
  clear(): void;
}

export interface Meter {
  counter(description: MeasureDescription): Counter;
  /** @param buckets upper bounds, ascending, in the unit of the name */
  histogram(description: MeasureDescription, buckets: readonly number[]): Histogram;
  gauge(description: MeasureDescription): Gauge;
  /** Runs `refresh` each time before the measures are printed, for what is only read then. */
  beforePrinting(refresh: () => void): void;
}

/** Takes everything and shows nothing, at no cost. */
export const silentMeter: Meter = {
  counter: () => ({ series: () => ({ add() {} }), clear() {} }),
  histogram: () => ({ series: () => ({ observe() {} }) }),
  gauge: () => ({ series: () => ({ set() {} }), clear() {} }),
  beforePrinting() {},
};
