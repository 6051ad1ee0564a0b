/** An HNSW graph in hnswlib-node, guarded against everything that its native code takes without a check.
 *
 *  cosine is the squared distance of copies of length 1: it tells near vectors apart where 1 − product rounds. Every label is added
 *  once; a removed one stays in the graph as a way through and is left out of answers here, by `#dead`. The native delete marks are never
 *  used: inserting among marked neighbours loses the new point or ends the process (hnswlib takes the last of an empty candidate list).
 *  Many copies of one vector would cut others off: all but a few stand behind one that is inside (twins.ts). Vectors that float32 cannot
 *  rank (scale.ts) are `#unranked`: no look into the graph finds them.
 *  Invariant: (live ∪ dead) − twins = the labels inside the native object; unranked ⊂ live. Must not know: flat rows, checkpoint heads,
 *  other graphs. */

import { norm } from '../model/distance.js';
import { LabelSet } from './label-set.js';
import { type LoadedNative, loadNative, type NativeGraph } from './native.js';
import { queryScale, storedScale, unitScale } from './scale.js';
import { Twins } from './twins.js';
import type { IndexParameters } from './vector-index.js';

/** What belongs to a graph and is not in its native file. */
export interface GraphMarks {
  /** Labels in the file that were removed, ascending. */
  readonly removed: Uint32Array;
  /** Live labels that the graph cannot rank, ascending. */
  readonly unranked: Uint32Array;
  /** Labels in the file that have twins, each with these. */
  readonly twins: ReadonlyMap<number, Uint32Array>;
}

export const NO_MARKS: GraphMarks = { removed: new Uint32Array(0), unranked: new Uint32Array(0), twins: new Map() };

/** What a look into a graph saw: the nearest places, and the live ranked labels in them, best first. */
export interface Look {
  readonly labels: number[];
  /** Native float32 distances, one a label; comparable between graphs of the same parameters. */
  readonly distances: number[];
  /** Live ranked labels seen, also those beyond what was wanted. */
  readonly seen: number;
  /** Distance of the farthest place looked at: whatever was not seen lies farther. */
  readonly reach: number;
  /** Nothing more can be seen, however far one looks. */
  readonly exhausted: boolean;
}

const RANDOM_SEED = 100;
const FIRST_CAPACITY = 1_024;
const CAPACITY_GROWTH = 1.5;

export class HnswGraph {
  readonly #parameters: IndexParameters;
  readonly #native: NativeGraph;
  readonly #live: LabelSet;
  readonly #dead: LabelSet;
  readonly #unranked: LabelSet;
  readonly #twins: Twins;
  /** addPoint and searchKnn take plain arrays only; one is filled again and again. */
  readonly #numbers: number[] = [];
  /** The same as the native code keeps them, and their bits. */
  readonly #kept: Float32Array;
  readonly #bits: Uint32Array;
  #count: number;
  #capacity: number;
  #ef = 0;

