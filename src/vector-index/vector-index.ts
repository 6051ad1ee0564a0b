/** The door of the vector index: approximate and exact nearest neighbours over labels, owned by one worker thread.
 *
 *  Few points (limits.flatPointsMax and flatBytesMax): kept flat, searched exactly, no graph. More: an HNSW graph (hnswlib-node).
 *  Labels are added in ascending order, may be removed once, and never come back; removal leaves a tombstone until a rebuild, which the
 *  index makes by itself, in slices.
 *  Synchronous calls are short turns; long work (growing from flat to graph, saving, loading) is sliced or asynchronous.
 *
 *  Must not know: ids, payloads, storage, threads. The store is the truth; everything here can be rebuilt from it. */

import type { Distance } from '../model/distance.js';

export interface IndexParameters {
  readonly dimension: number;
  readonly distance: Distance;
  readonly m: number;
  readonly efConstruct: number;
}

export interface IndexHits {
  /** Best first, all live, no duplicates; at most `limit`, and with a graph behind them all points that it cannot rank, up to 64. */
  readonly labels: Uint32Array;
  /** Exact scores (model/distance.ts) where they were computed here (flat); null where the caller must score (graph). */
  readonly scores: Float64Array | null;
}

export interface IndexStatus {
  readonly kind: 'flat' | 'graph';
  readonly live: number;
  readonly tombstones: number;
  /** Live points so long or so short (scale.ts) that the graph cannot rank them. Up to 64 come with every answer; beyond, it gives none. */
  readonly unranked: number;
  /** Resident bytes, estimated from counts and parameters (docs/BENCHMARKS.md shows the measured figure). */
  readonly memoryBytes: number;
  /** Points still to be put into the next graph, while one is growing (kind flat) or the graph is rebuilt (kind graph); else 0. */
  readonly growing: number;
  /** Rebuilds that ended since this object was made. */
  readonly rebuilds: number;
}

/** What a checkpoint file belongs to and what it holds; stored beside it as JSON. */
export interface CheckpointHead {
  readonly format: 3;
  readonly uid: number;
  readonly labelGeneration: number;
  /** Everything up to this seq is inside. */
  readonly seq: number;
  /** Labels below this were offered to the index. */
  readonly nextLabel: number;
  readonly parameters: IndexParameters;
}

export interface VectorIndex {
  readonly parameters: IndexParameters;
  /** Adds a label and tombstones `replaces` in the same turn, so that a search sees one of the two, never both, never neither.
   *  @param label beyond every label before
   *  @param vector length = dimension, finite, as given by the user (a normalised copy is made for cosine).
   *  Cost: one HNSW insert; while the graph is rebuilt up to five, on an average less than two.
   *  @throws RangeError on a label that is not beyond those before, and on a vector that breaks its promise; nothing is done then */
  add(label: number, vector: Float32Array, replaces: number | null): void;
  /** Tombstones a label; a label that is not inside is ignored. */
  remove(label: number): void;
  has(label: number): boolean;
  /** Labels inside and alive, ascending. */
  liveLabels(): Uint32Array;
  /** @param limit ≥ 1, may exceed the live count  @param ef raised to limit when smaller; flat ignores it
   *  @returns fewer than min(limit, live) hits when the graph has live points that cannot be reached from the query, none when it cannot
   *  rank the query or too many of its points: whoever promises all of them looks exactly then. Cost: about ef / (1 − tombstone share) · log(n) distances. */
  search(query: Float32Array, limit: number, ef: number): IndexHits;
  /** Does a slice of what is pending beside changes: growth from flat to graph, a rebuild.
   *  @returns milliseconds until it should be called again (0: at once), or null: there is nothing to do before the next change */
  work(budgetMs: number): number | null;
  status(): IndexStatus;
  /** Points put into graphs since this object was made, moves of a rebuild included: the measure of its work. */
  readonly inserts: number;
  /** Writes a checkpoint into `folder` (temporary file, fsync, rename, fsync of the folder) and removes older ones there.
   *  While it runs, searches go on and mutations must wait for the promise: they throw. Nothing older is removed before the new one is
   *  durable, whatever fails. Two saves into one folder at a time are safe; the one committed last stays.
   *  @returns bytes written  @throws Error when the files could not be written whole */
  save(folder: string, head: Omit<CheckpointHead, 'format' | 'parameters'>): Promise<number>;
  /** Gives the native memory back at once (the garbage collector does not see its size); after a running save, if there is one.
   *  Every other call throws or answers nothing from then on. */
  close(): void;
}

/** What opening a checkpoint gave: an index on a fresh native object, or why the files were not trusted ('none': there are none). */
export type OpenedCheckpoint = { readonly index: VectorIndex; readonly head: CheckpointHead } | { readonly refused: string };
