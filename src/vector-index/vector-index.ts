/** The door of the vector index: approximate and exact nearest neighbours over labels, owned by one worker thread.
 *
 *  Few points (limits.flatPointsMax and flatBytesMax): kept flat, searched exactly, no graph. More: an HNSW graph (hnswlib-node), and
 *  beside it the rows that wait for their place in it, searched exactly; so a point is found from the turn in which it is added.
 *  Labels are added in ascending order, may be removed once, and never come back; removal leaves a tombstone until a rebuild, which the
 *  index makes by itself, in slices.
 *  Synchronous calls are short turns; long work (filling the graph, saving, loading) is sliced or asynchronous.
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
  /** Points that were compared one by one. */
  readonly scanned: number;
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
  readonly format: 3;
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
   *  @returns no hits, though there are live points, when the graph cannot rank the query, or too many of its points, or does not reach as
   *  many as it has: whoever promises all of them looks exactly then. Cost: about ef / (1 − tombstone share) · log(n) distances, and one
   *  for each point that waits. */
  search(query: Float32Array, limit: number, ef: number): IndexHits;
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
