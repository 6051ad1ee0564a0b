/** A look at how well a graph holds together, in slices: its links in one, then points that are searched for by their own vectors.
 *
 *  While there are two graphs it looks at the one that holds more when it begins. Between slices points may go, or move to the other graph:
 *  those are passed over, and a graph that is left meanwhile ends the look with what was seen of it. Must not know: why points move. */

import type { Clock } from '../model/clock.js';
import type { HnswGraph } from './hnsw-graph.js';
import type { NativeLinks } from './native-graph.js';
import type { RenewingGraph } from './renewing-graph.js';
import type { HealthLook, IndexHealth } from './vector-index.js';

export class SlicedHealthLook implements HealthLook {
  readonly #graph: RenewingGraph;
  readonly #part: HnswGraph;
  readonly #clock: Clock;
  readonly #labels: Uint32Array;
  #next = 0;
  #links: NativeLinks | null = null;
  #sampled = 0;
  #reachable = 0;

  constructor(graph: RenewingGraph, sampleMax: number, clock: Clock) {
    this.#graph = graph;
    this.#part = graph.graphs.reduce((most, part) => (part.live > most.live ? part : most));
    this.#clock = clock;
    const labels = this.#part.rankedLabels();
    const wanted = Math.min(sampleMax, labels.length);
    this.#labels = Uint32Array.from({ length: wanted }, (_, i) => labels[Math.floor((i * labels.length) / wanted)] as number);
  }

  advance(budgetMs: number): boolean {
    if (this.#part.live === 0 || !this.#graph.graphs.includes(this.#part)) return true;
    const untilMs = this.#clock.monotonicMs() + budgetMs;
    if (this.#links === null) {
      this.#links = this.#part.links();
      if (this.#links === null) return true;
    }
    while (this.#next < this.#labels.length) {
      this.#search(this.#labels[this.#next] as number);
      this.#next += 1;
      if (this.#clock.monotonicMs() >= untilMs) break;
    }
    return this.#next === this.#labels.length;
  }

  #search(label: number): void {
    const reached = this.#part.has(label) ? this.#part.reaches(label) : null;
    if (reached === null) return;
    this.#sampled += 1;
    if (reached) this.#reachable += 1;
  }

  health(): IndexHealth | null {
    if (this.#links === null) return null;
    const { orphans, least, mean } = this.#links;
    return { sampled: this.#sampled, reachable: this.#reachable, orphans, inDegreeMin: least, inDegreeMean: mean };
  }
}
