/** A scan of everything an index holds: rows first, at once, then the graphs, label by label, in windows.
 *
 *  In one window both graphs are looked at in the same turn, so a point that moves from one to the other between turns is met once. Rows
 *  that move into the graph meanwhile have labels beyond all that are looked for in it. What cannot be ranked comes last.
 *  `limit` + SPARE are kept: some may be removed before the end, and of cosine those that could change places with the last are given too
 *  (scale.ts, COSINE_ERROR). With more than SPARE of these (copies of one vector), those of the lowest labels are given.
 *  Must not know: how points move. */

import type { Clock } from '../model/clock.js';
import { type LabelFilter, passesFilter } from '../model/label-filter.js';
import { TopK } from './exact-scan.js';
import type { RowHits } from './flat-rows.js';
import type { ScanBlock } from './native-graph.js';
import { best, type Hit, hitsOf } from './nearest.js';
import type { PreparedQuery } from './prepared-query.js';
import type { RenewingGraph } from './renewing-graph.js';
import { COSINE_ERROR, scoreOfMeasure } from './scale.js';
import type { IndexHits, IndexScan } from './vector-index.js';

const WINDOW_LABELS = 2_048;
/** Labels of one page of a filter, a whole number of windows. */
const FILTER_PAGE_LABELS = 65_536;
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
  readonly #unranked: Hit[] = [];
  #next = 0;
  #toRank: Uint32Array | null = null;
  #ranked = 0;
  #looked = 0;

  constructor(request: ScanRequest, scanned: Scanned, clock: Clock) {
    this.#request = request;
    this.#scanned = scanned;
    this.#clock = clock;
    this.#top = new TopK('euclid', this.#given + SPARE);
    this.#block = {
      labels: new Uint32Array(WINDOW_LABELS),
      measures: new Float64Array(WINDOW_LABELS),
      counts: new Uint32Array(2),
    };
  }

  get #given(): number {
    return Math.max(this.#request.limit, this.#request.candidates);
  }

  advance(budgetMs: number): boolean {
    const { graph } = this.#scanned;
    if (graph === null) return true;
    const untilMs = this.#clock.monotonicMs() + budgetMs;
    for (this.#skip(); this.#next < this.#scanned.endLabel; this.#skip()) {
      this.#lookAtWindow(graph);
      if (this.#clock.monotonicMs() >= untilMs) return false;
    }
    return this.#rankOthers(graph, untilMs);
  }

  /** Goes on to the first window in which the filter has labels. */
  #skip(): void {
    const { filter } = this.#request;
    if (filter === null) return;
    while (this.#next < this.#scanned.endLabel && (filter.pageOf[Math.floor(this.#next / FILTER_PAGE_LABELS)] ?? -1) === -1)
      this.#next = (Math.floor(this.#next / FILTER_PAGE_LABELS) + 1) * FILTER_PAGE_LABELS;
  }

  #lookAtWindow(graph: RenewingGraph): void {
    const { query, filter } = this.#request;
    const { labels, measures, counts } = this.#block;
    const from = this.#next;
    const to = Math.min(from + WINDOW_LABELS, this.#scanned.endLabel);
    for (const part of graph.graphs) {
      part.scan(query, { from, to, most: this.#top.worst ?? Number.POSITIVE_INFINITY }, filter, this.#block);
      this.#looked += counts[1] as number;
      const given = counts[0] as number;
      for (let i = 0; i < given; i++) this.#top.offer(labels[i] as number, measures[i] as number);
    }
    this.#next = to;
  }

  /** Those that the graph cannot rank: by their own measures. @returns true when all are */
  #rankOthers(graph: RenewingGraph, untilMs: number): boolean {
    const { query, filter } = this.#request;
    this.#toRank ??= Uint32Array.from(graph.graphs.flatMap((part) => [...part.unrankedLabels()]));
    for (; this.#ranked < this.#toRank.length; this.#ranked++) {
      if (this.#ranked % 64 === 63 && this.#clock.monotonicMs() >= untilMs) return false;
      const label = this.#toRank[this.#ranked] as number;
      if (!graph.has(label) || (filter !== null && !passesFilter(filter, label))) continue;
      this.#unranked.push({ label, score: graph.scoreUnranked(query, label) });
      this.#looked += 1;
    }
    return true;
  }

  hits(): IndexHits {
    const { rows, graph, isThere } = this.#scanned;
    const { distance, length } = this.#request.query;
    const { labels, scores: measures } = this.#top.finish();
    const inGraph = hitsOf(
      labels,
      measures.map((measure) => scoreOfMeasure(distance, measure, length)),
    );
    const there = [...inGraph, ...hitsOf(rows.labels, rows.scores), ...this.#unranked].filter(({ label }) => isThere(label));
    const ordered = best(distance, there, Number.POSITIVE_INFINITY);
    const hits = ordered.slice(0, this.#end(ordered));
    return {
      labels: Uint32Array.from(hits, ({ label }) => label),
      scores: Float64Array.from(hits, ({ score }) => score),
      exact: graph === null || (this.#request.keptWhole && this.#unranked.length === 0),
      scanned: rows.scanned + this.#looked,
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
