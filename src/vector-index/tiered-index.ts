/** The index behind the door: rows that are searched one by one, and behind them a graph once there are many.
 *
 *    add ─► rows ─ more than the limit, or there is a graph ─► graph ─ nothing alive in it ─► (no graph)
 *
 *  A point is found as soon as it is added. While there is a graph, work() moves rows into it, oldest first; until then they wait.
 *  While the graph is being written to a file it only loses points: rows go on coming, and wait.
 *  Invariant: every live label is in exactly one of the two, and all labels in the graph are below all that wait.
 *  Must not know: files' names, threads, storage. */

import type { Clock } from '../model/clock.js';
import type { LabelFilter } from '../model/label-filter.js';
import { FIXED } from '../model/limits.js';
import { writeCheckpoint } from './checkpoint-folder.js';
import { FlatRows } from './flat-rows.js';
import type { FileCheck } from './hashed-file.js';
import { HnswFileCheck } from './hnsw-file.js';
import { HnswGraph } from './hnsw-graph.js';
import { SlicedHealthLook } from './index-health.js';
import { SlicedScan, SPARE } from './index-scan.js';
import { best, columnsOf, hitsOf } from './nearest.js';
import { type PreparedQuery, prepareQuery } from './prepared-query.js';
import { RenewingGraph } from './renewing-graph.js';
import type {
  CheckpointHead,
  HealthLook,
  IndexHits,
  IndexParameters,
  IndexScan,
  IndexStatus,
  ScanOptions,
  SearchOptions,
  VectorIndex,
} from './vector-index.js';

export interface IndexLimits {
  /** Beyond this many live points, or this many bytes of vectors, there is a graph. */
  readonly flatPointsMax: number;
  readonly flatBytesMax: number;
  /** So many bytes of rows may wait for the graph before the index is crowded. */
  readonly waitingBytesMax: number;
  /** A graph with fewer removed points than this is not rebuilt. */
  readonly rebuildTombstonesMin: number;
}

const NO_LOOK: HealthLook = { advance: () => true, health: () => null };
/** While a checkpoint is written and no more rows may wait, this passes until the next look. */
const SAVING_LOOK_MS = 20;
const NO_WALK = { visited: 0, rejected: 0, stopped: false, reached: true };

export class TieredIndex implements VectorIndex {
  readonly parameters: IndexParameters;
  readonly #limits: IndexLimits;
  readonly #clock: Clock;
  readonly #rows: FlatRows;
  #graph: RenewingGraph | null;
  /** Labels come in ascending order, so that none comes back: the next one is at least this. */
  #nextLabel: number;
  /** Of graphs in which nothing was left. */
  #earlierRebuilds = 0;
  #earlierInserts = 0;
  #saving = false;
  #closed = false;

  /** @param graph what answers from the start, or null  @param nextLabel the least label that may be added */
  constructor(parameters: IndexParameters, limits: IndexLimits, clock: Clock, graph: RenewingGraph | null, nextLabel: number) {
    this.parameters = parameters;
    this.#limits = limits;
    this.#clock = clock;
    this.#rows = new FlatRows(parameters.dimension, parameters.distance);
    this.#graph = graph;
    this.#nextLabel = nextLabel;
    this.#leaveEmptyGraph();
  }

