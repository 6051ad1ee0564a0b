/** How near two vectors are, always higher when nearer: cosine, inner product, or the squared distance below zero. What vectors are compared
 *  by where several of them count. Must not know: rows, rules. */

import { type Distance, dot, norm, squaredEuclid } from './distance.js';
import type { QueryVector, SparseVector } from './point.js';

/** A vector, and its length where that counts. */
export interface MeasuredVector {
  readonly vector: QueryVector;
  readonly norm: number;
}

export function measured(vector: QueryVector, distance: Distance): MeasuredVector {
  return { vector, norm: distance === 'cosine' && vector instanceof Float32Array ? norm(vector) : 1 };
}

/** @returns 0 for vectors that have nothing in common, a zero vector under cosine among them */
export function similarityTo(example: QueryVector, distance: Distance): (stored: MeasuredVector) => number {
  if (!(example instanceof Float32Array))
    return ({ vector }) => (vector instanceof Float32Array ? 0 : sparseDot(example, vector));
  const own = measured(example, distance);
  return ({ vector, norm: length }) => {
    if (!(vector instanceof Float32Array)) return 0;
    if (distance === 'euclid') return -squaredEuclid(example, vector);
    const product = own.norm * length;
    return product === 0 ? 0 : dot(example, vector) / product;
  };
}

/** Inner product over the indices that both have; both ascend. */
function sparseDot(a: SparseVector, b: SparseVector): number {
  let sum = 0;
  for (let i = 0, j = 0; i < a.indices.length && j < b.indices.length; ) {
    const [left, right] = [a.indices[i] as number, b.indices[j] as number];
    if (left === right) sum += (a.values[i] as number) * (b.values[j] as number);
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  return sum;
}
