/** How much of the truth a search found: of the true `limit` nearest points the share that is in the answer, or is matched by one just as
 *  near. By scores, not by names, because of points at one distance any may be answered. Pure. Must not know: indexes, threads. */

export interface RankedLabels {
  /** Best first. */
  readonly labels: Uint32Array;
  readonly scores: Float64Array;
}

/** Scores of one point may come from two ways of computing them. */
const SAME = 1e-6;

/** @param truth the nearest points as a comparison with all of them found them
 *  @returns 0 … 1, or null when there was nothing to be found */
export function recallOf(found: RankedLabels, truth: RankedLabels, limit: number, lowerIsBetter: boolean): number | null {
  const wanted = Math.min(limit, truth.labels.length);
  const last = truth.scores[wanted - 1];
  if (last === undefined) return null;
  const slack = SAME * Math.max(1, Math.abs(last));
  const bound = lowerIsBetter ? last + slack : -last + slack;
  const nearEnough = (score: number): boolean => (lowerIsBetter ? score : -score) <= bound;
  const nearest = new Set(truth.labels.filter((_, place) => nearEnough(truth.scores[place] as number)));
  let hits = 0;
  for (const [place, label] of found.labels.entries())
    if (nearest.has(label) || nearEnough(found.scores[place] as number)) hits += 1;
  return Math.min(hits, wanted) / wanted;
}
