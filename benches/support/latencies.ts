/** Latencies gathered one by one and read as percentiles, in milliseconds. */

export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export class Latencies {
  readonly #values: number[] = [];

  add(ms: number): void {
    this.#values.push(ms);
  }

  get count(): number {
    return this.#values.length;
  }

  /** @param share 0 … 1 @returns 0 when nothing was measured */
  percentile(share: number): number {
    return percentileOf(this.#values, share);
  }

  summary(): LatencySummary {
    const sorted = [...this.#values].sort(ascending);
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => shareOf(sorted, share)) as [number, number, number];
    return { count: sorted.length, p50, p95, p99, max: sorted.at(-1) ?? 0 };
  }
}

/** @param share 0 … 1 @returns 0 of nothing */
export function percentileOf(values: readonly number[], share: number): number {
  return shareOf([...values].sort(ascending), share);
}

/** @returns NaN of nothing */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort(ascending);
  const middle = sorted.length >> 1;
  const above = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? above : ((sorted[middle - 1] ?? Number.NaN) + above) / 2;
}

function ascending(a: number, b: number): number {
  return a - b;
}

function shareOf(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
