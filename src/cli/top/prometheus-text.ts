/** Metrics as a server prints them (Prometheus text format) and what is read off them: values, sums over labels, rates and quantiles between two
 *  readings. Pure. Source: https://prometheus.io/docs/instrumenting/exposition_formats/. */

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** By name. */
export type Metrics = ReadonlyMap<string, readonly Sample[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?$/;
const COUNTER = /^# TYPE ([a-zA-Z_:][\w:]*) counter$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** A counter that has counted nothing is there without a series. Other lines that are no samples are passed over. */
export function readMetrics(text: string): Metrics {
  const found = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const [, counter] = COUNTER.exec(line) ?? [];
    if (counter !== undefined && !found.has(counter)) found.set(counter, []);
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const sample = { labels: labelsOf(labels), value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) };
    const known = found.get(name);
    if (known === undefined) found.set(name, [sample]);
    else known.push(sample);
  }
  return found;
}

/** The sum over every series that has these labels; null: there is none. A counter without any series stands at 0. */
export function sampleSum(metrics: Metrics, name: string, labels: Readonly<Record<string, string>> = {}): number | null {
  const all = metrics.get(name);
  if (all === undefined || all.length === 0) return all === undefined ? null : 0;
  const fitting = all.filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value));
  return fitting.length === 0 ? null : fitting.reduce((sum, { value }) => sum + value, 0);
}

/** How much a counter grew a second. One that is smaller than before began anew: then it is what it has grown to.
 *  @returns null without a reading before, or where there is no such counter */
export function rateBetween(before: Metrics | null, now: Metrics, name: string, elapsedMs: number): number | null {
  const value = sampleSum(now, name);
  if (before === null || value === null || elapsedMs <= 0) return null;
  const earlier = sampleSum(before, name) ?? 0;
  return ((value < earlier ? value : value - earlier) * 1_000) / elapsedMs;
}

/** A quantile of what a histogram took up between two readings: the upper bound of the bucket that holds it, interpolated as Prometheus does.
 *  @param before null: since the start  @returns null when nothing was taken up */
export function quantileBetween(before: Metrics | null, now: Metrics, histogram: string, quantile: number): number | null {
  const buckets = [...cumulative(now, histogram)].map(([bound, count]) => {
    const earlier = before === null ? 0 : (cumulative(before, histogram).get(bound) ?? 0);
    return { bound, count: count < earlier ? count : count - earlier };
  });
  buckets.sort((a, b) => a.bound - b.bound);
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return null;
  const rank = quantile * total;
  const at = buckets.findIndex(({ count }) => count >= rank);
  const bucket = buckets[at];
  const lower = buckets[at - 1] ?? { bound: 0, count: 0 };
  if (bucket === undefined || bucket.bound === Number.POSITIVE_INFINITY) return lower.bound;
  return lower.bound + ((bucket.bound - lower.bound) * (rank - lower.count)) / (bucket.count - lower.count);
}

/** Counts by upper bound, over all labels but the bound. */
function cumulative(metrics: Metrics, histogram: string): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { labels, value } of metrics.get(`${histogram}_bucket`) ?? []) {
    const bound = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return counts;
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [, name = '', value = ''] of text.matchAll(LABEL))
    labels[name] = value.replaceAll(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
  return labels;
}
