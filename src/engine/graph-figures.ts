/** How worn the graphs are, by collection: a hundred have figures of their own, of the others the worst is told.
 *  Must not know: how a graph is looked at, who shows it. */

import type { CatalogueEntry } from './catalogue.js';
import { tombstoneRatio } from './index-schedule.js';
import type { GraphFigure } from './search-status.js';

const COLLECTIONS_MAX = 100;

/** In the order of the entries, so that the same ones stay themselves. */
export function graphFigures(entries: Iterable<CatalogueEntry>): GraphFigure[] {
  const own: GraphFigure[] = [];
  let rest: GraphFigure | null = null;
  for (const { row, vector, health } of entries) {
    if (vector.report?.status.kind !== 'graph') continue;
    const unreachableRatio = health === null || health.sampled === 0 ? null : 1 - health.reachable / health.sampled;
    const figure = { collection: row.name, tombstoneRatio: tombstoneRatio(vector.report), unreachableRatio };
    if (own.length < COLLECTIONS_MAX) own.push(figure);
    else rest = worseOf(rest, figure);
  }
  return rest === null ? own : [...own, rest];
}

function worseOf(rest: GraphFigure | null, { tombstoneRatio: dead, unreachableRatio: lost }: GraphFigure): GraphFigure {
  const before = rest?.unreachableRatio ?? null;
  return {
    collection: null,
    tombstoneRatio: Math.max(rest?.tombstoneRatio ?? 0, dead),
    unreachableRatio: before === null || lost === null ? (before ?? lost) : Math.max(before, lost),
  };
}
