/** Pairs of a number and a label in ascending order, in chunks of typed arrays: inserts move some hundred pairs, a stretch of the order
 *  is found by two binary searches and copied chunk by chunk.
 *
 *    chunks ─► [values: Float64Array, labels: Uint32Array, length], none empty, last pair of one < first pair of the next
 *
 *  A chunk that stretches cover again and again keeps its labels as a bitmap until it changes: wide ranges are then unions.
 *  The same pair may be inside more than once. −0 and 0 are one number. Must not know: what the numbers mean. */

import { type Bitmap, bitmapOf, bytesOf } from './bitmap.js';

const CHUNK_PAIRS = 2_048;
const CHUNK_BYTES = CHUNK_PAIRS * 12 + 250;
/** A bitmap costs some 40 µs to make: not for a chunk that one query covers. */
const COVERED_MIN = 2;

interface Chunk {
  readonly values: Float64Array;
  readonly labels: Uint32Array;
  length: number;
  /** Its labels, once it was covered so often that they are worth keeping; null after a change. */
  bitmap: Bitmap | null;
  covered: number;
}

/** Labels of a stretch: loose ones, in any order, and those of whole chunks. */
export interface Gathered {
  readonly loose: Uint32Array;
  readonly bitmaps: readonly Bitmap[];
}

/** A place between numbers: before all pairs with this value, or after them. */
export interface Cut {
  readonly value: number;
  readonly after: boolean;
}

/** A place in the order; good until the next change. */
export interface Position {
  readonly chunk: number;
  readonly at: number;
}

export class OrderedPairs {
  readonly #chunks: Chunk[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get memoryBytes(): number {
    let bytes = this.#chunks.length * CHUNK_BYTES;
    for (const { bitmap } of this.#chunks) if (bitmap !== null) bytes += bytesOf(bitmap);
    return bytes;
  }

  /** Cost: two binary searches, and moving at most 2,048 pairs. */
  add(value: number, label: number): void {
    let number = this.#chunkOf(value, label);
    let chunk = this.#chunks[number];
    if (chunk === undefined) {
      // Beyond everything inside: times and counters mostly grow, and full chunks stay full.
      number = Math.max(0, this.#chunks.length - 1);
      chunk = this.#chunks[number];
      if (chunk === undefined || chunk.length === CHUNK_PAIRS) {
        chunk = freshChunk();
        this.#chunks.push(chunk);
      }
    } else if (chunk.length === CHUNK_PAIRS) {
      const upper = split(chunk);
      this.#chunks.splice(number + 1, 0, upper);
      if (isBefore(chunk, chunk.length - 1, value, label)) chunk = upper;
    }
    insert(chunk, placeIn(chunk, value, label), value, label);
    this.#size += 1;
  }

  /** Takes one such pair out. @returns was there one */
  remove(value: number, label: number): boolean {
    const number = this.#chunkOf(value, label);
    const chunk = this.#chunks[number];
    if (chunk === undefined) return false;
    const place = placeIn(chunk, value, label);
    if (chunk.values[place] !== value || chunk.labels[place] !== label) return false;
    chunk.values.copyWithin(place, place + 1, chunk.length);
    chunk.labels.copyWithin(place, place + 1, chunk.length);
    chunk.length -= 1;
    forget(chunk);
    this.#size -= 1;
    this.#tidy(number, chunk);
    return true;
  }

  /** Where the first pair behind the cut stands. */
  find({ value, after }: Cut): Position {
    const isBehind = (chunk: Chunk, place: number): boolean => {
      const one = chunk.values[place] as number;
      return after ? one > value : one >= value;
    };
    const chunkNumber = firstThat(this.#chunks.length, (number) => {
      const chunk = this.#chunks[number] as Chunk;
      return isBehind(chunk, chunk.length - 1);
    });
    const chunk = this.#chunks[chunkNumber];
    return { chunk: chunkNumber, at: chunk === undefined ? 0 : firstThat(chunk.length, (place) => isBehind(chunk, place)) };
  }

