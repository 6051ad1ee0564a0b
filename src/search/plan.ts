/** Which way a vector search goes: through the graph, or over the points that may be answered, one by one.
 *
 *  Both are estimated in nanoseconds and the cheaper one is taken. A walk through the graph that looks for points of share s of all has to
 *  visit about 1/s times as many; a scan costs what it says, whatever the filter. A walk whose matches lie far from the query visits more than
 *  estimated, so it is given a bound: past it the scan takes over, and the search has cost at most about twice the better way.
 *  The costs are measured where the index lives (search/costs.ts), not fixed. Pure. Must not know: indexes, filters, threads. */

import type { SearchCosts } from './costs.js';

export interface SearchSituation {
  /** Live points of the index. */
  readonly points: number;
  /** Live points that the filter lets pass; null: no filter. */
  readonly matches: number | null;
  /** False while the collection is so small that there is no graph. */
  readonly hasGraph: boolean;
  readonly wanted: number;
  readonly ef: number;
  readonly costs: SearchCosts;
}

export interface SearchPlan {
  readonly kind: 'flat' | 'graph' | 'scan';
  /** In words, for `explain`. */
  readonly reason: string;
  /** So many places the walk may visit before the scan takes over; infinite without a filter. */
  readonly visitsMax: number;
}

/** A walk may visit this many times what was estimated, if a scan is not dearer still. */
const PATIENCE = 2;

export function planSearch({ points, matches, hasGraph, wanted, ef, costs }: SearchSituation): SearchPlan {
  const unbounded = Number.POSITIVE_INFINITY;
  if (!hasGraph) return { kind: 'flat', reason: 'the collection is small enough to be searched exactly', visitsMax: unbounded };
  if (matches === null) return { kind: 'graph', reason: 'no filter, so the graph alone answers', visitsMax: unbounded };
  if (matches <= wanted) return { kind: 'scan', reason: `only ${matches} points match, and all are wanted`, visitsMax: 0 };
  const share = matches / Math.max(1, points);
  const visits = Math.min(points, (costs.visitsPerEf * Math.max(ef, wanted)) / share);
  const graphNs = visits * costs.visitNs;
  const scanNs = matches * costs.scanNs;
  const figures = `${inWords(matches)} of ${inWords(points)} points match: scan about ${inMs(scanNs)}, graph about ${inMs(graphNs)}`;
  if (scanNs <= graphNs) return { kind: 'scan', reason: figures, visitsMax: 0 };
  return { kind: 'graph', reason: figures, visitsMax: Math.ceil(Math.max(PATIENCE * visits, scanNs / costs.visitNs)) };
}

function inWords(count: number): string {
  return count.toLocaleString('en-US');
}

function inMs(ns: number): string {
  return `${(ns / 1e6).toFixed(3)} ms`;
}
