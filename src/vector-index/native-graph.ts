/** What Skein needs of a native HNSW graph, and what both of its makers give: our addon (native/) and hnswlib-node's binary
 *  (library-graph.ts).
 *
 *  A place is a point inside the graph, for good. Labels stand for places: one the place's own, others (twins) joined to it. A removed
 *  label leaves its place as a way through; a place is an answer while a label of it is live, ranked, and passes the filter.
 *  Every call checks what could harm the process and throws. Synchronous but read() and write(); while one of those runs, calls that
 *  would change the graph throw. Must not know: which labels come next, rows, files' names. */

import type { Distance } from '../model/distance.js';
import type { LabelFilter } from '../model/label-filter.js';
import type { VectorForm } from './vector-index.js';

export interface NativeGraph {
  /** Makes it empty. @param capacity places  @throws Error when there is no memory for them */
  create(capacity: number, m: number, efConstruct: number, seed: number): void;
  /** Reads a file that was verified down to its last byte (hnsw-file.ts); every label in it is live and ranked then. */
  read(path: string): Promise<void>;
  /** Does not notice a full disk: check the file afterwards. */
  write(path: string): Promise<void>;
  /** Gives the memory back now; the object is empty afterwards. */
  free(): void;
  resize(capacity: number): void;
  /** Places, and how many fit. */
  readonly count: number;
  readonly capacity: number;
  /** Resident bytes of one place with its vector and links, of one that is still free, and of the rest. */
  readonly placeBytes: number;
  readonly freePlaceBytes: number;
  readonly ownBytes: number;

  /** Takes vector × factor in the graph's form, for insert(). @returns a hash of the form's bits
   *  @throws RangeError on a component that is not finite, or another dimension */
  load(vector: Float32Array, factor: number): number;
  /** The same with what another graph of the same parameters keeps for a live label. */
  loadFrom(other: NativeGraph, label: number): number;
  /** Does the place of a label keep what was loaded, bit for bit? False for a label that is not live. */
  holdsLoaded(label: number): boolean;
  /** Puts what was loaded inside. @param label live in no place  @param ranked false: no walk answers with it */
  insert(label: number, ranked: boolean): void;
  /** Makes a label a twin: it stands for the place of `front`. @param front a live label, or the own label of a place */
  join(front: number, label: number, ranked: boolean): void;
  /** A label that is not live is ignored. Also while the graph is written. */
  remove(label: number): void;
  /** What insert(label, false) would have done, for a live label after read(). */
  hide(label: number): void;

  /** A walk to the nearest places, best first. */
  search(query: Float32Array, factor: number, bounds: WalkBounds, filter: LabelFilter | null): NativeHits;
  /** How many live ranked labels pass, `most` at most. Cost: a read for each, and the words of the filter between them. */
  matches(filter: LabelFilter, most: number): number;
  /** Looks at the live ranked labels of a range that pass, ascending, one by one, as many as the block has room for. */
  scan(query: Float32Array, range: ScanRange, filter: LabelFilter | null, block: ScanBlock): void;
  /** What scan() measures, for one live label, ranked or not, of its kept vector × factor in float32. @throws Error for one not live */
  measure(query: Float32Array, label: number, factor: number): number;
  /** The kept vector of a live label as float32. @throws Error for one that is not live */
  vectorOf(label: number): Float32Array;
  /** Links to each live place on the ground level. Null: unknown. */
  links(): NativeLinks | null;
}

export interface WalkBounds {
  readonly limit: number;
  /** hnswlib's ef, ≥ limit; only places that may be answers count. */
  readonly ef: number;
  /** 0: no bound. */
  readonly visitsMax: number;
}

export interface NativeHits {
  readonly labels: Uint32Array;
  /** Of cosine and euclid the squared distance, of dot 1 − the product, in float32, of what is kept and query × factor. */
  readonly distances: Float32Array;
  /** Places whose distance was computed; 0 where the maker does not count them. */
  readonly visited: number;
  readonly rejected: number;
  readonly stopped: boolean;
}

export interface ScanRange {
  /** Labels from `from` to below `to`. */
  readonly from: number;
  readonly to: number;
  /** Only labels whose measure is at most this are given. */
  readonly most: number;
}

/** Filled by scan(): the smaller a measure, the nearer. dot and cosine: the product's negative, euclid: the distance, over what is kept,
 *  in float64 (in the lanes of model/distance.ts where float32 is kept). */
export interface ScanBlock {
  readonly labels: Uint32Array;
  readonly measures: Float64Array;
  /** How many were given, how many were looked at, and the next label to look at: `to` when none is left. */
  readonly state: Float64Array;
}

export const SCAN_GIVEN = 0;
export const SCAN_LOOKED = 1;
export const SCAN_NEXT = 2;

export interface NativeLinks {
  readonly live: number;
  readonly orphans: number;
  readonly least: number;
  readonly mean: number;
}

/** @throws Error when the maker cannot keep vectors in this form */
export type NativeGraphConstructor = new (distance: Distance, dimension: number, form: VectorForm) => NativeGraph;
