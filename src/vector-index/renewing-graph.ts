/** A graph that renews itself while it serves: removed points stay in it as dead places until it is left for a fresh one.
 *
 *    one graph ─ too many dead ─► an old and a young one ─ the old one holds nothing alive ─► one graph
 *
 *  While there are two, new points go into the young one, live points of the old one move over bit by bit, and searches look into both.
 *  A point moves in one turn, so it is always in exactly one of them. A replacement costs one insert into the young graph and at most
 *  one move (the young graph's dead are never more than the moves), never a rebuild of what is about to be replaced itself.
 *  Figures behind the numbers: docs/BENCHMARKS.md, "Churn". Invariant: live labels of the two are disjoint.
 *  Must not know: flat rows, checkpoint files, threads. */

import type { Clock } from '../model/clock.js';
import { type LabelFilter, passesFilter } from '../model/label-filter.js';
import { HnswGraph } from './hnsw-graph.js';
import type { WalkBounds } from './native-graph.js';
import { type Hit, type Nearest, nearest } from './nearest.js';
import type { PreparedQuery } from './prepared-query.js';
import { ShuffledLabels } from './shuffled-labels.js';
import type { IndexParameters } from './vector-index.js';

const DEAD_SHARE_BUSY = 0.2;
const DEAD_SHARE_QUIET = 0.1;
/** Without a change for so long, changes are over for now. */
const QUIET_MS = 5_000;
/** So many adds make one move, if the dead do not ask for more: a collection that only grows leaves its old graph too. */
const ADDS_PER_MOVE = 8;
/** What one add has to do at most, however much is owed. */
const MOVES_PER_ADD = 4;
/** Moves beside changes: one slice, then a pause of so many times its length. */
const SLICE_MS = 2;
const PAUSE_BUSY = 9;
const PAUSE_QUIET = 1;
/** Each is one more row to read and score for every search. */
const UNRANKED_MAX = 64;

export interface GraphHits extends Nearest {
  /** Those that the graph cannot rank, in no order. */
  readonly unranked: readonly Hit[];
  /** False: hits and unranked are empty, though there may be points. */
  readonly reached: boolean;
}

export class RenewingGraph {
  readonly #parameters: IndexParameters;
  readonly #tombstonesMin: number;
  readonly #clock: Clock;
  #young: HnswGraph;
  #old: HnswGraph | null;
  /** Labels of the old graph in the order in which they move: by chance, because they may have come cluster by cluster. */
  #order = NO_LABELS;
  #addsSince = 0;
  /** Moves made since there are two, and those that the young graph's dead do not ask for. */
  #moved = 0;
  #changedMs: number;
  #restUntilMs = 0;
  #rebuilds = 0;
  #inserts = 0;

  /** @param tombstonesMin with fewer there is no rebuild  @param old what is being left for `young`, or null */
  constructor(parameters: IndexParameters, tombstonesMin: number, clock: Clock, young: HnswGraph, old: HnswGraph | null) {
    this.#parameters = parameters;
    this.#tombstonesMin = tombstonesMin;
    this.#clock = clock;
    this.#young = young;
    this.#old = old;
    this.#changedMs = clock.monotonicMs();
    if (old === null) return;
    this.#order = new ShuffledLabels(old.liveLabels());
    this.#moved = young.tombstones;
    this.#leaveEmptied();
  }

  /** The graph that takes new points, then the one that is being left, if there is one. */
  get graphs(): readonly HnswGraph[] {
    return this.#old === null ? [this.#young] : [this.#young, this.#old];
  }

  #sum(of: (graph: HnswGraph) => number): number {
    return of(this.#young) + (this.#old === null ? 0 : of(this.#old));
  }

  get live(): number {
    return this.#sum((graph) => graph.live);
  }

  /** Dead places; of the graph that is being left also those whose point has moved. */
  get tombstones(): number {
    return this.#sum((graph) => graph.tombstones);
  }

  get unranked(): number {
    return this.#sum((graph) => graph.unranked);
  }

  get memoryBytes(): number {
    return this.#sum((graph) => graph.memoryBytes);
  }

  /** Points still to be moved. */
  get growing(): number {
    return this.#old?.live ?? 0;
  }

  /** How often a graph was left for a fresh one. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  /** Adds and moves. */
  get inserts(): number {
    return this.#inserts;
  }

  has(label: number): boolean {
    return this.#young.has(label) || (this.#old?.has(label) ?? false);
  }