  /** How many pairs stand from one place to another; 0 when the second is not behind the first. Cost: one step a chunk. */
  count(from: Position, to: Position): number {
    let count = to.at - from.at;
    for (let number = from.chunk; number < to.chunk; number++) count += (this.#chunks[number] as Chunk).length;
    return from.chunk > to.chunk ? 0 : Math.max(0, count);
  }

  /** Calls back with the stretches from one place to another, ascending. They are views: good until the next change. */
  visit(from: Position, to: Position, look: (labels: Uint32Array, values: Float64Array) => void): void {
    for (let number = from.chunk; number <= to.chunk; number++) {
      const chunk = this.#chunks[number];
      if (chunk === undefined) return;
      const start = number === from.chunk ? from.at : 0;
      const end = number === to.chunk ? to.at : chunk.length;
      if (start < end) look(chunk.labels.subarray(start, end), chunk.values.subarray(start, end));
    }
  }

  /** The labels of the pairs from one place to another. Cost: a copy of what is loose, about 2 ns a pair to unite the rest. */
  gather(from: Position, to: Position): Gathered {
    const loose = new Uint32Array(this.count(from, to));
    const bitmaps: Bitmap[] = [];
    let at = 0;
    for (let number = from.chunk; number <= to.chunk; number++) {
      const chunk = this.#chunks[number];
      if (chunk === undefined) break;
      const start = number === from.chunk ? from.at : 0;
      const end = number === to.chunk ? to.at : chunk.length;
      if (start >= end) continue;
      const bitmap = start === 0 && end === chunk.length ? wholeChunk(chunk) : null;
      if (bitmap !== null) bitmaps.push(bitmap);
      else {
        loose.set(chunk.labels.subarray(start, end), at);
        at += end - start;
      }
    }
    return { loose: loose.subarray(0, at), bitmaps };
  }

  /** Number of the first chunk whose last pair is not before this one. */
  #chunkOf(value: number, label: number): number {
    return firstThat(this.#chunks.length, (number) => {
      const chunk = this.#chunks[number] as Chunk;
      return !isBefore(chunk, chunk.length - 1, value, label);
    });
  }

  /** A chunk that has become short joins its neighbour, so that removals give memory back. */
  #tidy(number: number, chunk: Chunk): void {
    if (chunk.length > CHUNK_PAIRS / 4) return;
    const before = this.#chunks[number - 1];
    if (chunk.length === 0) this.#chunks.splice(number, 1);
    else if (before !== undefined && before.length + chunk.length <= CHUNK_PAIRS / 2) {
      before.values.set(chunk.values.subarray(0, chunk.length), before.length);
      before.labels.set(chunk.labels.subarray(0, chunk.length), before.length);
      before.length += chunk.length;
      forget(before);
      this.#chunks.splice(number, 1);
    }
  }
}

function freshChunk(): Chunk {
  return { values: new Float64Array(CHUNK_PAIRS), labels: new Uint32Array(CHUNK_PAIRS), length: 0, bitmap: null, covered: 0 };
}

function wholeChunk(chunk: Chunk): Bitmap | null {
  chunk.covered += 1;
  if (chunk.covered >= COVERED_MIN) chunk.bitmap ??= bitmapOf(chunk.labels.slice(0, chunk.length));
  return chunk.bitmap;
}

/** It has changed. */
function forget(chunk: Chunk): void {
  chunk.bitmap = null;
  chunk.covered = 0;
}

/** Moves the upper half of a full chunk into a new one. */
function split(chunk: Chunk): Chunk {
  const half = CHUNK_PAIRS / 2;
  const upper = freshChunk();
  upper.values.set(chunk.values.subarray(half));
  upper.labels.set(chunk.labels.subarray(half));
  upper.length = CHUNK_PAIRS - half;
  chunk.length = half;
  forget(chunk);
  return upper;
}

function insert(chunk: Chunk, place: number, value: number, label: number): void {
  chunk.values.copyWithin(place + 1, place, chunk.length);
  chunk.labels.copyWithin(place + 1, place, chunk.length);
  chunk.values[place] = value;
  chunk.labels[place] = label;
  chunk.length += 1;
  forget(chunk);
}

function isBefore(chunk: Chunk, place: number, value: number, label: number): boolean {
  const one = chunk.values[place] as number;
  return one < value || (one === value && (chunk.labels[place] as number) < label);
}

function placeIn(chunk: Chunk, value: number, label: number): number {
  return firstThat(chunk.length, (place) => !isBefore(chunk, place, value, label));
}

/** The first of 0 … count − 1 for which a test holds that holds for all behind it; `count` when there is none. */
function firstThat(count: number, test: (place: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
