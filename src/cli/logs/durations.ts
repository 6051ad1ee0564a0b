/** Quantiles of durations in bounded memory: counts in buckets that grow by a twentieth, so a quantile is at most 5 % too high.
 *  Source: the idea of HdrHistogram (Tene), with one scale. */

const GROWTH = 1.05;
const LEAST_MS = 0.001;
/** Up to about eleven days. */
const BUCKETS = 600;

export class Durations {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #maxMs = 0;

  add(ms: number): void {
    const bucket = ms <= LEAST_MS ? 0 : Math.ceil(Math.log(ms / LEAST_MS) / Math.log(GROWTH));
    this.#counts[Math.min(BUCKETS - 1, bucket)] = (this.#counts[Math.min(BUCKETS - 1, bucket)] ?? 0) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** Null before the first. @param share 0 … 1 */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.max(1, Math.ceil(share * this.#count));
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0) return Math.min(this.#maxMs, LEAST_MS * GROWTH ** bucket);
    }
    return this.#maxMs;
  }
}
