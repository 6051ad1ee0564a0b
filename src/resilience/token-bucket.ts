/** A token bucket: so many at once, refilled evenly. Pure: the time comes from outside. */

import type { RateLimit } from '../model/access-key.js';

export class TokenBucket {
  #left: number;
  #seenMs: number;

  constructor({ burst }: RateLimit, nowMs: number) {
    this.#left = burst;
    this.#seenMs = nowMs;
  }

  /** Takes one, or so many (at most the burst) if they are there. @returns 0, or how many milliseconds it takes until they are */
  take(limit: RateLimit, nowMs: number, count = 1): number {
    const waitMs = this.waitMs(limit, nowMs, count);
    if (waitMs === 0) this.#left -= count;
    return waitMs;
  }

  /** As take, without taking. */
  waitMs({ perSecond, burst }: RateLimit, nowMs: number, count = 1): number {
    const grown = (Math.max(0, nowMs - this.#seenMs) / 1_000) * perSecond;
    this.#left = Math.min(burst, this.#left + grown);
    this.#seenMs = nowMs;
    return this.#left >= count ? 0 : Math.max(1, Math.ceil(((count - this.#left) / perSecond) * 1_000));
  }
}

/** Buckets by name, of which the least recently used are forgotten: a bound on memory, whoever asks. */
export class TokenBuckets {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #countMax: number;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get count(): number {
    return this.#buckets.size;
  }

  /** The bucket of this name, full when it is new. */
  of(name: string, limit: RateLimit, nowMs: number): TokenBucket {
    const bucket = this.#buckets.get(name) ?? new TokenBucket(limit, nowMs);
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    if (this.#buckets.size > this.#countMax) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }
}
