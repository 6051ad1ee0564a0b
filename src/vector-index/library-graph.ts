/** A NativeGraph over hnswlib-node's own binary, for machines where our addon could not be built: the same answers, slower.
 *
 *  Vectors cross as plain arrays, element by element (52 ns each), a filter is a callback (340 ns a candidate), a scan asks for vector after
 *  vector. Only float32. The native side checks little: a component that is no number or a callback that throws ends the process.
 *  Invariant: #places maps live labels to the place they stand for. Native delete marks are never used: inserting among marked
 *  neighbours loses the new point or ends the process (hnswlib takes the last of an empty candidate list). */

import { type Distance, dot, squaredEuclid } from '../model/distance.js';
import { type LabelFilter, passesFilter } from '../model/label-filter.js';
import { LabelSet } from './label-set.js';
import {
  type NativeGraph,
  type NativeGraphConstructor,
  type NativeHits,
  SCAN_GIVEN,
  SCAN_LOOKED,
  SCAN_NEXT,
  type ScanBlock,
  type ScanRange,
  type WalkBounds,
} from './native-graph.js';
import type { VectorForm } from './vector-index.js';

/** What is used of hnswlib-node 3's HierarchicalNSW. */
export interface LibraryIndex {
  initIndex(maxElements: number, m: number, efConstruct: number, randomSeed: number, allowReplaceDeleted: boolean): void;
  /** Resets ef to 10; only on a fresh object. */
  readIndex(filename: string, allowReplaceDeleted: boolean): Promise<boolean>;
  writeIndex(filename: string): Promise<boolean>;
  resizeIndex(newMaxElements: number): void;
  addPoint(point: number[], label: number, replaceDeleted: boolean): void;
  /** Throws when `numNeighbors` exceeds the capacity. */
  searchKnn(query: number[], numNeighbors: number, filter?: (label: number) => boolean): LibraryHits;
  getIdsList(): number[];
  getPoint(label: number): number[];
  getMaxElements(): number;
  getCurrentCount(): number;
  setEf(ef: number): void;
}

interface LibraryHits {
  readonly distances: number[];
  readonly neighbors: number[];
}

export type LibraryIndexConstructor = new (space: 'l2' | 'ip', dimension: number) => LibraryIndex;

/** The adapter class for one binary of hnswlib-node. */
export function libraryGraphs(HierarchicalNSW: LibraryIndexConstructor): NativeGraphConstructor {
  return class extends LibraryGraph {
    constructor(distance: Distance, dimension: number, form: VectorForm) {
      if (form !== 'none') throw new Error(`${form} needs Skein's own native build, which could not be made on this machine`);
      super(distance, dimension, new HierarchicalNSW(distance === 'dot' ? 'ip' : 'l2', dimension));
    }
  };
}

class LibraryGraph implements NativeGraph {
  readonly #distance: Distance;
  readonly #dimension: number;
  readonly #index: LibraryIndex;
  /** Live label → own label of the place it stands for. */
  readonly #places = new Map<number, number>();
  /** Own labels of places that are removed or not ranked. */
  readonly #hidden = new LabelSet();
  /** Live labels that are not ranked. */
  readonly #unranked = new LabelSet();
  readonly #twins = new Map<number, Set<number>>();
  readonly #loaded: Float32Array;
  readonly #bits: Uint32Array;
  /** addPoint and searchKnn take plain arrays only; one is filled again and again. */
  readonly #numbers: number[] = [];
  #m = 0;
  #count = 0;
  #capacity = 0;
  #busy = false;

  constructor(distance: Distance, dimension: number, index: LibraryIndex) {
    this.#distance = distance;
    this.#dimension = dimension;
    this.#index = index;
    this.#loaded = new Float32Array(dimension);
    this.#bits = new Uint32Array(this.#loaded.buffer);
    // 0.5 from the start makes V8 keep the array as doubles.
    for (let i = 0; i < dimension; i++) this.#numbers.push(0.5);
  }

  create(capacity: number, m: number, efConstruct: number, seed: number): void {
    this.#mustRest();
    this.#index.initIndex(capacity, m, efConstruct, seed, false);
    this.#m = m;
    this.#forget();
  }