  /** Ascending. */
  liveLabels(): Uint32Array {
    const young = this.#young.liveLabels();
    if (this.#old === null) return young;
    const all = new Uint32Array(this.live);
    all.set(young);
    all.set(this.#old.liveLabels(), young.length);
    return all.sort();
  }

  /** @param label never inside before  @throws RangeError on a component that is not finite; nothing is done then */
  add(label: number, vector: Float32Array): void {
    this.#young.add(label, vector);
    this.#addsSince += 1;
    this.#inserts += 1;
    this.#changedMs = this.#clock.monotonicMs();
    const owed = Math.max(this.#young.tombstones, Math.floor(this.#addsSince / ADDS_PER_MOVE)) - this.#moved;
    for (let left = Math.min(owed, MOVES_PER_ADD); left > 0 && this.#move(); left--);
  }

  /** A label that is not inside and alive is ignored. Also while a graph is written; settle() comes before anything else that changes. */
  remove(label: number): void {
    if (this.#young.remove(label) || this.#old?.remove(label)) this.#changedMs = this.#clock.monotonicMs();
  }

  /** What removals ask for: leaves a graph that is empty now, or begins to leave one with too many dead. */
  settle(): void {
    if (this.#old !== null) this.#leaveEmptied();
    else if (this.#isDue(DEAD_SHARE_BUSY)) this.#begin();
  }

  /** The `limit` nearest live labels that pass (all, when there are fewer), best first, and beside them all that the graph cannot rank.
   *  Not reached: it cannot rank the query, or too many of its points, or did not come to as many as there are.
   *  Cost: as nearest(), over both graphs while there are two. */
  search(query: PreparedQuery, bounds: WalkBounds, filter: LabelFilter | null): GraphHits {
    const { live, unranked } = this;
    if (live > 0 && (query.scale === null || unranked > UNRANKED_MAX)) return { ...NOTHING, reached: false };
    const wanted = Math.min(bounds.limit, live - unranked);
    const graphs = this.graphs.filter((graph) => graph.live > graph.unranked);
    const found = wanted === 0 ? NOTHING : nearest(graphs, query, { ...bounds, limit: wanted }, filter);
    const isShort = (filter: LabelFilter): boolean => this.#sum((graph) => graph.matches(filter, wanted)) > found.hits.length;
    if (found.hits.length < wanted && (found.stopped || filter === null || isShort(filter)))
      return { ...found, hits: [], unranked: [], reached: false };
    return { ...found, unranked: unranked === 0 ? [] : this.#unrankedHits(query, filter), reached: true };
  }

  #unrankedHits(query: PreparedQuery, filter: LabelFilter | null): Hit[] {
    const labels = this.graphs.flatMap((graph) => [...graph.unrankedLabels()]);
    const passing = filter === null ? labels : labels.filter((label) => passesFilter(filter, label));
    return passing.map((label) => ({ label, score: this.scoreUnranked(query, label) }));
  }

  /** The score of a live label that the graph cannot rank. */
  scoreUnranked(query: PreparedQuery, label: number): number {
    const graph = this.#old?.has(label) ? this.#old : this.#young;
    return graph.scoreUnranked(query, label);
  }

  /** Does what may be done beside changes. @returns milliseconds until there is more to do, null: not before the next change */
  work(budgetMs: number): number | null {
    const startMs = this.#clock.monotonicMs();
    const quietInMs = this.#changedMs + QUIET_MS - startMs;
    if (this.#old === null) {
      if (!this.#isDue(DEAD_SHARE_QUIET)) return null;
      if (quietInMs > 0 && !this.#isDue(DEAD_SHARE_BUSY)) return quietInMs;
      this.#begin();
    }
    if (startMs < this.#restUntilMs) return this.#restUntilMs - startMs;
    const untilMs = startMs + Math.min(budgetMs, SLICE_MS);
    while (this.#move()) {
      const nowMs = this.#clock.monotonicMs();
      if (nowMs < untilMs) continue;
      const restMs = (nowMs - startMs) * (quietInMs > 0 ? PAUSE_BUSY : PAUSE_QUIET);
      this.#restUntilMs = nowMs + restMs;
      return restMs;
    }
    // What died in the young graph meanwhile may be too much already.
    return this.#isDue(DEAD_SHARE_QUIET) ? 0 : null;
  }

  /** As VectorIndex.renew(). */
  renew(): boolean {
    if (this.#old !== null || this.#young.live === 0) return false;
    this.#begin();
    return true;
  }

  /** As HnswGraph.free(). */
  free(): void {
    for (const graph of this.graphs) graph.free();
  }

  #isDue(share: number): boolean {
    const { live, tombstones } = this.#young;
    return tombstones >= this.#tombstonesMin && tombstones >= share * (live + tombstones);
  }

  #begin(): void {
    this.#old = this.#young;
    this.#young = HnswGraph.create(this.#parameters, this.#old.live);
    this.#order = new ShuffledLabels(this.#old.liveLabels());
    this.#addsSince = 0;
    this.#moved = 0;
    this.#leaveEmptied();
  }

  /** @returns true when there is more to move */
  #move(): boolean {
    const old = this.#old;
    if (old === null) return false;
    let label = this.#order.next();
    while (label !== undefined && !old.has(label)) label = this.#order.next();
    if (label === undefined) throw new Error('the old graph holds a point that has no turn to move');
    this.#young.take(label, old);
    this.#moved += 1;
    this.#inserts += 1;
    return !this.#leaveEmptied();
  }

  /** @returns true when there is one graph now */
  #leaveEmptied(): boolean {
    if (this.#old === null || this.#old.live > 0) return this.#old === null;
    this.#old.free();
    this.#old = null;
    this.#order = NO_LABELS;
    this.#rebuilds += 1;
    return true;
  }
}

const NO_LABELS = new ShuffledLabels(new Uint32Array(0));
const NOTHING: GraphHits = { hits: [], visited: 0, rejected: 0, stopped: false, unranked: [], reached: true };
