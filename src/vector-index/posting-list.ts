/** Columns of numbers that grow: who has one index of sparse vectors, and with what value. Places are ascending.
 *  Must not know: labels, queries. */

const FIRST_CAPACITY = 4;
const GROWTH = 1.5;

export class GrowingUint32 {
  #values = new Uint32Array(FIRST_CAPACITY);
  length = 0;

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

  /** Drops what is marked, by place. @returns how many there were */
  takeOut(marked: Uint8Array): number {
    const before = this.length;
    let kept = 0;
    for (let i = 0; i < before; i++) {
      const place = this.#places[i] as number;
      if (marked[place] === 1) continue;
      this.#places[kept] = place;
      this.#values[kept++] = this.#values[i] as number;
    }
    this.length = kept;
    if (kept > 0 && kept * 2 < before) this.#resize(kept);
    return before - kept;
  }

  /** How many are not marked. */
  unmarked(marked: Uint8Array): number {
    let count = 0;
    for (let i = 0; i < this.length; i++) if (marked[this.#places[i] as number] === 0) count += 1;
    return count;
  }
}
