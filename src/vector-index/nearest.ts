/** The nearest answers of one graph, or of two that share the points between them.
 *
 *  Every graph is asked for as many as are wanted, so the best of all of them are among what comes back. Must not know: how points come
 *  and go. */

import { compareScores, type Distance } from '../model/distance.js';
import type { LabelFilter } from '../model/label-filter.js';
import type { HnswGraph } from './hnsw-graph.js';
import type { WalkBounds } from './native-graph.js';
import type { PreparedQuery } from './prepared-query.js';

export interface Hit {
  readonly label: number;
  readonly score: number;
}

export interface Nearest {
  /** Best first. */
  readonly hits: readonly Hit[];
  readonly visited: number;
  readonly rejected: number;
  readonly stopped: boolean;
}

/** @param bounds limit ≥ 1, ef ≥ limit, for each graph. Cost: HnswGraph.look(), each. */
export function nearest(
  graphs: readonly HnswGraph[],
  query: PreparedQuery,
  bounds: WalkBounds,
  filter: LabelFilter | null,
): Nearest {
  const looks = graphs.map((graph) => graph.look(query, bounds, filter));
  const [only, ...others] = looks.map(({ labels, scores }) => hitsOf(labels, scores));
  const hits =
    only !== undefined && others.length === 0 ? only : best(query.distance, [only ?? [], ...others].flat(), bounds.limit);
  return {
    hits,
    visited: looks.reduce((sum, { visited }) => sum + visited, 0),
    rejected: looks.reduce((sum, { rejected }) => sum + rejected, 0),
    stopped: looks.some(({ stopped }) => stopped),
  };
}

export function hitsOf(labels: Uint32Array, scores: Float64Array): Hit[] {
  const hits: Hit[] = [];
  for (let i = 0; i < labels.length; i++) hits.push({ label: labels[i] as number, score: scores[i] as number });
  return hits;
}

export function columnsOf(hits: readonly Hit[]): { labels: Uint32Array; scores: Float64Array } {
  const labels = new Uint32Array(hits.length);
  const scores = new Float64Array(hits.length);
  for (const [i, { label, score }] of hits.entries()) {
    labels[i] = label;
    scores[i] = score;
  }
  return { labels, scores };
}

/** The best `limit`, best first; of equal ones those in front stay there. */
export function best(distance: Distance, hits: readonly Hit[], limit: number): Hit[] {
  return [...hits].sort((a, b) => compareScores(distance, a.score, b.score)).slice(0, limit);
}
