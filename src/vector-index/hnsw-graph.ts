/** An HNSW graph in hnswlib-node, guarded against everything that its native code takes without a check.
 *
 *  cosine is the inner product over normalised copies. Every label is added once; a removed one stays in the graph as a way
 *  through and is left out of answers here, by `#dead`. The native delete marks are never used: inserting among marked
 *  neighbours loses the new point or ends the process (hnswlib takes the last of an empty candidate list).
 *  Invariant: live ∪ dead = the labels inside the native object. Must not know: flat rows, checkpoint heads. */

import { norm } from '../model/distance.js';
import { LabelSet } from './label-set.js';
import { type LoadedNative, loadNative, type NativeGraph } from './native.js';
import type { IndexParameters } from './vector-index.js';

const RANDOM_SEED = 100;
const FIRST_CAPACITY = 1_024;
const CAPACITY_GROWTH = 1.5;

export class HnswGraph {
  readonly #parameters: IndexParameters;
  readonly #native: NativeGraph;
  readonly #live: LabelSet;
  readonly #dead: LabelSet;
  /** addPoint and searchKnn take plain arrays only; one is filled again and again. */
  readonly #numbers: number[] = [];
  #count: number;
  #capacity: number;
  #ef = 0;

  private constructor(parameters: IndexParameters, native: NativeGraph, live: LabelSet, dead: LabelSet) {
    this.#parameters = parameters;
    this.#native = native;
    this.#live = live;
    this.#dead = dead;
    this.#count = native.getCurrentCount();
    this.#capacity = native.getMaxElements();
    // 0.5 from the start makes V8 keep the array as doubles.
    for (let i = 0; i < parameters.dimension; i++) this.#numbers.push(0.5);
  }

  static create(parameters: IndexParameters): HnswGraph {
    const native = newNative(parameters);
    native.initIndex(FIRST_CAPACITY, parameters.m, parameters.efConstruct, RANDOM_SEED, false);
    return new HnswGraph(parameters, native, new LabelSet(), new LabelSet());
  }

  /** Reads a file that was verified down to its last byte (hnsw-file.ts) into a fresh native object.
   *  @param labels what the file holds  @param dead those of them that were removed
   *  @throws Error when the native code refuses the file or counts otherwise */
  static async open(parameters: IndexParameters, path: string, labels: Uint32Array, dead: Uint32Array): Promise<HnswGraph> {
    const native = newNative(parameters);
    await native.readIndex(path, false);
    // Touching `native` after the wait also keeps it from being collected while the native thread still writes into it.
    const count = native.getCurrentCount();
    if (count !== labels.length) throw new Error(`the graph holds ${count} labels instead of ${labels.length}`);
    const live = new LabelSet(labels);
    const removed = new LabelSet();
    for (const label of dead) {
      if (!live.delete(label)) throw new Error(`removed label ${label} is not in the graph`);
      removed.add(label);
    }
    return new HnswGraph(parameters, native, live, removed);
  }

  get live(): number {
    return this.#live.size;
  }

  get tombstones(): number {
    return this.#dead.size;
  }

  /** Resident bytes, estimated: per point its vector, 2·m + 1 links on the ground level, 1/(m − 1) upper levels of m + 1 links each,
   *  its label and its place in the label map; per place of the capacity a lock, a level, a pointer and a visited mark; and the
   *  library's 65,536 label locks. Within 5 % of the process's growth at m 16: 60k×128 867 bytes a point, 40k×768 3,533. */
  get memoryBytes(): number {
    const { dimension, m } = this.#parameters;
    const pointBytes = dimension * 4 + (2 * m + 1) * 4 + (m * 4 + 4 + 16) / (m - 1) + 8 + 48;
    const placeBytes = 40 + 4 + 8 + 2;
    const labelLockBytes = 65_536 * 40;
    const ownBytes = this.#live.memoryBytes + this.#dead.memoryBytes + this.#parameters.dimension * 8;
    return Math.round(this.#count * pointBytes + this.#capacity * placeBytes) + labelLockBytes + ownBytes;
  }

  has(label: number): boolean {
    return this.#live.has(label);
  }

  liveLabels(): Uint32Array {
    return this.#live.toArray();
  }

  deadLabels(): Uint32Array {
    return this.#dead.toArray();
  }

  /** @param label never inside before  @param vector finite, length = dimension  @throws RangeError on a component that is not finite */
  add(label: number, vector: Float32Array): void {
    if (this.#count === this.#capacity) this.#grow();
    this.#native.addPoint(this.#load(vector), label, false);
    this.#count += 1;
    this.#live.add(label);
  }

  /** @returns false when the label is not inside and alive */
  remove(label: number): boolean {
    return this.#live.delete(label) && this.#dead.add(label);
  }

  /** The nearest live labels, best first by native float32 distance.
   *
   *  With dead labels inside, the beam is widened by their share and the wider answer is thinned out, so that about as many live
   *  points are looked at as `ef` says; where the dead are crowded around the query, it is tried again with what was seen there.
   *  Cost: about ef / (1 − dead share) · log(n) distances. Source: Malkov & Yashunin 2018, Alg. 5 (hnswlib). */
  search(query: Float32Array, limit: number, ef: number): Uint32Array {
    const wanted = Math.min(limit, this.#live.size);
    if (wanted === 0) return new Uint32Array(0);
    const numbers = this.#load(query);
    const beamWanted = Math.max(Math.min(ef, this.#live.size), wanted);
    if (this.#dead.size === 0) return Uint32Array.from(this.#probe(numbers, wanted, beamWanted));

    for (let share = this.#live.size / this.#count; ; ) {
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

  #thinOut(neighbours: readonly number[], wanted: number): { labels: Uint32Array; seen: number } {
    const labels = new Uint32Array(wanted);
    let seen = 0;
    for (const label of neighbours) {
      if (this.#dead.has(label)) continue;
      if (seen < wanted) labels[seen] = label;
      seen += 1;
    }
    return { labels: seen < wanted ? labels.slice(0, seen) : labels, seen };
  }

  #grow(): void {
    const capacity = Math.ceil(this.#capacity * CAPACITY_GROWTH) + 1;
    this.#native.resizeIndex(capacity);
    this.#capacity = capacity;
  }

  /** NaN and infinity would be taken silently and spoil the graph, so they end here; x · 0 is NaN for both. */
  #load(vector: Float32Array): number[] {
    const numbers = this.#numbers;
    const length = numbers.length;
    if (vector.length !== length) throw new RangeError(`a vector has ${vector.length} components instead of ${length}`);
    const size = this.#parameters.distance === 'cosine' ? norm(vector) : 0;
    const scale = size === 0 ? 1 : 1 / size;
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
  return new HierarchicalNSW(parameters.distance === 'euclid' ? 'l2' : 'ip', parameters.dimension);
}
