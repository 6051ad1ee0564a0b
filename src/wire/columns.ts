/** Columns that grow: where decoding puts vectors and payloads, row behind row, without an object per point.
 *  A row that turned out to be wrong is cut off again by setting `length` back. */

import { FIXED } from '../model/limits.js';

export class FloatColumn {
  values: Float32Array;
  length = 0;
  /** Index, in the row that was read last, of its first component that is not a finite float32; −1 when all are. */
  bad = -1;
  /** Components of one row beyond this are counted but not kept. */
  readonly room: number;

  /** @param room the dimension when it is known, else the largest there is */
  constructor(capacity: number, room: number = FIXED.dimensionMax) {
    this.values = new Float32Array(capacity);
    this.room = room;
  }

  /** Makes place for `count` more values. Doubles, so that the whole costs one copy per value on average. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.values.length) return;
    const larger = new Float32Array(Math.max(needed, this.values.length * 2, 256));
    larger.set(this.values.subarray(0, this.length));
    this.values = larger;
  }

  /** The values in a buffer of their own. */
  finish(): Float32Array {
    return this.length === this.values.length ? this.values : this.values.slice(0, this.length);
  }
}

export class TextColumn {
  #bytes: Buffer;
  length = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.from(new ArrayBuffer(capacity));
  }

  /** Appends text as UTF-8 and returns how many bytes it has. */
  append(text: string): number {
    const most = text.length * 3;
    if (this.length + most > this.#bytes.length) {
      const larger = Buffer.from(new ArrayBuffer(Math.max(this.length + most, this.#bytes.length * 2, 1024)));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    const written = this.#bytes.write(text, this.length);
    this.length += written;
    return written;
  }

  /** The bytes in a buffer of their own. */
  finish(): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#bytes;
    return new Uint8Array((buffer as ArrayBuffer).slice(0, this.length));
  }
}
