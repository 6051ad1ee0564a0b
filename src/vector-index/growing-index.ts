/** The index behind the door: flat while it is small, a graph once it has grown, both while it grows.
 *
 *    flat ─► growing (flat answers, the graph is filled) ─► graph
 *
 *  While growing, every add moves two rows into the graph, so growth ends however fast points arrive, and work() does the rest.
 *  Invariant: in any turn exactly one of flat and graph answers, and it has every live label. A label comes once.
 *  Must not know: files' names, threads, storage. */

import type { Clock } from '../model/clock.js';
import { FIXED } from '../model/limits.js';
import { writeCheckpoint } from './checkpoint-folder.js';
import { writeFlatFile } from './flat-file.js';
import { FlatRows } from './flat-rows.js';
import type { FileCheck } from './hashed-file.js';
import { HnswFileCheck } from './hnsw-file.js';
import { HnswGraph, NO_MARKS } from './hnsw-graph.js';
import { LabelSet } from './label-set.js';
import type { CheckpointHead, IndexHits, IndexParameters, IndexStatus, VectorIndex } from './vector-index.js';

export interface GrowthLimits {
  /** Beyond this many live points, or this many bytes of vectors, a graph is grown. */
  readonly flatPointsMax: number;
  readonly flatBytesMax: number;
}

const ROWS_PER_ADD = 2;
/** Nothing to look for: the bytes were written by this process, with errors reported. */
const NO_CHECK: FileCheck = { feed() {}, end() {} };

export class GrowingIndex implements VectorIndex {
  readonly parameters: IndexParameters;
  readonly #limits: GrowthLimits;
  readonly #clock: Clock;
  /** Labels that were removed: they never come back. */
  readonly #removed: LabelSet;
  #flat: FlatRows | null;
  #graph: HnswGraph | null;
  /** The next flat row to go into the graph. */
  #nextRow = 0;
  #saving = false;
  #closed = false;

  /** @param content what answers from the start: rows, or a graph */
  constructor(
    parameters: IndexParameters,
    limits: GrowthLimits,
    clock: Clock,
    content: FlatRows | HnswGraph,
    removed: Uint32Array,
  ) {
    this.parameters = parameters;
    this.#limits = limits;
    this.#clock = clock;
    this.#removed = new LabelSet(removed);
    this.#flat = content instanceof FlatRows ? content : null;
    this.#graph = content instanceof HnswGraph ? content : null;
    this.#beginGrowth();
  }

  add(label: number, vector: Float32Array, replaces: number | null): void {
    this.#mustBeQuiet();
    if (!Number.isInteger(label) || label < 0 || label > FIXED.labelMax) throw new RangeError(`label ${label} is out of range`);
    if (this.has(label) || this.#removed.has(label)) throw new RangeError(`label ${label} was used before`);
    if (vector.length !== this.parameters.dimension) throw new RangeError(`label ${label} has ${vector.length} components`);
    if (this.#flat === null) this.#answering().add(label, vector);
    else this.#addFlat(this.#flat, label, vector);
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
    const known = this.#answering().remove(label);
    if (known) this.#removed.add(label);
    if (this.#flat !== null) this.#graph?.remove(label);
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

  work(budgetMs: number): boolean {
    if (this.#closed || this.#flat === null || this.#graph === null) return false;
    const until = this.#clock.monotonicMs() + budgetMs;
    while (this.#moveRow()) if (this.#clock.monotonicMs() >= until) return this.#flat !== null;
    return false;
  }

  status(): IndexStatus {
    const flat = this.#flat;
    const graph = this.#graph;
    const memoryBytes = (flat?.memoryBytes ?? 0) + (graph?.memoryBytes ?? 0) + this.#removed.memoryBytes;
    if (flat === null) {
      const { live, tombstones, unranked } = graph ?? { live: 0, tombstones: 0, unranked: 0 };
      return { kind: 'graph', live, tombstones, unranked, memoryBytes, growing: 0 };
    }
    const growing = graph === null ? 0 : flat.rows - this.#nextRow;
    return { kind: 'flat', live: flat.size, tombstones: 0, unranked: 0, memoryBytes, growing };
  }

  async save(folder: string, head: Omit<CheckpointHead, 'format' | 'parameters'>): Promise<number> {
    this.#mustBeQuiet();
    const full: CheckpointHead = { ...head, format: 2, parameters: this.parameters };
    const flat = this.#flat;
    const { dimension } = this.parameters;
    this.#saving = true;
    try {
      if (flat !== null) {
        const source = { kind: 'flat', live: flat.size, ...NO_MARKS } as const;
        return await writeCheckpoint(folder, full, {
          ...source,
          write: (path) => writeFlatFile(path, dimension, flat),
          check: () => NO_CHECK,
        });
      }
      const graph = this.#answeringGraph();
      const source = { kind: 'graph', live: graph.live, ...graph.marks() } as const;
      const check = (bytes: number): FileCheck => new HnswFileCheck(this.parameters, bytes);
      return await writeCheckpoint(folder, full, { ...source, write: (path) => graph.write(path), check });
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
    this.#graph = HnswGraph.create(this.parameters);
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
    return false;
  }

  #answering(): FlatRows | HnswGraph {
    return this.#flat ?? this.#answeringGraph();
  }

  #answeringGraph(): HnswGraph {
    if (this.#graph === null || this.#closed) throw new Error('the index is closed');
    return this.#graph;
  }

  #mustBeQuiet(): void {
    if (this.#closed) throw new Error('the index is closed');
    if (this.#saving) throw new Error('a checkpoint is being written: changes wait for it');
  }
}
