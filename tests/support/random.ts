/** Seeded randomness for tests and benches: numbers, choices and clustered vectors that look like embeddings.
 *
 *  Invariant: the same seed gives the same values on every machine. Tests take their seed from `t.seed()`, which is printed
 *  when they fail. Must not know: what is tested. */

/** A small fast generator (sfc32); good enough for data, not for secrets. */
export class Random {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #spareNormal: number | null = null;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.#a = this.seed;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    for (let round = 0; round < 15; round += 1) this.uint32();
  }

  /** 0 … 2^32 − 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** At least 0, below 1. */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** An integer from `first` to `last`, both included. */
  integer(first: number, last: number): number {
    return first + Math.floor(this.unit() * (last - first + 1));
  }

  boolean(probability = 0.5): boolean {
    return this.unit() < probability;
  }

  /** Mean 0, variance 1 (Box and Muller's polar form). */
  normal(): number {
    if (this.#spareNormal !== null) {
      const spare = this.#spareNormal;
      this.#spareNormal = null;
      return spare;
    }
    for (;;) {
      const x = this.unit() * 2 - 1;
      const y = this.unit() * 2 - 1;
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const factor = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spareNormal = y * factor;
      return x * factor;
    }
  }

  /** @throws Error on an empty list. */
  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new Error('nothing to pick from');
    return items[this.integer(0, items.length - 1)] as Item;
  }

  /** A shuffled copy. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const copy = [...items];
    for (let index = copy.length - 1; index > 0; index -= 1) {
      const other = this.integer(0, index);
      [copy[index], copy[other]] = [copy[other] as Item, copy[index] as Item];
    }
    return copy;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.uint32() & 0xff);
  }

  /** One vector of independent normal components. */
  vector(dimension: number): Float32Array {
    return Float32Array.from({ length: dimension }, () => this.normal());
  }
}

export interface MixtureOptions {
  readonly dimension: number;
  /** How many centres; default 64. */
  readonly clusters?: number;
  /** Standard deviation around a centre, where the centres' own is 1; default 0.5. */
  readonly spread?: number;
}

/** A Gaussian mixture: vectors around common centres, as real embeddings lie. Queries come from the same centres as data. */
export class GaussianMixture {
  readonly #random: Random;
  readonly #centres: readonly Float32Array[];
  readonly #spread: number;

  constructor(random: Random, options: MixtureOptions) {
    this.#random = random;
    this.#spread = options.spread ?? 0.5;
    this.#centres = Array.from({ length: options.clusters ?? 64 }, () => random.vector(options.dimension));
  }

  /** The next vector; length = dimension. */
  next(): Float32Array {
    const vector = Float32Array.from(this.#random.pick(this.#centres));
    for (let index = 0; index < vector.length; index += 1) {
      vector[index] = (vector[index] as number) + this.#spread * this.#random.normal();
    }
    return vector;
  }

  /** The next `count` vectors. */
  take(count: number): Float32Array[] {
    return Array.from({ length: count }, () => this.next());
  }
}
