/** How near a stored vector is to the examples of a rule, higher is nearer: cosine, inner product, or the squared distance below zero.
 *  Must not know: rows, rules. */

import { type Distance, dot, norm, squaredEuclid } from '../model/distance.js';
import type { SparseVector } from '../model/point.js';

/** A vector as a rule is bound to it. */
export type RankVector = Float32Array | SparseVector;

/** A stored vector, and its length where that counts. */
export interface RankedVector {
  readonly vector: RankVector;
  readonly norm: number;
}

export function rankedVector(vector: RankVector, distance: Distance): RankedVector {
  return { vector, norm: distance === 'cosine' && vector instanceof Float32Array ? norm(vector) : 1 };
}

/** @returns 0 for vectors that have nothing in common, a zero vector under cosine among them */
export function similarityTo(example: RankVector, distance: Distance): (stored: RankedVector) => number {
  if (!(example instanceof Float32Array))
    return ({ vector }) => (vector instanceof Float32Array ? 0 : sparseDot(example, vector));
  const own = rankedVector(example, distance);
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
