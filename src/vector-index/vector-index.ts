/** The door of the vector index: approximate and exact nearest neighbours over labels, owned by one worker thread.
 *
 *  Few points (limits.flatPointsMax and flatBytesMax): kept flat, searched exactly, no graph. More: an HNSW graph (native.ts), and
 *  beside it the rows that wait for their place in it, searched exactly; so a point is found from the turn in which it is added.
 *  Labels are added in ascending order, may be removed once, and never come back; removal leaves a tombstone until a rebuild, which the
 *  index makes by itself, in slices.
 *  Synchronous calls are short turns; long work (filling the graph, saving, loading) is sliced or asynchronous.
 *
 *  Must not know: ids, payloads, storage, threads. The store is the truth; everything here can be rebuilt from it. */

import type { Distance } from '../model/distance.js';
import type { LabelFilter } from '../model/label-filter.js';

/** How the graph keeps its copies of the vectors: as float32, or in half or a quarter of that. Rows are always kept whole. */
export const VECTOR_FORMS = ['none', 'float16', 'int8'] as const;
export type VectorForm = (typeof VECTOR_FORMS)[number];

export interface IndexParameters {
  readonly dimension: number;
  readonly distance: Distance;
  readonly m: number;
  readonly efConstruct: number;
  readonly quantization: VectorForm;
}

/** What one search found and what it did for it. */
export interface IndexHits {
  /** Best first by `scores`, all live, all in the filter, no duplicates; at most `limit`, and of a search that went through a graph all
   *  points that it cannot rank, up to 64, wherever their scores put them. */
  readonly labels: Uint32Array;
  /** One a label, with the meaning of model/distance.ts. */
  readonly scores: Float64Array;
  /** The scores are those of model/distance.ts to the last bit. Else they are near: of float32 about 1e-6 off, of quantized copies more,
   *  and whoever shows them computes them from the rows. */
  readonly exact: boolean;
  /** Points that were compared one by one. */
  readonly scanned: number;
  /** Places of the graph whose distance was computed; 0 where the native library does not count them. */
  readonly visited: number;
  /** Of those, how many may not be answers: removed, or not in the filter. */
  readonly rejected: number;
  /** The walk through the graph ended at visitsMax: there may be nearer points, also when there are `limit` hits. */
  readonly stopped: boolean;
  /** False: there are no hits, though there may be points. The graph cannot rank the query, or too many of its points, or did not reach as
   *  many as there are; whoever promises all of them scans then. */
  readonly reached: boolean;
}

export interface SearchOptions {
  /** Only these labels may be answers; left out or null: all. */
  readonly filter?: LabelFilter | null;
  /** So many places of each graph are visited at most, about; left out: as many as it takes, all of them where the filter is far away. */
  readonly visitsMax?: number;
}

export interface ScanOptions {
  /** How many a quantized graph gives, ≥ limit, so that the caller can order them by their rows; others give `limit` and some ties. */
  readonly candidates?: number;
}

/** One look at every point, in slices. Between them the index may change: new points may be missed, removed ones are not given. */
export interface IndexScan {
  /** Looks for about budgetMs, a thousand points at least. @returns true when all were looked at */
  advance(budgetMs: number): boolean;
  /** What was found, once, when advance() gave true: the true best `limit` where vectors are kept as float32, best first, and behind
   *  them up to 64 that could change places with the last of these (cosine only: copies of length 1 are rounded; scale.ts has the bound).
   *  `exact` where no rounding is between the copies and the vectors: rows, dot, euclid. */
  hits(): IndexHits;
}

/** How well the graph holds together. */
export interface IndexHealth {
  /** Points that were looked for, and how many of them their own vector found at ef 64. */
  readonly sampled: number;
  readonly reachable: number;
  /** Live places that no other place links to on the ground level. */
  readonly orphans: number;
  /** Links to a live place on the ground level. */
  readonly inDegreeMin: number;
  readonly inDegreeMean: number;
}

/** A look at the graph, in slices. Between them the index may change: what is not there any more is not looked for. */
export interface HealthLook {
  /** Looks for about budgetMs, once at least. @returns true when it is over */
  advance(budgetMs: number): boolean;
  /** What was seen, once advance() gave true. Null: there is no graph, or its library cannot tell. */
  health(): IndexHealth | null;
}

