/** The nearest live labels of one graph, or of two that share the points between them.
 *
 *  Dead places crowd out live ones, so every graph is asked for more places than hits are wanted: as many as there are, dead or alive,
 *  for each live one. What comes back is certain where the last hit lies no farther than every graph was looked into; a graph that was
 *  not looked into that far (the dead lie thick around the query, or the other graph holds nothing near) is looked into again, farther.
 *  Must not know: how points come in and go. */

import type { HnswGraph, Look } from './hnsw-graph.js';

const WIDEN_MIN = 2;
const WIDEN_MAX = 4;

export interface Hit {
  readonly label: number;
  /** Native, float32: comparable between graphs of the same parameters. */
  readonly distance: number;
}

interface Probe {
  readonly graph: HnswGraph;
  asked: number;
  beam: number;
  look: Look;
}

/** @param query from HnswGraph.prepare()  @param wanted ≥ 1 hits, at most as many as there are live ranked labels
 *  @param ef ≥ wanted: about so many live points are looked at in each graph
 *  @returns best first; fewer than wanted only when the graphs have live points out of reach
 *  Cost: about ef · (1 + dead / live) · log(n) distances a graph. */
export function nearest(graphs: readonly HnswGraph[], query: readonly number[], wanted: number, ef: number): readonly Hit[] {
  const only = graphs.length === 1 ? graphs[0] : undefined;
  if (only !== undefined && only.tombstones + only.unranked === 0)
    return hitsOf(only.look(query, wanted, Math.min(wanted, only.places), Math.min(ef, only.places)));
  const ranked = Math.max(
    1,
    graphs.reduce((sum, graph) => sum + graph.rankedPlaces, 0),
  );
  const probes = graphs.map((graph) => firstLook(graph, query, wanted, ef, ranked));
  for (;;) {
    const hits = merge(probes, wanted);
    const farthest = hits.length < wanted ? Number.POSITIVE_INFINITY : (hits.at(-1)?.distance ?? 0);
    const short = probes.filter(({ look }) => !look.exhausted && look.reach < farthest);
    if (short.length === 0) return hits;
    for (const probe of short) lookFarther(probe, query, wanted);
  }
}

function firstLook(graph: HnswGraph, query: readonly number[], wanted: number, ef: number, ranked: number): Probe {
  const { places } = graph;
  // Places of this graph for each live one of all: what lies around the query if the dead are spread evenly.
  const density = places / ranked;
  const deadShare = 1 - (graph.rankedPlaces / places) * Math.min(1, graph.rankedPlaces / ranked);
  const spread = 2 * Math.sqrt(wanted * deadShare) * density;
  const asked = Math.min(places, Math.max(wanted, Math.ceil(wanted * density + spread)));
  const beam = Math.min(places, Math.max(asked, ef, Math.ceil(ef * density)));
  return { graph, asked, beam, look: graph.look(query, wanted, asked, beam) };
}

function lookFarther(probe: Probe, query: readonly number[], wanted: number): void {
  const { seen } = probe.look;
  const factor = seen === 0 ? WIDEN_MAX : Math.min(WIDEN_MAX, Math.max(WIDEN_MIN, wanted / seen));
  const { places } = probe.graph;
  probe.asked = Math.min(places, Math.ceil(probe.asked * factor));
  probe.beam = Math.min(places, Math.max(probe.asked, Math.ceil(probe.beam * factor)));
  probe.look = probe.graph.look(query, wanted, probe.asked, probe.beam);
}

function merge(probes: readonly Probe[], wanted: number): Hit[] {
  return byDistance(probes.flatMap(({ look }) => hitsOf(look))).slice(0, wanted);
}

function hitsOf({ labels, distances }: Look): Hit[] {
  return labels.map((label, i) => ({ label, distance: distances[i] as number }));
}

/** Nearest first; of equal ones those in front stay there. */
export function byDistance(hits: readonly Hit[]): Hit[] {
  return [...hits].sort((a, b) => a.distance - b.distance);
}
