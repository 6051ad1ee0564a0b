/** Exact nearest neighbours by brute force, and recall by distance: a hit counts when it is no farther than the true last neighbour,
 *  so that ties are never held against an index. Sums are in float64. */

import type { Distance } from '../../src/model/distance.js';
import { scorer } from '../../src/model/distance.js';
import { exactTopK } from '../../src/vector-index/exact-scan.js';
import { allRows, rowOf, type VectorRows } from './clusters.js';

/** Ties at the edge may differ in the last bits of a float32 distance. */
const TOLERANCE = 1e-6;

export interface Truth {
  readonly distance: Distance;
  readonly limit: number;
  /** For each query its true scores, best first. */
  readonly scores: readonly Float64Array[];
  /** Queries answered per second while it was made: one thread of JavaScript over a plain array of vectors. */
  readonly scansPerSecond: number;
}

/** Cost: queries × count × dimension multiplications. */
export function findTruth(base: VectorRows, queries: VectorRows, distance: Distance, limit: number): Truth {
  const rows = allRows(base);
  const startMs = performance.now();
  const scores = allRows(queries).map((query) => {
    const top = exactTopK(distance, query, limit);
    for (const [label, row] of rows.entries()) top.offer(label, row);
    return top.finish().scores;
  });
  return { distance, limit, scores, scansPerSecond: (queries.count / (performance.now() - startMs)) * 1000 };
}

/** The share of true neighbours found.
 *  @param answers for each query the rows of `base` that were answered; doubles count once */
export function recallOfRows(
  truth: Truth,
  base: VectorRows,
  queries: VectorRows,
  answers: readonly (readonly number[])[],
): number {
  const scores = answers.map((answer, query) => {
    const score = scorer(truth.distance, rowOf(queries, query));
    return [...new Set(answer)].map((row) => score(rowOf(base, row)));
  });
  return recallOfScores(truth, scores);
}

/** @param answers for each query the scores that were answered */
export function recallOfScores(truth: Truth, answers: readonly (readonly number[])[]): number {
  let found = 0;
  let wanted = 0;
  for (const [query, scores] of answers.entries()) {
    const real = truth.scores[query] ?? new Float64Array(0);
    const last = real.at(-1) ?? 0;
    const slack = TOLERANCE * Math.max(1, Math.abs(last));
    const near = (score: number): boolean => (truth.distance === 'euclid' ? score <= last + slack : score >= last - slack);
    wanted += real.length;
    found += Math.min(real.length, scores.filter(near).length);
  }
  return wanted === 0 ? 0 : found / wanted;
}