  private constructor(parameters: IndexParameters, native: NativeGraph, labels: Uint32Array, marks: GraphMarks) {
    this.#parameters = parameters;
    this.#native = native;
    this.#live = new LabelSet(labels);
    this.#dead = new LabelSet(marks.removed);
    this.#unranked = new LabelSet(marks.unranked);
    this.#twins = new Twins(marks.twins);
    for (const label of marks.removed)
      if (!this.#live.delete(label)) throw new Error(`removed label ${label} is not in the graph`);
    for (const twins of marks.twins.values()) for (const label of twins) this.#live.add(label);
    this.#count = native.getCurrentCount();
    this.#capacity = native.getMaxElements();
    // 0.5 from the start makes V8 keep the array as doubles.
    for (let i = 0; i < parameters.dimension; i++) this.#numbers.push(0.5);
    this.#kept = new Float32Array(parameters.dimension);
    this.#bits = new Uint32Array(this.#kept.buffer);
  }

  /** @param capacity points that are expected: memory is reserved for them, and taken as they come */
  static create(parameters: IndexParameters, capacity = 0): HnswGraph {
    const native = newNative(parameters);
    native.initIndex(Math.max(FIRST_CAPACITY, capacity), parameters.m, parameters.efConstruct, RANDOM_SEED, false);
    return new HnswGraph(parameters, native, new Uint32Array(0), NO_MARKS);
  }

  /** Reads a file that was verified down to its last byte (hnsw-file.ts) into a fresh native object.
   *  @param labels what the file holds  @param marks what marks() gave when it was written
   *  @throws Error when the native code refuses the file or counts otherwise */
  static async open(parameters: IndexParameters, path: string, labels: Uint32Array, marks: GraphMarks): Promise<HnswGraph> {
    const native = newNative(parameters);
    await native.readIndex(path, false);
    // Touching `native` after the wait also keeps it from being collected while the native thread still writes into it.
    const count = native.getCurrentCount();
    if (count !== labels.length) throw new Error(`the graph holds ${count} labels instead of ${labels.length}`);
    return new HnswGraph(parameters, native, labels, marks);
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
    return this.#unranked.toArray();
  }

  /** Places: points inside the native object, dead or alive, twins not counted. */
  get places(): number {
    return this.#count;
  }

  /** Places whose own label may be an answer; some fewer where twins are unranked. */
  get rankedPlaces(): number {
    return Math.max(0, this.#count - this.#dead.size - this.#unranked.size);
  }

  /** Resident bytes, estimated: per point its vector, 2·m + 1 links on the ground level, 1/(m − 1) upper levels of m + 1 links each,
   *  its label and its place in the label map; per place of the capacity a lock, a level, a pointer and a visited mark; and the
   *  library's 65,536 label locks. Within 5 % of the process's growth at m 16: 60k×128 867 bytes a point, 40k×768 3,533. */
  get memoryBytes(): number {
    const { dimension, m } = this.#parameters;
    const pointBytes = dimension * 4 + (2 * m + 1) * 4 + (m * 4 + 4 + 16) / (m - 1) + 8 + 48;
    const placeBytes = 40 + 4 + 8 + 2;
    const labelLockBytes = 65_536 * 40;
    const ownBytes = this.#live.memoryBytes + this.#dead.memoryBytes + this.#twins.memoryBytes + dimension * 12;
    return Math.round(this.#count * pointBytes + this.#capacity * placeBytes) + labelLockBytes + ownBytes;
  }

  has(label: number): boolean {
    return this.#live.has(label);
  }

  liveLabels(): Uint32Array {
    return this.#live.toArray();
  }

  /** What open() needs beside the native file. */
  marks(): GraphMarks {
    return { removed: this.#dead.toArray(), unranked: this.#unranked.toArray(), twins: this.#twins.groups() };
  }

  /** @param label never inside before  @param vector finite, length = dimension  @throws RangeError on a component that is not finite */
  add(label: number, vector: Float32Array): void {
    const length = norm(vector);
    const scale = storedScale(this.#parameters.distance, length);
    this.#load(vector, scale ?? unitScale(length));
    this.#insert(label, scale !== null);
  }

  /** Moves a live label of another graph of the same parameters here, as it is kept there. */
  take(label: number, from: HnswGraph): void {
    const kept = from.#native.getPoint(from.#twins.frontOf(label) ?? label);
    for (let i = 0; i < kept.length; i++) this.#numbers[i] = kept[i] as number;
    this.#insert(label, !from.#unranked.has(label));
    from.remove(label);
  }

  /** Puts what was loaded inside. */
  #insert(label: number, ranked: boolean): void {
    const front = this.#front(label);
    if (front !== null) {
      this.#twins.add(front, label);
    } else {
      if (this.#count === this.#capacity) this.#grow();
      this.#native.addPoint(this.#numbers, label, false);
      this.#count += 1;
    }
    this.#live.add(label);
    if (!ranked) this.#unranked.add(label);
  }

  /** @returns false when the label is not inside and alive */
  remove(label: number): boolean {
    if (!this.#live.delete(label)) return false;
    this.#unranked.delete(label);
    return this.#twins.remove(label) || this.#dead.add(label);
  }

  /** The query as look() takes it, valid until this graph's next call with a vector, or null: the graph cannot rank it.
   *  @throws RangeError on a component that is not finite */
  prepare(query: Float32Array): readonly number[] | null {
    const scale = queryScale(this.#parameters.distance, norm(query));
    const numbers = this.#load(query, scale ?? 1);
    return scale === null ? null : numbers;
  }

  /** Looks at the `asked` places nearest to a query. @param query from prepare(), of any graph of the same parameters
   *  @param wanted how many labels to give, of those seen  @param asked 1 to places  @param beam ≥ asked, hnswlib's ef
   *  Cost: about beam · log(places) distances. Source: Malkov & Yashunin 2018, Alg. 5 (hnswlib). */
  look(query: readonly number[], wanted: number, asked: number, beam: number): Look {
    if (beam !== this.#ef) {
      this.#native.setEf(beam);
      this.#ef = beam;
    }
    const { neighbors, distances } = this.#native.searchKnn(query as number[], asked);
    const exhausted = neighbors.length < asked || asked === this.#count;
    const reach = distances.at(-1) ?? Number.POSITIVE_INFINITY;
    if (this.#dead.size + this.#unranked.size + this.#twins.size === 0)
      return { labels: neighbors, distances, seen: neighbors.length, reach, exhausted };
    return { ...this.#thinOut(neighbors, distances, wanted), reach, exhausted };
  }

  /** Writes the native file, in a thread of the native code; the graph must not change meanwhile, searches may go on.
   *  hnswlib does not notice a full disk: check the file afterwards. */
  async write(path: string): Promise<void> {
    await this.#native.writeIndex(path);
    // As in open(): the native thread reads this object until here.
    this.#native.getCurrentCount();
  }

  /** Gives the native memory back now; the collector of V8 does not know how large it is. The object is of no use afterwards. */
  free(): void {
    this.#native.initIndex(1, 2, 1, RANDOM_SEED, false);
  }

  #thinOut(neighbours: readonly number[], distances: readonly number[], wanted: number): Omit<Look, 'reach' | 'exhausted'> {
    const found: { labels: number[]; distances: number[] } = { labels: [], distances: [] };
    let seen = 0;
    const see = (label: number, place: number): void => {
      if (this.#unranked.has(label)) return;
      seen += 1;
      if (seen > wanted) return;
      found.labels.push(label);
      found.distances.push(distances[place] as number);
    };
    for (const [place, label] of neighbours.entries()) {
      if (!this.#dead.has(label)) see(label, place);
      for (const twin of this.#twins.behind(label)) {
        if (seen >= wanted) break;
        see(twin, place);
      }
    }
    return { ...found, seen };
  }

  /** The label inside that this one, whose vector was loaded last, is a twin of, or null. Cost: 2 to 3 ns a component. */
  #front(label: number): number | null {
    const front = this.#twins.notice(this.#hash(), label);
    if (front === null) return null;
    const inside = this.#native.getPoint(front);
    return this.#kept.every((value, i) => value === inside[i]) ? front : null;
  }

  /** Of the bits that the native code keeps; each step mixes high bits down, where those of whole numbers differ. */
  #hash(): number {
    this.#kept.set(this.#numbers);
    let hash = 0;
    for (let i = 0; i < this.#bits.length; i++) {
      hash = Math.imul(hash ^ (this.#bits[i] as number), 0x85ebca6b);
      hash ^= hash >>> 13;
    }
    return hash >>> 0;
  }

  #grow(): void {
    const capacity = Math.ceil(this.#capacity * CAPACITY_GROWTH) + 1;
    this.#native.resizeIndex(capacity);
    this.#capacity = capacity;
  }

  /** NaN and infinity would be taken silently and spoil the graph, so they end here; x · 0 is NaN for both. */
  #load(vector: Float32Array, scale: number): number[] {
    const numbers = this.#numbers;
    const length = numbers.length;
    if (vector.length !== length) throw new RangeError(`a vector has ${vector.length} components instead of ${length}`);
    let check = 0;
    for (let i = 0; i < length; i++) {
      const value = vector[i] as number;
      check += value * 0;
      numbers[i] = value * scale;
    }
    if (check !== 0) throw new RangeError('a vector has a component that is not finite');
    return numbers;
  }
}

let loaded: LoadedNative | null = null;

/** The native library, chosen once per thread. @throws Error when none can be loaded */
export function nativeLibrary(): LoadedNative {
  loaded ??= loadNative();
  return loaded;
}

function newNative(parameters: IndexParameters): NativeGraph {
  const { HierarchicalNSW } = nativeLibrary();
  return new HierarchicalNSW(parameters.distance === 'dot' ? 'ip' : 'l2', parameters.dimension);
}
