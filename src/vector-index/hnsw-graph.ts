/** An HNSW graph in hnswlib-node, guarded against everything that its native code takes without a check.
 *
 *  cosine is the squared distance of copies of length 1: it tells near vectors apart where 1 − product rounds. Every label is added
 *  once; a removed one stays in the graph as a way through and is left out of answers here, by `#dead`. The native delete marks are never
 *  used: inserting among marked neighbours loses the new point or ends the process (hnswlib takes the last of an empty candidate list).
 *  Many copies of one vector would cut others off: all but a few stand behind one that is inside (twins.ts). Vectors that float32 cannot
 *  rank (scale.ts) are `#unranked`: every answer carries them, and where they are many there is no answer.
 *  Invariant: (live ∪ dead) − twins = the labels inside the native object; unranked ⊂ live. Must not know: flat rows, checkpoint heads. */

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

const RANDOM_SEED = 100;
const FIRST_CAPACITY = 1_024;
const CAPACITY_GROWTH = 1.5;
/** Each is one more row to read and score for every search. */
const UNRANKED_MAX = 64;

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

  static create(parameters: IndexParameters): HnswGraph {
    const native = newNative(parameters);
    native.initIndex(FIRST_CAPACITY, parameters.m, parameters.efConstruct, RANDOM_SEED, false);
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
    const numbers = this.#load(vector, scale ?? unitScale(length));
    const front = this.#front(label);
    if (front !== null) {
      this.#twins.add(front, label);
    } else {
      if (this.#count === this.#capacity) this.#grow();
      this.#native.addPoint(numbers, label, false);
      this.#count += 1;
    }
    this.#live.add(label);
    if (scale === null) this.#unranked.add(label);
  }

  /** @returns false when the label is not inside and alive */
  remove(label: number): boolean {
    if (!this.#live.delete(label)) return false;
    this.#unranked.delete(label);
    return this.#twins.remove(label) || this.#dead.add(label);
  }

  /** The nearest live labels, best first by native float32 distance; behind them all that the graph cannot rank, so there may be some more
   *  than `limit`. None when the query, or too many of the points, cannot be ranked.
   *
   *  With dead labels inside, the beam is widened by their share and the wider answer is thinned out, so that about as many live
   *  points are looked at as `ef` says; where the dead are crowded around the query, it is tried again with what was seen there.
   *  Cost: about ef / (1 − dead share) · log(n) distances. Source: Malkov & Yashunin 2018, Alg. 5 (hnswlib). */
  search(query: Float32Array, limit: number, ef: number): Uint32Array {
    const scale = queryScale(this.#parameters.distance, norm(query));
    const numbers = this.#load(query, scale ?? 1);
    if (scale === null || this.#unranked.size > UNRANKED_MAX || this.#live.size === 0) return new Uint32Array(0);
    const ranked = this.#live.size - this.#unranked.size;
    const wanted = Math.min(limit, ranked);
    const beamWanted = Math.max(Math.min(ef, ranked), wanted);
    const plain = this.#dead.size + this.#unranked.size + this.#twins.size === 0;
    if (plain) return Uint32Array.from(this.#probe(numbers, wanted, beamWanted));
    if (wanted === 0) return this.#unranked.toArray();
    return Uint32Array.from([...this.#rankedNear(numbers, wanted, beamWanted), ...this.#unranked.toArray()]);
  }

  #rankedNear(numbers: number[], wanted: number, beamWanted: number): number[] {
    const passable = this.#count - this.#dead.size - this.#unranked.size;
    for (let share = Math.max(1, passable) / this.#count; ; ) {
      const asked = Math.min(this.#count, Math.ceil(wanted / share + (2 * Math.sqrt(wanted * (1 - share))) / share));
      const beam = Math.min(this.#count, Math.max(asked, Math.ceil(beamWanted / share)));
      const neighbours = this.#probe(numbers, asked, beam);
      const { labels, seen } = this.#thinOut(neighbours, wanted);
      if (seen >= wanted || neighbours.length < asked || asked === this.#count) return labels;
      share = Math.min(share / 2, Math.max(seen / neighbours.length, share / 4));
    }
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

  #probe(numbers: number[], limit: number, ef: number): number[] {
    if (ef !== this.#ef) {
      this.#native.setEf(ef);
      this.#ef = ef;
    }
    return this.#native.searchKnn(numbers, limit).neighbors;
  }

  /** Live, ranked labels among the neighbours and their twins, at most `wanted` of those seen. */
  #thinOut(neighbours: readonly number[], wanted: number): { labels: number[]; seen: number } {
    const labels: number[] = [];
    let seen = 0;
    const see = (label: number): void => {
      if (this.#unranked.has(label)) return;
      if (seen < wanted) labels.push(label);
      seen += 1;
    };
    for (const label of neighbours) {
      if (!this.#dead.has(label)) see(label);
      for (const twin of this.#twins.behind(label)) {
        if (seen >= wanted) break;
        see(twin);
      }
    }
    return { labels, seen };
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
