/** The vector that a recommendation by average looks near: mean(positive), or 2 · mean(positive) − mean(negative).
 *  Sums run over float64. Must not know: where examples come from. */

import type { QueryVector, SparseVector } from '../../../model/point.js';
import { wrongInput } from '../mistakes.js';

/** @param positive one at least  @throws InvalidRequest when they are of several kinds or lengths */
export function averageVector(positive: readonly QueryVector[], negative: readonly QueryVector[], path: string): QueryVector {
  const all = [...positive, ...negative];
  const [first] = all;
  if (first instanceof Float32Array) {
    if (!all.every((one) => one instanceof Float32Array && one.length === first.length))
      throw wrongInput('the examples are not of one dimension', path);
    return denseAverage(positive as readonly Float32Array[], negative as readonly Float32Array[], first.length);
  }
  if (all.some((one) => one instanceof Float32Array)) throw wrongInput('the examples are dense and sparse', path);
  return sparseAverage(positive as readonly SparseVector[], negative as readonly SparseVector[]);
}

/** What one of the positive, or of the negative ones counts. */
function shares(positive: readonly unknown[], negative: readonly unknown[]): readonly [number, number] {
  return negative.length === 0 ? [1 / positive.length, 0] : [2 / positive.length, -1 / negative.length];
}

function denseAverage(positive: readonly Float32Array[], negative: readonly Float32Array[], length: number): Float32Array {
  const [like, unlike] = shares(positive, negative);
  const sum = new Float64Array(length);
  const add = (vectors: readonly Float32Array[], share: number): void => {
    for (const vector of vectors) for (let i = 0; i < length; i++) sum[i] = (sum[i] as number) + (vector[i] as number) * share;
  };
  add(positive, like);
  add(negative, unlike);
  return Float32Array.from(sum);
}

function sparseAverage(positive: readonly SparseVector[], negative: readonly SparseVector[]): SparseVector {
  const [like, unlike] = shares(positive, negative);
  const sum = new Map<number, number>();
  const add = (vectors: readonly SparseVector[], share: number): void => {
    for (const { indices, values } of vectors)
      for (const [i, index] of indices.entries()) sum.set(index, (sum.get(index) ?? 0) + (values[i] as number) * share);
  };
  add(positive, like);
  add(negative, unlike);
  const entries = [...sum].sort(([a], [b]) => a - b);
  return {
    kind: 'sparse',
    indices: Uint32Array.from(entries, ([index]) => index),
    values: Float32Array.from(entries, ([, value]) => value),
  };
}
