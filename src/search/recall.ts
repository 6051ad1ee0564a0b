/** How much of the truth a search found: of the true `limit` nearest points the share that is in the answer, or is matched by one just as
 *  near. By scores, not by names, because of points at one distance any may be answered. Pure. Must not know: indexes, threads. */

/** Searches by how many points their filter lets pass, because that is what approximate search depends on most. */
export const FILTER_CLASSES = ['none', 'above_50', '10_to_50', '1_to_10', 'below_1'] as const;
export type FilterClass = (typeof FILTER_CLASSES)[number];

/** @param matches points that pass the filter, of `points` */
export function filterClassOf(filtered: boolean, matches: number, points: number): FilterClass {
  if (!filtered) return 'none';
  const share = matches / Math.max(1, points);
  if (share > 0.5) return 'above_50';
  if (share > 0.1) return '10_to_50';
  return share > 0.01 ? '1_to_10' : 'below_1';
}

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
