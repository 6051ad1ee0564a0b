/** An HNSW graph of live and dead points, over a native graph (native-graph.ts).
 *
 *  cosine is the squared distance of copies of length 1: it tells near vectors apart where 1 − product rounds. Every label is added
 *  once; a removed one stays in the graph as a way through and is in no answer.
 *  Many copies of one vector would cut others off: all but a few stand behind one that is inside (twins.ts). Vectors that float32 cannot
 *  rank (scale.ts) are `#unranked`: no look into the graph finds them; they are kept times a power of two.
 *  Invariant: (live ∪ dead) − twins = the places of the native graph; unranked ⊂ live. Must not know: flat rows, checkpoint heads,
 *  other graphs. */

import { norm } from '../model/distance.js';
import type { LabelFilter } from '../model/label-filter.js';
import { LabelSet } from './label-set.js';
import { type LoadedNative, loadNative } from './native.js';
import type { NativeGraph, NativeLinks, ScanBlock, ScanRange, WalkBounds } from './native-graph.js';
import type { PreparedQuery } from './prepared-query.js';
import { scoreOfDistance, storedScale, unitScale } from './scale.js';
import { Twins } from './twins.js';
import type { IndexParameters } from './vector-index.js';

/** What belongs to a graph and is not in its native file. */
export interface GraphMarks {
  /** Labels in the file that were removed, ascending. */
  readonly removed: Uint32Array;
  /** Live labels that the graph cannot rank, ascending, each with the power of two that its kept vector must be multiplied with. */
  readonly unranked: ReadonlyMap<number, number>;
  /** Labels in the file that have twins, each with these. */
  readonly twins: ReadonlyMap<number, Uint32Array>;
}

export const NO_MARKS: GraphMarks = { removed: new Uint32Array(0), unranked: new Map(), twins: new Map() };

/** What a look into a graph found. */
export interface Look {
  /** Live ranked labels that pass, best first. */
  readonly labels: Uint32Array;
  readonly scores: Float64Array;
  readonly visited: number;
  readonly rejected: number;
  readonly stopped: boolean;
}

const RANDOM_SEED = 100;
const FIRST_CAPACITY = 1_024;
const CAPACITY_GROWTH = 1.5;
const HEALTH_EF = 64;
/** A map entry. */
const UNRANKED_BYTES = 60;

export class HnswGraph {
  readonly #parameters: IndexParameters;
  readonly #native: NativeGraph;
  readonly #live: LabelSet;
  readonly #dead: LabelSet;
  readonly #unranked: Map<number, number>;
  readonly #twins: Twins;

