/** Columns of numbers that grow: who has one index of sparse vectors, and with what value.
 *
 *  Places are ascending. They are numbered anew, list by list, when removed ones are taken out (sparse-places.ts): `round` says of which
 *  numbering those of a list are. Must not know: labels, queries. */

const FIRST_CAPACITY = 4;
const GROWTH = 1.5;
/** In a numbering: this place is no more. */
export const GONE = 0xffff_ffff;

export class GrowingUint32 {
  #values: Uint32Array;
  length = 0;

  constructor(capacity = FIRST_CAPACITY) {
    this.#values = new Uint32Array(Math.max(FIRST_CAPACITY, capacity));
  }

  /** As long as what was pushed, or longer. */
  get values(): Uint32Array {
    return this.#values;
  }

  push(value: number): void {
    if (this.length === this.#values.length) {
      const larger = new Uint32Array(Math.ceil(this.#values.length * GROWTH) + 1);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.length++] = value;
  }
}

export class PostingList {
  /** What an entry takes on average, for a list that has grown by itself. */
  static readonly roomPerEntry = (1 + GROWTH) / 2;
  #places = new Uint32Array(FIRST_CAPACITY);
  #values = new Float32Array(FIRST_CAPACITY);
  length = 0;
  round: number;

  constructor(round: number) {
    this.round = round;
  }

  get places(): Uint32Array {
    return this.#places;
  }

  get values(): Float32Array {
    return this.#values;
  }

  push(place: number, value: number): void {
    if (this.length === this.#places.length) this.#resize(Math.ceil(this.length * GROWTH) + 1);
    this.#places[this.length] = place;
    this.#values[this.length++] = value;
  }

  #resize(capacity: number): void {
    const places = new Uint32Array(capacity);
    const values = new Float32Array(capacity);
    places.set(this.#places.subarray(0, this.length));
    values.set(this.#values.subarray(0, this.length));
    this.#places = places;
    this.#values = values;
  }

  /** Drops what is gone and numbers the rest anew. @param places the new place of each, or GONE  @returns how many were dropped */
  renumber(places: Uint32Array, round: number): number {
    const before = this.length;
    let kept = 0;
    for (let i = 0; i < before; i++) {
      const place = places[this.#places[i] as number] as number;
      if (place === GONE) continue;
      this.#places[kept] = place;
      this.#values[kept++] = this.#values[i] as number;
    }
    this.length = kept;
    this.round = round;
    if (kept > 0 && kept * 2 < before) this.#resize(kept);
    return before - kept;
  }
}
