/** The index behind the door: flat while it is small, a graph once it has grown, both while it grows.
 *
 *    flat ─► growing (flat answers, the graph is filled) ─► graph ─ nothing alive in it ─► flat
 *
 *  While growing, every add moves two rows into the graph, so growth ends however fast points arrive, and work() does the rest.
 *  Invariant: in any turn exactly one of flat and graph answers, and it has every live label. Labels come in ascending order.
 *  Must not know: files' names, threads, storage. */

import type { Clock } from '../model/clock.js';
import { FIXED } from '../model/limits.js';
import { writeCheckpoint } from './checkpoint-folder.js';
import { writeFlatFile } from './flat-file.js';
import { FlatRows } from './flat-rows.js';
import type { FileCheck } from './hashed-file.js';
import { HnswFileCheck } from './hnsw-file.js';
import { HnswGraph, NO_MARKS } from './hnsw-graph.js';
import { RenewingGraph } from './renewing-graph.js';
import type { CheckpointHead, IndexHits, IndexParameters, IndexStatus, VectorIndex } from './vector-index.js';

export interface IndexLimits {
  /** Beyond this many live points, or this many bytes of vectors, a graph is grown. */
  readonly flatPointsMax: number;
  readonly flatBytesMax: number;
  /** A graph with fewer removed points than this is not rebuilt. */
  readonly rebuildTombstonesMin: number;
}

const ROWS_PER_ADD = 2;
/** Nothing to look for: the bytes were written by this process, with errors reported. */
const NO_CHECK: FileCheck = { feed() {}, end() {} };

export class GrowingIndex implements VectorIndex {
  readonly parameters: IndexParameters;
  readonly #limits: IndexLimits;
  readonly #clock: Clock;
  #flat: FlatRows | null;
  #graph: RenewingGraph | null;
  /** Labels come in ascending order, so that none comes back: the next one is at least this. */
  #nextLabel: number;
  /** Of graphs that were left for flat rows. */
  #earlierRebuilds = 0;
  #earlierInserts = 0;
  /** The next flat row to go into the graph. */
  #nextRow = 0;
  #saving = false;
  #closed = false;

  /** @param content what answers from the start: rows, or a graph  @param nextLabel the least label that may be added */
  constructor(
    parameters: IndexParameters,
    limits: IndexLimits,
    clock: Clock,
    content: FlatRows | RenewingGraph,
    nextLabel: number,
  ) {
    this.parameters = parameters;
    this.#limits = limits;
    this.#clock = clock;
    this.#flat = content instanceof FlatRows ? content : null;
    this.#graph = content instanceof RenewingGraph ? content : null;
    this.#nextLabel = nextLabel;
    this.#beginGrowth();
    this.#leaveEmptyGraph();
  }