  private constructor(parameters: IndexParameters, native: NativeGraph, labels: Uint32Array, marks: GraphMarks) {
    this.#parameters = parameters;
    this.#native = native;
    this.#live = new LabelSet(labels);
    this.#dead = new LabelSet(marks.removed);
    this.#unranked = new Map(marks.unranked);
    this.#twins = new Twins(marks.twins);
    for (const [front, twins] of marks.twins)
      for (const label of twins) {
        this.#live.add(label);
        native.join(front, label, !this.#unranked.has(label));
      }
    for (const label of marks.removed) {
      if (!this.#live.delete(label)) throw new Error(`removed label ${label} is not in the graph`);
      native.remove(label);
    }
    for (const label of this.#unranked.keys()) {
      if (!this.#live.has(label)) throw new Error(`unranked label ${label} is not in the graph`);
      if (this.#twins.frontOf(label) === null) native.hide(label);
    }
  }

  /** @param capacity points that are expected: memory is reserved for them, and taken as they come
   *  @throws Error when there is no memory, or the native library cannot keep vectors in this form */
  static create(parameters: IndexParameters, capacity = 0): HnswGraph {
    const native = newNative(parameters);
    native.create(Math.max(FIRST_CAPACITY, capacity), parameters.m, parameters.efConstruct, RANDOM_SEED);
    return new HnswGraph(parameters, native, new Uint32Array(0), NO_MARKS);
  }

  /** Reads a file that was verified down to its last byte (hnsw-file.ts) into a fresh native object.
   *  @param labels what the file holds  @param marks what marks() gave when it was written
   *  @throws Error when the native code refuses the file or counts otherwise */
  static async open(parameters: IndexParameters, path: string, labels: Uint32Array, marks: GraphMarks): Promise<HnswGraph> {
    const native = newNative(parameters);
    await native.read(path);
    try {
      const { count } = native;
      if (count !== labels.length) throw new Error(`the graph holds ${count} labels instead of ${labels.length}`);
      return new HnswGraph(parameters, native, labels, marks);
    } catch (error) {
      native.free();
      throw error;
    }
  }

  get live(): number {
    return this.#live.size;
  }

  get tombstones(): number {
    return this.#dead.size;
  }

  /** Live labels that the graph cannot rank. */
  get unranked(): number {
    return this.#unranked.size;
  }

  unrankedLabels(): Uint32Array {
    return Uint32Array.from(this.#unranked.keys()).sort();
  }

  /** Places: points inside the native object, dead or alive, twins not counted. */
  get places(): number {
    return this.#native.count;
  }

  /** Resident bytes, estimated; docs/BENCHMARKS.md has the measured figures. */
  get memoryBytes(): number {
    const { count, capacity, placeBytes, freePlaceBytes, ownBytes } = this.#native;
    const sets = this.#live.memoryBytes + this.#dead.memoryBytes + this.#twins.memoryBytes;
    return Math.round(count * placeBytes + capacity * freePlaceBytes + ownBytes + sets + this.#unranked.size * UNRANKED_BYTES);
  }

  has(label: number): boolean {
    return this.#live.has(label);
  }

  liveLabels(): Uint32Array {
    return this.#live.toArray();
  }

  /** What open() needs beside the native file. */
  marks(): GraphMarks {
    const unranked = new Map([...this.#unranked].sort(([a], [b]) => a - b));
    return { removed: this.#dead.toArray(), unranked, twins: this.#twins.groups() };
  }

  /** @param label never inside before  @param vector finite, length = dimension  @throws RangeError on a component that is not finite */
  add(label: number, vector: Float32Array): void {
    const length = norm(vector);
    const scale = storedScale(this.#parameters.distance, length);
    const factor = scale ?? unitScale(length);
    const hash = this.#native.load(vector, factor);
    this.#insert(label, hash, scale === null ? 1 / factor : null);
  }

  /** Moves a live label of another graph of the same parameters here, as it is kept there. */
  take(label: number, from: HnswGraph): void {
    const hash = this.#native.loadFrom(from.#native, label);
    this.#insert(label, hash, from.#unranked.get(label) ?? null);
    from.remove(label);
  }

  /** Puts what was loaded inside. @param unscale of a vector that is not ranked, else null */
  #insert(label: number, hash: number, unscale: number | null): void {
    const ranked = unscale === null;
    const front = this.#twins.notice(hash, label);
    if (front !== null && this.#native.holdsLoaded(front)) {
      this.#native.join(front, label, ranked);
      this.#twins.add(front, label);
    } else {
      const { count, capacity } = this.#native;
      if (count === capacity) this.#native.resize(Math.ceil(capacity * CAPACITY_GROWTH) + 1);
      this.#native.insert(label, ranked);
    }
    this.#live.add(label);
    if (unscale !== null) this.#unranked.set(label, unscale);
  }

  /** @returns false when the label is not inside and alive */
  remove(label: number): boolean {
    if (!this.#live.delete(label)) return false;
    this.#native.remove(label);
    this.#unranked.delete(label);
    return this.#twins.remove(label) || this.#dead.add(label);
  }

  /** Walks to the answers that are nearest to a query. @param query its scale is not null
   *  Cost: about bounds.ef / (share of places that are answers) · log(places) distances.
   *  Source: Malkov & Yashunin 2018, Alg. 5 (hnswlib). */
  look(query: PreparedQuery, bounds: WalkBounds, filter: LabelFilter | null): Look {
    const { labels, distances, visited, rejected, stopped } = this.#native.search(query.vector, query.scale ?? 1, bounds, filter);
    const scores = new Float64Array(distances.length);
    for (let i = 0; i < scores.length; i++) scores[i] = scoreOfDistance(query.distance, distances[i] as number, query.length);
    return { labels, scores, visited, rejected, stopped };
  }

  /** How many live ranked labels pass, `most` at most. */
  matches(filter: LabelFilter, most: number): number {
    return this.#native.matches(filter, most);
  }

  /** As NativeGraph.scan. */
  scan(query: PreparedQuery, range: ScanRange, filter: LabelFilter | null, block: ScanBlock): void {
    this.#native.scan(query.vector, range, filter, block);
  }

  /** The score of a live label that is not ranked: the exact one, but for components that vanished when the vector was scaled. */
  scoreUnranked(query: PreparedQuery, label: number): number {
    const measure = this.#native.measure(query.vector, label, this.#unranked.get(label) ?? 1);
    return query.distance === 'euclid' ? measure : -measure;
  }

  /** Live labels that a walk may answer with, ascending. */
  rankedLabels(): Uint32Array {
    return this.liveLabels().filter((label) => !this.#unranked.has(label));
  }

  /** As NativeGraph.links. */
  links(): NativeLinks | null {
    return this.#native.links();
  }

  /** Is a live ranked label found by its own vector? Null: so many are as near as it is itself that it need not be. */
  reaches(label: number): boolean | null {
    const own = this.#native.vectorOf(label);
    const { labels, distances } = this.#native.search(own, 1, { limit: HEALTH_EF, ef: HEALTH_EF, visitsMax: 0 }, null);
    if (labels.includes(label)) return true;
    const ownDistance = this.#parameters.distance === 'dot' ? 1 + this.#native.measure(own, label, 1) : 0;
    return labels.length === HEALTH_EF && (distances.at(-1) as number) <= ownDistance ? null : false;
  }

  /** Writes the native file, in a thread of the native code; the graph must not grow meanwhile, searches may go on.
   *  A full disk may not be noticed: check the file afterwards. */
  async write(path: string): Promise<void> {
    await this.#native.write(path);
  }

  /** Gives the native memory back now; the collector of V8 does not know how large it is. The object is of no use afterwards. */
  free(): void {
    this.#native.free();
  }
}

let loaded: LoadedNative | null = null;

/** The native library, chosen once per thread. @throws Error when none can be loaded */
export function nativeLibrary(): LoadedNative {
  loaded ??= loadNative();
  return loaded;
}

function newNative({ distance, dimension, quantization }: IndexParameters): NativeGraph {
  const { Graph } = nativeLibrary();
  return new Graph(distance, dimension, quantization);
}
