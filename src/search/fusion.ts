/** Fusion: one ranking out of two, of what the vector index and the text index found for the same search.
 *
 *    rrf       Σ weight / (k + rank), ranks from 1: only the order counts          (Cormack, Clarke & Büttcher, SIGIR 2009)
 *    weighted  Σ weight · (score − least) / (greatest − least) of each list
 *    dbsf      Σ weight · (score − (mean − 3σ)) / 6σ of each list: outliers do not squeeze the rest   (distribution-based score fusion)
 *
 *  What one list lacks gets nothing from it. Sums run vector first, then text, so that every node gives the same score for the same lists.
 *  Pure. Must not know: ids, indexes, who ranked. */

import type { Fusion } from '../model/fusion.js';

/** Best first, each label once. */
export interface Ranking {
  readonly labels: Uint32Array;
  /** One a label; which of them are better depends on `lowerIsBetter`. */
  readonly scores: Float64Array;
  readonly lowerIsBetter?: boolean;
}

export interface Fused {
  /** Best first; of equal scores the lower label. */
  readonly labels: Uint32Array;
  /** Higher is better. */
  readonly scores: Float64Array;
}

type Share = (place: number) => number;

/** Cost: a sort of all labels. */
export function fuse(vector: Ranking, text: Ranking, fusion: Fusion): Fused {
  const sums = new Map<number, number>();
  add(sums, vector, shareOf(vector, fusion), fusion.weights.vector);
  add(sums, text, shareOf(text, fusion), fusion.weights.text);
  const all = [...sums].sort(([labelA, a], [labelB, b]) => b - a || labelA - labelB);
  return { labels: Uint32Array.from(all, ([label]) => label), scores: Float64Array.from(all, ([, score]) => score) };
}

function add(sums: Map<number, number>, { labels }: Ranking, share: Share, weight: number): void {
  for (const [place, label] of labels.entries()) sums.set(label, (sums.get(label) ?? 0) + weight * share(place));
}

function shareOf(ranking: Ranking, { method, rrfK }: Fusion): Share {
  if (method === 'rrf') return (place) => 1 / (rrfK + place + 1);
  const sign = ranking.lowerIsBetter === true ? -1 : 1;
  const scores = ranking.scores.map((score) => score * sign);
  return method === 'weighted' ? withinBounds(scores) : withinSpread(scores);
}

/** 0 for the worst, 1 for the best, 1 for all when they are equal. */
function withinBounds(scores: Float64Array): Share {
  const least = scores.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const width = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) - least;
  return (place) => (width > 0 ? ((scores[place] as number) - least) / width : 1);
}

/** 0 and 1 are three standard deviations below and above the mean; a half for all when they are equal. */
function withinSpread(scores: Float64Array): Share {
  const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / Math.max(1, scores.length);
  const width = 6 * Math.sqrt(variance);
  return (place) => (width > 0 ? ((scores[place] as number) - mean) / width + 0.5 : 0.5);
}