  async read(path: string): Promise<void> {
    await this.#busily(() => this.#index.readIndex(path, false));
    this.#forget();
    for (const label of this.#index.getIdsList()) this.#places.set(label, label);
  }

  async write(path: string): Promise<void> {
    await this.#busily(() => this.#index.writeIndex(path));
  }

  free(): void {
    this.create(1, 2, 1, 0);
  }

  #forget(): void {
    this.#places.clear();
    this.#twins.clear();
    for (const set of [this.#hidden, this.#unranked]) for (const label of set.toArray()) set.delete(label);
    this.#count = this.#index.getCurrentCount();
    this.#capacity = this.#index.getMaxElements();
  }

  /** The native thread reads the object meanwhile; touching it afterwards also keeps it from being collected until then. */
  async #busily(work: () => Promise<boolean>): Promise<void> {
    this.#mustRest();
    this.#busy = true;
    try {
      await work();
      this.#index.getCurrentCount();
    } finally {
      this.#busy = false;
    }
  }

  #mustRest(): void {
    if (this.#busy) throw new Error('the graph is being read or written');
  }

  resize(capacity: number): void {
    this.#mustRest();
    this.#index.resizeIndex(capacity);
    this.#capacity = capacity;
  }

  get count(): number {
    return this.#count;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** The vector, 2·m + 1 links on the ground level, 1/(m − 1) upper levels of m + 1 links each, the label and its places in two label maps.
   *  Within 5 % of the process's growth at m 16, the second map aside: 60k×128 867 bytes a point, 40k×768 3,533. */
  get placeBytes(): number {
    const m = Math.max(2, this.#m);
    return this.#dimension * 4 + (2 * m + 1) * 4 + (m * 4 + 4 + 16) / (m - 1) + 8 + 48 + 40;
  }

  /** A lock, a level, a pointer and a visited mark. */
  get freePlaceBytes(): number {
    return 40 + 4 + 8 + 2;
  }

  /** The library's 65,536 label locks. */
  get ownBytes(): number {
    return 65_536 * 40 + this.#dimension * 12;
  }

  load(vector: Float32Array, factor: number): number {
    this.#fill(vector, factor);
    this.#loaded.set(this.#numbers);
    return this.#hash();
  }

  loadFrom(other: NativeGraph, label: number): number {
    return this.load(other.vectorOf(label), 1);
  }

  /** Each step mixes high bits down, where those of whole numbers differ. */
  #hash(): number {
    let hash = 0;
    for (let i = 0; i < this.#bits.length; i++) {
      hash = Math.imul(hash ^ (this.#bits[i] as number), 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    return hash >>> 0;
  }

  /** NaN and infinity would be taken silently and spoil the graph, so they end here; x · 0 is NaN for both. */
  #fill(vector: Float32Array, factor: number): void {
    const length = this.#dimension;
    if (vector.length !== length) throw new RangeError(`a vector has ${vector.length} components instead of ${length}`);
    let check = 0;
    for (let i = 0; i < length; i++) {
      const value = vector[i] as number;
      check += value * 0;
      this.#numbers[i] = value * factor;
    }
    if (check !== 0) throw new RangeError('a vector has a component that is not finite');
  }

  holdsLoaded(label: number): boolean {
    const place = this.#places.get(label) ?? (this.#hidden.has(label) ? label : undefined);
    if (place === undefined) return false;
    const inside = this.#index.getPoint(place);
    return this.#loaded.every((value, i) => value === inside[i]);
  }

  insert(label: number, ranked: boolean): void {
    this.#mustRest();
    if (this.#places.has(label) || this.#hidden.has(label)) throw new Error(`label ${label} is inside`);
    for (let i = 0; i < this.#dimension; i++) this.#numbers[i] = this.#loaded[i] as number;
    this.#index.addPoint(this.#numbers, label, false);
    this.#count += 1;
    this.#places.set(label, label);
    if (!ranked) this.hide(label);
  }

  join(front: number, label: number, ranked: boolean): void {
    const place = this.#places.get(front) ?? front;
    this.#places.set(label, place);
    if (!ranked) {
      this.#unranked.add(label);
      return;
    }
    const twins = this.#twins.get(place);
    if (twins === undefined) this.#twins.set(place, new Set([label]));
    else twins.add(label);
  }

  remove(label: number): void {
    const place = this.#places.get(label);
    if (place === undefined) return;
    this.#places.delete(label);
    this.#unranked.delete(label);
    if (place === label) {
      this.#hidden.add(label);
      return;
    }
    const twins = this.#twins.get(place);
    twins?.delete(label);
    if (twins?.size === 0) this.#twins.delete(place);
  }

  hide(label: number): void {
    this.#unranked.add(label);
    this.#hidden.add(label);
  }

  search(query: Float32Array, factor: number, bounds: WalkBounds, filter: LabelFilter | null): NativeHits {
    this.#fill(query, factor);
    const places = Math.min(bounds.limit, this.#count);
    if (places === 0) return NOTHING;
    const seen = { visited: 0, rejected: 0, stopped: false };
    this.#index.setEf(Math.min(bounds.ef, this.#count));
    if (filter === null && this.#hidden.size === 0) {
      const { neighbors, distances } = this.#index.searchKnn(this.#numbers, places);
      return { ...this.#answers(neighbors, distances, bounds.limit, filter), ...seen };
    }
    const isAnswer = (label: number): boolean => {
      seen.visited += 1;
      if (this.#isAnswer(label, filter)) return true;
      seen.rejected += 1;
      // What is taken from here on only ends the walk; it is left out below.
      seen.stopped ||= bounds.visitsMax > 0 && seen.visited > bounds.visitsMax;
      return seen.stopped;
    };
    const { neighbors, distances } = this.#index.searchKnn(this.#numbers, places, isAnswer);
    return { ...this.#answers(neighbors, distances, bounds.limit, filter), ...seen };
  }

  #isAnswer(place: number, filter: LabelFilter | null): boolean {
    if (!this.#hidden.has(place) && (filter === null || passesFilter(filter, place))) return true;
    for (const twin of this.#twins.get(place) ?? []) if (filter === null || passesFilter(filter, twin)) return true;
    return false;
  }

  #answers(places: readonly number[], from: readonly number[], limit: number, filter: LabelFilter | null): Answers {
    const labels: number[] = [];
    const distances: number[] = [];
    const take = (label: number, at: number): void => {
      if (labels.length >= limit || (filter !== null && !passesFilter(filter, label))) return;
      labels.push(label);
      distances.push(from[at] as number);
    };
    for (const [at, place] of places.entries()) {
      if (!this.#hidden.has(place)) take(place, at);
      for (const twin of this.#twins.get(place) ?? []) take(twin, at);
    }
    return { labels: Uint32Array.from(labels), distances: Float32Array.from(distances) };
  }

  matches(filter: LabelFilter, most: number): number {
    let matches = 0;
    for (const label of this.#places.keys()) {
      if (matches >= most) break;
      if (!this.#unranked.has(label) && passesFilter(filter, label)) matches += 1;
    }
    return matches;
  }

  scan(query: Float32Array, range: ScanRange, filter: LabelFilter | null, block: ScanBlock): void {
    let given = 0;
    let looked = 0;
    let { from: label } = range;
    for (; label < range.to && looked < block.labels.length; label++) {
      if (filter !== null && !passesFilter(filter, label)) continue;
      if (!this.#places.has(label) || this.#unranked.has(label)) continue;
      looked += 1;
      const measure = this.measure(query, label, 1);
      if (!(measure <= range.most)) continue;
      block.labels[given] = label;
      block.measures[given++] = measure;
    }
    block.state[SCAN_GIVEN] = given;
    block.state[SCAN_LOOKED] = looked;
    block.state[SCAN_NEXT] = label;
  }

  measure(query: Float32Array, label: number, factor: number): number {
    const kept = this.vectorOf(label).map((value) => value * factor);
    return this.#distance === 'euclid' ? Math.sqrt(squaredEuclid(query, kept)) : -dot(query, kept);
  }

  vectorOf(label: number): Float32Array {
    const place = this.#places.get(label);
    if (place === undefined) throw new Error(`label ${label} is not live`);
    return Float32Array.from(this.#index.getPoint(place));
  }

  links(): null {
    return null;
  }
}

type Answers = Pick<NativeHits, 'labels' | 'distances'>;

const NOTHING: NativeHits = {
  labels: new Uint32Array(0),
  distances: new Float32Array(0),
  visited: 0,
  rejected: 0,
  stopped: false,
};
