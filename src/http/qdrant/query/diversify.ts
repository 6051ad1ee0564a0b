/** Maximal marginal relevance: from near points, one after the other, the one that is near the query and unlike those chosen before.
 *
 *    next = argmax (1 − diversity) · near(query) − diversity · max near(chosen)
 *
 *  Source: Carbonell & Goldstein, SIGIR 1998. Cost: candidates × chosen comparisons. Must not know: how the candidates were found. */

import type { Distance } from '../../../model/distance.js';
import type { QueryVector } from '../../../model/point.js';
import { measured, similarityTo } from '../../../model/similarity.js';

export interface MmrQuestion {
  readonly query: QueryVector;
  /** Nearest first. */
  readonly candidates: readonly QueryVector[];
  readonly distance: Distance;
  readonly diversity: number;
  readonly limit: number;
}

/** @returns places of the chosen among the candidates, in the order of choice; of equal ones the nearer */
export function diversify({ query, candidates, distance, diversity, limit }: MmrQuestion): number[] {
  const vectors = candidates.map((vector) => measured(vector, distance));
  const near = vectors.map(similarityTo(query, distance));
  const likeChosen = new Float64Array(candidates.length).fill(Number.NEGATIVE_INFINITY);
  const left = new Set(candidates.keys());
  const chosen: number[] = [];
  while (chosen.length < limit && left.size > 0) {
    let best = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (const place of left) {
      const relevance = near[place] as number;
      const score = chosen.length === 0 ? relevance : (1 - diversity) * relevance - diversity * (likeChosen[place] as number);
      if (best < 0 || score > bestScore) {
        best = place;
        bestScore = score;
      }
    }
    left.delete(best);
    chosen.push(best);
    const toChosen = similarityTo(candidates[best] as QueryVector, distance);
    for (const place of left)
      likeChosen[place] = Math.max(likeChosen[place] as number, toChosen(vectors[place] as (typeof vectors)[0]));
  }
  return chosen;
}