  add(label: number, vector: Float32Array, replaces: number | null): void {
    this.#mustBeOpen();
    if (!Number.isInteger(label) || label < 0 || label > FIXED.labelMax) throw new RangeError(`label ${label} is out of range`);
    if (label < this.#nextLabel) throw new RangeError(`label ${label} is not beyond those before`);
    if (vector.length !== this.parameters.dimension) throw new RangeError(`label ${label} has ${vector.length} components`);
    for (const value of vector) if (!Number.isFinite(value)) throw new RangeError('a vector has a component that is not finite');
    this.#rows.add(label, vector);
    this.#nextLabel = label + 1;
    if (replaces !== null) this.remove(replaces);
    this.#beginGraph();
  }

  remove(label: number): void {
    this.#mustBeOpen();
    if (!this.#rows.remove(label)) this.#graph?.remove(label);
    if (!this.#saving) this.#settle();
  }

  #settle(): void {
    this.#graph?.settle();
    this.#leaveEmptyGraph();
  }

  has(label: number): boolean {
    return this.#rows.has(label) || (this.#graph?.has(label) ?? false);
  }

  liveLabels(): Uint32Array {
    const inGraph = this.#graph?.liveLabels() ?? new Uint32Array(0);
    const all = new Uint32Array(inGraph.length + this.#rows.size);
    all.set(inGraph);
    all.set(this.#rows.liveLabels(), inGraph.length);
    return all;
  }

  search(query: Float32Array, limit: number, ef: number, options: SearchOptions = {}): IndexHits {
    const prepared = this.#prepare(query, limit);
    const { filter = null, visitsMax = 0 } = options;
    const rows = this.#rows.search(query, limit, filter);
    if (this.#graph === null) return { ...rows, ...NO_WALK, exact: true };
    const found = this.#graph.search(prepared, { limit, ef: Math.max(ef, limit), visitsMax }, filter);
    const { visited, rejected, stopped, reached } = found;
    const walk = { scanned: rows.scanned, visited, rejected, stopped, reached, exact: false };
    // What waits must not make up in number for what the graph did not reach.
    if (!reached) return { labels: new Uint32Array(0), scores: new Float64Array(0), ...walk };
    const { distance } = this.parameters;
    const waiting = hitsOf(rows.labels, rows.scores);
    const ranked = waiting.length === 0 ? found.hits : best(distance, found.hits.concat(waiting), limit);
    const hits = found.unranked.length === 0 ? ranked : best(distance, ranked.concat(found.unranked), Number.POSITIVE_INFINITY);
    return { ...columnsOf(hits), ...walk };
  }

  scan(query: Float32Array, limit: number, filter: LabelFilter | null, { candidates = limit }: ScanOptions = {}): IndexScan {
    const prepared = this.#prepare(query, limit);
    const { distance, quantization } = this.parameters;
    const given = quantization === 'none' ? limit : Math.max(limit, candidates);
    const keptWhole = quantization === 'none' && distance !== 'cosine';
    const scanned = {
      rows: this.#rows.search(query, given + SPARE, filter),
      graph: this.#graph,
      endLabel: this.#rows.oldest() ?? this.#nextLabel,
      isThere: (label: number) => this.has(label),
    };
    return new SlicedScan({ query: prepared, limit, candidates: given, filter, keptWhole }, scanned, this.#clock);
  }

  #prepare(query: Float32Array, limit: number): PreparedQuery {
    this.#mustBeOpen();
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`limit is ${limit}, not an integer from 1`);
    return prepareQuery(this.parameters.distance, this.parameters.dimension, query);
  }

  lookAtHealth(sampleMax: number): HealthLook {
    this.#mustBeOpen();
    return this.#graph === null ? NO_LOOK : new SlicedHealthLook(this.#graph, sampleMax, this.#clock);
  }

  renew(): boolean {
    this.#mustBeOpen();
    return !this.#saving && (this.#graph?.renew() ?? false);
  }

  get crowded(): boolean {
    if (this.#graph === null) return false;
    return this.#rows.size * this.parameters.dimension * 4 >= this.#limits.waitingBytesMax;
  }

  work(budgetMs: number): number | null {
    if (this.#closed || this.#graph === null) return null;
    if (this.#saving) return this.crowded ? SAVING_LOOK_MS : null;
    const untilMs = this.#clock.monotonicMs() + budgetMs;
    for (let label = this.#rows.oldest(); label !== null; label = this.#rows.oldest()) {
      this.#graph.add(label, this.#rows.vectorOf(label));
      this.#rows.remove(label);
      if (this.#clock.monotonicMs() >= untilMs) return 0;
    }
    return this.#graph.work(Math.max(0, untilMs - this.#clock.monotonicMs()));
  }

  get inserts(): number {
    return this.#earlierInserts + (this.#graph?.inserts ?? 0);
  }

  status(): IndexStatus {
    const rows = this.#rows;
    const rebuilds = this.#earlierRebuilds + (this.#graph?.rebuilds ?? 0);
    if (this.#graph === null) {
      const { size, memoryBytes } = rows;
      return { kind: 'flat', live: size, tombstones: 0, unranked: 0, memoryBytes, waiting: 0, growing: 0, rebuilds };
    }
    const { live, tombstones, unranked, growing, memoryBytes } = this.#graph;
    return {
      kind: 'graph',
      live: live + rows.size,
      tombstones,
      unranked,
      memoryBytes: memoryBytes + rows.memoryBytes,
      waiting: rows.size,
      growing,
      rebuilds,
    };
  }

  async save(folder: string, head: Omit<CheckpointHead, 'format' | 'parameters'>): Promise<number> {
    this.#mustBeOpen();
    const graph = this.#graph;
    if (graph === null || graph.live === 0) throw new Error('there is no graph to be saved');
    if (this.#saving) throw new Error('a checkpoint is being written already');
    // What waits is not in the files: whoever opens them adds it again.
    const nextLabel = this.#rows.oldest() ?? head.nextLabel;
    this.#saving = true;
    try {
      // An empty graph cannot be read back. Nothing is lost without it: the other one has every point then.
      const parts = graph.graphs
        .filter(({ places }) => places > 0)
        .map((part) => ({
          live: part.live,
          ...part.marks(),
          write: (path: string) => part.write(path),
          check: (bytes: number): FileCheck => new HnswFileCheck(this.parameters, bytes),
        }));
      return await writeCheckpoint(folder, { ...head, nextLabel, format: 4, parameters: this.parameters }, parts);
    } finally {
      this.#saving = false;
      if (this.#closed) this.#free();
      else this.#settle();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The native writer still reads the graph while a save runs; save() then frees it.
    if (!this.#saving) this.#free();
  }

  #free(): void {
    this.#graph?.free();
    this.#graph = null;
  }

  #beginGraph(): void {
    if (this.#graph !== null || !this.#areMany()) return;
    const empty = HnswGraph.create(this.parameters);
    this.#graph = new RenewingGraph(this.parameters, this.#limits.rebuildTombstonesMin, this.#clock, empty, null);
  }

  #areMany(): boolean {
    const { size } = this.#rows;
    return size > this.#limits.flatPointsMax || size * this.parameters.dimension * 4 > this.#limits.flatBytesMax;
  }

  /** A graph that lost its last point is given up; so is one that never had any, when its rows are few again. */
  #leaveEmptyGraph(): void {
    const graph = this.#graph;
    if (graph === null || graph.live > 0) return;
    const used = graph.graphs.some(({ places }) => places > 0);
    if (!used && this.#areMany()) return;
    this.#earlierRebuilds += graph.rebuilds + (used ? 1 : 0);
    this.#earlierInserts += graph.inserts;
    this.#free();
    this.#beginGraph();
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Error('the index is closed');
  }
}