  add(label: number, vector: Float32Array, replaces: number | null): void {
    this.#mustBeQuiet();
    if (!Number.isInteger(label) || label < 0 || label > FIXED.labelMax) throw new RangeError(`label ${label} is out of range`);
    if (label < this.#nextLabel) throw new RangeError(`label ${label} is not beyond those before`);
    if (vector.length !== this.parameters.dimension) throw new RangeError(`label ${label} has ${vector.length} components`);
    if (this.#flat === null) this.#answering().add(label, vector);
    else this.#addFlat(this.#flat, label, vector);
    this.#nextLabel = label + 1;
    if (replaces !== null) this.remove(replaces);
  }

  #addFlat(flat: FlatRows, label: number, vector: Float32Array): void {
    for (const value of vector) if (!Number.isFinite(value)) throw new RangeError('a vector has a component that is not finite');
    flat.add(label, vector);
    this.#beginGrowth();
    for (let moved = 0; moved < ROWS_PER_ADD && this.#moveRow(); moved++);
  }

  remove(label: number): void {
    this.#mustBeQuiet();
    this.#answering().remove(label);
    if (this.#flat !== null) this.#graph?.remove(label);
    else this.#leaveEmptyGraph();
  }

  has(label: number): boolean {
    return this.#answering().has(label);
  }

  liveLabels(): Uint32Array {
    return this.#answering().liveLabels();
  }

  search(query: Float32Array, limit: number, ef: number): IndexHits {
    if (query.length !== this.parameters.dimension) throw new RangeError(`a query has ${query.length} components`);
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`limit is ${limit}, not an integer from 1`);
    if (this.#flat !== null) return this.#flat.search(query, limit);
    return { labels: this.#answeringGraph().search(query, limit, ef), scores: null };
  }

  work(budgetMs: number): number | null {
    if (this.#closed || this.#saving || this.#graph === null) return null;
    if (this.#flat === null) return this.#graph.work(budgetMs);
    const until = this.#clock.monotonicMs() + budgetMs;
    while (this.#moveRow()) if (this.#clock.monotonicMs() >= until) return 0;
    return 0;
  }

  get inserts(): number {
    return this.#earlierInserts + (this.#graph?.inserts ?? 0);
  }

  status(): IndexStatus {
    const flat = this.#flat;
    const graph = this.#graph;
    const memoryBytes = (flat?.memoryBytes ?? 0) + (graph?.memoryBytes ?? 0);
    const rebuilds = this.#earlierRebuilds + (graph?.rebuilds ?? 0);
    if (flat === null) {
      const { live, tombstones, unranked, growing } = graph ?? { live: 0, tombstones: 0, unranked: 0, growing: 0 };
      return { kind: 'graph', live, tombstones, unranked, memoryBytes, growing, rebuilds };
    }
    const growing = graph === null ? 0 : flat.rows - this.#nextRow;
    return { kind: 'flat', live: flat.size, tombstones: 0, unranked: 0, memoryBytes, growing, rebuilds };
  }

  async save(folder: string, head: Omit<CheckpointHead, 'format' | 'parameters'>): Promise<number> {
    this.#mustBeQuiet();
    const full: CheckpointHead = { ...head, format: 3, parameters: this.parameters };
    const flat = this.#flat;
    const { dimension } = this.parameters;
    this.#saving = true;
    try {
      if (flat !== null) {
        const part = { live: flat.size, ...NO_MARKS, write: (path: string) => writeFlatFile(path, dimension, flat) };
        return await writeCheckpoint(folder, full, 'flat', [{ ...part, check: () => NO_CHECK }]);
      }
      // An empty graph cannot be read back. Nothing is lost without it: the other one has every point then.
      const graphs = this.#answeringGraph().graphs.filter(({ places }) => places > 0);
      const parts = graphs.map((graph) => ({
        live: graph.live,
        ...graph.marks(),
        write: (path: string) => graph.write(path),
        check: (bytes: number): FileCheck => new HnswFileCheck(this.parameters, bytes),
      }));
      return await writeCheckpoint(folder, full, 'graph', parts);
    } finally {
      this.#saving = false;
      if (this.#closed) this.#free();
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
    this.#flat = null;
  }

  #beginGrowth(): void {
    if (this.#flat === null || this.#graph !== null) return;
    const live = this.#flat.size;
    if (live <= this.#limits.flatPointsMax && live * this.parameters.dimension * 4 <= this.#limits.flatBytesMax) return;
    this.#flat.pin();
    this.#nextRow = 0;
    this.#graph = new RenewingGraph(
      this.parameters,
      this.#limits.rebuildTombstonesMin,
      this.#clock,
      HnswGraph.create(this.parameters),
      null,
    );
  }

  #leaveEmptyGraph(): void {
    if (this.#flat !== null || this.#graph === null || this.#graph.live > 0) return;
    this.#earlierRebuilds += this.#graph.rebuilds + 1;
    this.#earlierInserts += this.#graph.inserts;
    this.#graph.free();
    this.#graph = null;
    this.#flat = new FlatRows(this.parameters.dimension, this.parameters.distance);
  }

  /** Puts one more row into the growing graph; the last one makes the graph answer. @returns true when a row is left */
  #moveRow(): boolean {
    const flat = this.#flat;
    const graph = this.#graph;
    if (flat === null || graph === null) return false;
    while (this.#nextRow < flat.rows) {
      const row = this.#nextRow++;
      const label = flat.labelAt(row);
      if (label === null) continue;
      graph.add(label, flat.vectorAt(row));
      break;
    }
    if (this.#nextRow < flat.rows) return true;
    this.#flat = null;
    this.#leaveEmptyGraph();
    return false;
  }

  #answering(): FlatRows | RenewingGraph {
    return this.#flat ?? this.#answeringGraph();
  }

  #answeringGraph(): RenewingGraph {
    if (this.#graph === null || this.#closed) throw new Error('the index is closed');
    return this.#graph;
  }

  #mustBeQuiet(): void {
    if (this.#closed) throw new Error('the index is closed');
    if (this.#saving) throw new Error('a checkpoint is being written: changes wait for it');
  }
}
