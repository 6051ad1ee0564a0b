/** A scan of everything an index holds: rows first, at once, then the graphs, label by label, in slices.
 *
 *  The graph that points move out of comes first, so none is missed, and what is met again after its move is known. Rows that move into
 *  the graph meanwhile have labels beyond all that are looked for in it. What cannot be ranked comes last.
 *  `limit` + SPARE are kept: some may be removed before the end, and of cosine those that could change places with the last are given too
 *  (scale.ts, COSINE_ERROR). With more than SPARE of these (copies of one vector), those of the lowest labels are given.
 *  Must not know: how points move. */

import type { Clock } from '../model/clock.js';
import { type LabelFilter, passesFilter } from '../model/label-filter.js';
import { TopK } from './exact-scan.js';
import type { RowHits } from './flat-rows.js';
import type { HnswGraph } from './hnsw-graph.js';
import { SCAN_GIVEN, SCAN_LOOKED, SCAN_NEXT, type ScanBlock } from './native-graph.js';
import { best, columnsOf, type Hit, hitsOf } from './nearest.js';
import type { PreparedQuery } from './prepared-query.js';
import type { RenewingGraph } from './renewing-graph.js';
import { COSINE_ERROR, scoreOfMeasure } from './scale.js';
import type { IndexHits, IndexScan } from './vector-index.js';

/** Looked at without a look at the clock: of 128 dimensions in about 0.1 ms, of 4,096 in 4 ms. */
const BLOCK_POINTS = 1_024;
export const SPARE = 64;

/** What a scan goes through. */
export interface Scanned {
  readonly rows: RowHits;
  readonly graph: RenewingGraph | null;
  /** Labels from here on were rows when the scan began. */
  readonly endLabel: number;
  /** Is a label inside and alive? */
  isThere(label: number): boolean;
}

export interface ScanRequest {
  readonly query: PreparedQuery;
  readonly limit: number;
  /** How many may be given that only the caller can order. */
  readonly candidates: number;
  readonly filter: LabelFilter | null;
  /** No rounding is between what the graph keeps and the vectors. */
  readonly keptWhole: boolean;
}

export class SlicedScan implements IndexScan {
  readonly #request: ScanRequest;
  readonly #scanned: Scanned;
  readonly #clock: Clock;
  /** Measures: the smaller, the nearer. */
  readonly #top: TopK;
  readonly #block: ScanBlock;
  readonly #unranked: TopK;
  /** Labels that were near enough when they were met: a few for each that is kept. */
  readonly #met = new Set<number>();
  /** The next label to look at in each graph. */
  readonly #nexts = new Map<HnswGraph, number>();
  #others = 0;
  #toRank: Uint32Array | null = null;
  #ranked = 0;
  #looked = 0;

  constructor(request: ScanRequest, scanned: Scanned, clock: Clock) {
    this.#request = request;
    this.#scanned = scanned;
    this.#clock = clock;
    this.#top = new TopK('euclid', this.#given + SPARE);
    this.#unranked = new TopK(request.query.distance, this.#given + SPARE);
    this.#block = {
      labels: new Uint32Array(BLOCK_POINTS),
      measures: new Float64Array(BLOCK_POINTS),
      state: new Float64Array(3),
    };
  }

  get #given(): number {
    return Math.max(this.#request.limit, this.#request.candidates);
  }

  advance(budgetMs: number): boolean {
    const { graph } = this.#scanned;
    if (graph === null) return true;
    const untilMs = this.#clock.monotonicMs() + budgetMs;
    for (let part = this.#nextPart(graph); part !== undefined; part = this.#nextPart(graph)) {
      this.#look(part);
      if (this.#clock.monotonicMs() >= untilMs) return false;
    }
    return this.#rankOthers(graph, untilMs);
  }

  /** Points move from the last graph of the list to the first, so that is looked at when the last is done with. */
  #nextPart(graph: RenewingGraph): HnswGraph | undefined {
    return graph.graphs.toReversed().find((part) => (this.#nexts.get(part) ?? 0) < this.#scanned.endLabel);
  }

  #look(graph: HnswGraph): void {
    const { query, filter } = this.#request;
    const { labels, measures, state } = this.#block;
    const range = { from: this.#nexts.get(graph) ?? 0, to: this.#scanned.endLabel, most: this.#top.worst ?? Infinity };
    graph.scan(query, range, filter, this.#block);
    const given = state[SCAN_GIVEN] as number;
    for (let i = 0; i < given; i++) this.#offer(labels[i] as number, measures[i] as number);
    this.#looked += state[SCAN_LOOKED] as number;
    this.#nexts.set(graph, state[SCAN_NEXT] as number);
  }

  /** What was met in one graph and moved is met again in the other, with the same measure. */
  #offer(label: number, measure: number): void {
    if (this.#met.has(label)) return;
    this.#met.add(label);
    this.#top.offer(label, measure);
  }

  /** Those that the graph cannot rank: by their own measures. @returns true when all are */
  #rankOthers(graph: RenewingGraph, untilMs: number): boolean {
    const { query, filter } = this.#request;
    this.#toRank ??= Uint32Array.from(graph.graphs.flatMap((part) => [...part.unrankedLabels()]));
    const { length } = this.#toRank;
    while (this.#ranked < length) {
      const end = Math.min(length, this.#ranked + BLOCK_POINTS);
      for (const label of this.#toRank.subarray(this.#ranked, end)) {
        if (!graph.has(label) || (filter !== null && !passesFilter(filter, label))) continue;
        this.#unranked.offer(label, graph.scoreUnranked(query, label));
        this.#others += 1;
      }
      this.#ranked = end;
      if (this.#clock.monotonicMs() >= untilMs) break;
    }
    return this.#ranked === length;
  }

  hits(): IndexHits {
    const { rows, graph, isThere } = this.#scanned;
    const { distance, length } = this.#request.query;
    const { labels, scores: measures } = this.#top.finish();
    const inGraph = hitsOf(
      labels,
      measures.map((measure) => scoreOfMeasure(distance, measure, length)),
    );
    const others = this.#unranked.finish();
    const all = [inGraph, hitsOf(rows.labels, rows.scores), hitsOf(others.labels, others.scores)].flat();
    const there = all.filter(({ label }) => isThere(label)).sort((a, b) => a.label - b.label);
    const ordered = best(distance, there, Number.POSITIVE_INFINITY);
    const hits = ordered.slice(0, this.#end(ordered));
    return {
      ...columnsOf(hits),
      exact: graph === null || (this.#request.keptWhole && this.#others === 0),
      scanned: rows.scanned + this.#looked + this.#others,
      visited: 0,
      rejected: 0,
      stopped: false,
      reached: true,
    };
  }

  /** How many to give: all that could be among the best. */
  #end(ordered: readonly Hit[]): number {
    const given = this.#given;
    const last = ordered[given - 1];
    if (last === undefined || this.#request.query.distance !== 'cosine') return given;
    let end = given;
    while (end < given + SPARE && (ordered[end]?.score ?? Number.NEGATIVE_INFINITY) >= last.score - 2 * COSINE_ERROR) end += 1;
    return end;
  }
}