export interface IndexStatus {
  readonly kind: 'flat' | 'graph';
  readonly live: number;
  readonly tombstones: number;
  /** Live points so long or so short (scale.ts) that the graph cannot rank them. Up to 64 come with every answer; beyond, it gives none. */
  readonly unranked: number;
  /** Resident bytes, estimated from counts and parameters (docs/BENCHMARKS.md shows the measured figure). */
  readonly memoryBytes: number;
  /** Live points that wait for their place in the graph; 0 without one. */
  readonly waiting: number;
  /** Points still to be moved into the next graph while the graph is rebuilt, else 0. */
  readonly growing: number;
  /** Rebuilds that ended since this object was made. */
  readonly rebuilds: number;
}

/** What a checkpoint file belongs to and what it holds; stored beside it as JSON. */
export interface CheckpointHead {
  readonly format: 4;
  readonly uid: number;
  readonly labelGeneration: number;
  /** Everything up to this seq is inside. */
  readonly seq: number;
  /** Labels below this were offered to the graph. */
  readonly nextLabel: number;
  readonly parameters: IndexParameters;
}

export interface VectorIndex {
  readonly parameters: IndexParameters;
  /** Adds a label and tombstones `replaces` in the same turn, so that a search sees one of the two, never both, never neither.
   *  @param label beyond every label before
   *  @param vector length = dimension, finite, as given by the user (a normalised copy is made for cosine).
   *  Cost: one copy; the graph's share of the work is done by work().
   *  @throws RangeError on a label that is not beyond those before, and on a vector that breaks its promise; nothing is done then */
  add(label: number, vector: Float32Array, replaces: number | null): void;
  /** Tombstones a label; a label that is not inside is ignored. */
  remove(label: number): void;
  has(label: number): boolean;
  /** Labels inside and alive, ascending. */
  liveLabels(): Uint32Array;
  /** @param limit ≥ 1, may exceed the live count  @param ef raised to limit when smaller; flat ignores it
   *  Cost: about ef / (share of live points that pass the filter) · log(n) distances, and one for each point that waits and passes; a
   *  filter of few labels is compared one by one instead. */
  search(query: Float32Array, limit: number, ef: number, options?: SearchOptions): IndexHits;
  /** @param limit as for search()  @param filter null: all. Cost: one distance a point that passes, about 60 ns at 128 dimensions. */
  scan(query: Float32Array, limit: number, filter: LabelFilter | null, options?: ScanOptions): IndexScan;
  /** Begins to look for up to `sampleMax` points, spread over all, and at every link.
   *  Cost: a search each, and first, in one slice, about 60 ms a million points for the links. */
  lookAtHealth(sampleMax: number): HealthLook;
  /** Begins to leave the graph for a fresh one, which work() then goes on with, as it does by itself when too many places are dead.
   *  @returns false when there is nothing to leave, or it is left or saved already: then nothing was begun */
  renew(): boolean;
  /** So much waits that whoever adds should let work() go first. */
  readonly crowded: boolean;
  /** Does a slice of what is pending: moves what waits into the graph (one HNSW insert each; while the graph is rebuilt up to five, on an
   *  average less than two), then goes on with a rebuild.
   *  @returns milliseconds until it should be called again (0: at once), or null: there is nothing to do before the next change */
  work(budgetMs: number): number | null;
  status(): IndexStatus;
  /** Points put into graphs since this object was made, moves of a rebuild included: the measure of its work. */
  readonly inserts: number;
  /** Writes a checkpoint into `folder` (temporary file, fsync, rename, fsync of the folder) and removes older ones there.
   *  It has what is in the graph when it begins, and its nextLabel is that of the first point that waits, if there is one. While it runs,
   *  searches and changes go on. Nothing older is removed before the new one is durable, whatever fails. Saves of different indexes into
   *  one folder at a time are safe; the one committed last stays.
   *  @returns bytes written  @throws Error when there is no graph, or a save is running, or the files could not be written whole */
  save(folder: string, head: Omit<CheckpointHead, 'format' | 'parameters'>): Promise<number>;
  /** Gives the native memory back at once (the garbage collector does not see its size); after a running save, if there is one.
   *  Every other call throws or answers nothing from then on. */
  close(): void;
}

/** What opening a checkpoint gave: an index on a fresh native object, or why the files were not trusted ('none': there are none). */
export type OpenedCheckpoint = { readonly index: VectorIndex; readonly head: CheckpointHead } | { readonly refused: string };
