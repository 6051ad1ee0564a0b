/** One ranking out of several, each best first.
 *
 *    rrf    Σ 1 / ((rank + 1) / weight + k − 1), ranks from 0: only the order counts; without weights 1 / (rank + k)
 *    dbsf   Σ (score − (mean − 3σ)) / 6σ of each list, σ of a sample; a half for all where a list has one score
 *
 *  What a list lacks gets nothing from it. Source: the dialect's own definitions (docs/QDRANT.md). Must not know: how the lists were found. */

import { comparePointIds, type PointId } from '../../../model/point.js';

export interface Scored {
  readonly id: PointId;
  readonly score: number;
}

export interface ScoredList {
  readonly hits: readonly Scored[];
  readonly lowerIsBetter: boolean;
}

/** @param weights one a list, or null  @returns best first; of equal scores the lower id */
export function fuseByRank(lists: readonly ScoredList[], k: number, weights: readonly number[] | null): Scored[] {
  return summed(
    lists.map(({ hits }, list) => {
      const weight = weights?.[list] ?? 1;
      return hits.map(({ id }, rank) => ({ id, score: weight === 0 ? 0 : 1 / ((rank + 1) / weight + k - 1) }));
    }),
  );
}

export function fuseBySpread(lists: readonly ScoredList[]): Scored[] {
  return summed(lists.map(spread));
}

function spread({ hits, lowerIsBetter }: ScoredList): Scored[] {
  const sign = lowerIsBetter ? -1 : 1;
  const scores = hits.map(({ score }) => score * sign);
  const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / Math.max(1, scores.length - 1);
  const width = 6 * Math.sqrt(variance);
  return hits.map(({ id }, place) => ({ id, score: width > 0 ? ((scores[place] as number) - mean) / width + 0.5 : 0.5 }));
}

function summed(lists: readonly (readonly Scored[])[]): Scored[] {
  const sums = new Map<PointId, number>();
  for (const list of lists) for (const { id, score } of list) sums.set(id, (sums.get(id) ?? 0) + score);
  return [...sums].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score || comparePointIds(a.id, b.id));
}
