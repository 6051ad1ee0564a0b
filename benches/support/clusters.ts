/** Seeded clustered vectors: the same numbers in the bench, in the raw process and on every machine.
 *
 *  A Gaussian mixture of 64 centres; points and queries are drawn from the same centres, queries first, so that any number of points
 *  may follow. Point n has the integer id n and a payload of exactly 100 bytes of JSON. */

import { GaussianMixture, Random } from '../../tests/support/random.js';

export interface Shape {
  readonly count: number;
  readonly dimension: number;
}

export interface VectorRows {
  readonly count: number;
  readonly dimension: number;
  /** count × dimension, row after row. */
  readonly values: Float32Array;
}

const SEED = 20_261_120;
export const QUERY_COUNT = 200;
export const PAYLOAD_BYTES = 100;

/** The endless stream of one dimension's points, after its queries. */
export class ClusterStream {
  readonly dimension: number;
  readonly queries: VectorRows;
  readonly #mixture: GaussianMixture;

  constructor(dimension: number) {
    this.dimension = dimension;
    this.#mixture = new GaussianMixture(new Random(SEED + dimension), { dimension });
    this.queries = this.take(QUERY_COUNT);
  }

  /** The next vector, in an array of its own. */
  next(): Float32Array {
    return this.#mixture.next();
  }

  /** The next `count` vectors. */
  take(count: number): VectorRows {
    const { dimension } = this;
    const values = new Float32Array(count * dimension);
    for (let row = 0; row < count; row += 1) values.set(this.next(), row * dimension);
    return { count, dimension, values };
  }
}

export function rowOf(rows: VectorRows, row: number): Float32Array {
  return rows.values.subarray(row * rows.dimension, (row + 1) * rows.dimension);
}

export function allRows(rows: VectorRows): Float32Array[] {
  return Array.from({ length: rows.count }, (_, row) => rowOf(rows, row));
}

/** hnswlib-node takes plain arrays only; the hand loop is several times faster than Array.from. */
export function plainArray(vector: Float32Array, into: number[] = []): number[] {
  for (let i = 0; i < vector.length; i += 1) into[i] = vector[i] as number;
  return into;
}

/** A payload whose JSON has PAYLOAD_BYTES bytes. */
export function payloadOf(id: number): { n: number; text: string } {
  const frame = JSON.stringify({ n: id, text: '' }).length;
  return { n: id, text: 'abcdefghij'.repeat(PAYLOAD_BYTES / 10).slice(0, PAYLOAD_BYTES - frame) };
}

/** `wanted` different row numbers below `count`, the same for the same seed. */
export function pickRows(count: number, wanted: number, seed: number): number[] {
  return new Random(seed).shuffled(Array.from({ length: count }, (_, row) => row)).slice(0, wanted);
}
