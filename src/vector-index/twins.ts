/** Points that are copies of others: noticed when they are added, and kept behind one that is in the graph.
 *
 *  HNSW links a point to its nearest. Where many lie on one spot their links lead to each other only, and a search that comes by never
 *  leaves: with 5,000 copies of one vector among 5,000 others recall@10 was 0.04. So only the first COPIES_MAX of a vector go into the
 *  graph; the others, its twins, stand behind one of those and are found with it.
 *  A vector that is seen often is noticed in a fixed number of places; of all that share a place, the one that makes up most of them holds
 *  it (majority vote, Boyer & Moore 1981).
 *  Invariant: a twin stands behind one label, which is in the graph, dead or alive. Must not know: vectors, native code. */

const COPIES_MAX = 8;
const PLACES = 2 ** 15;
const COUNT_MAX = 255;
const PLACE_BYTES = 4 + 4 + 1;
/** Two map entries and a set entry here, an entry and a number in the native graph. */
const TWIN_BYTES = 195;

export class Twins {
  readonly #hashes = new Uint32Array(PLACES);
  readonly #firsts = new Uint32Array(PLACES);
  readonly #counts = new Uint8Array(PLACES);
  /** Twin → the label it stands behind. */
  readonly #frontOf = new Map<number, number>();
  readonly #behind = new Map<number, Set<number>>();

  /** @param groups labels in the graph, each with its twins */
  constructor(groups: ReadonlyMap<number, Uint32Array> = new Map()) {
    for (const [front, labels] of groups) for (const label of labels) this.add(front, label);
  }

  get size(): number {
    return this.#frontOf.size;
  }

  /** Resident bytes, estimated. */
  get memoryBytes(): number {
    return PLACES * PLACE_BYTES + this.size * TWIN_BYTES;
  }

  /** Takes note of a vector that is about to be added.
   *  @param hash of its bits, all 32 bits used
   *  @returns the label whose vector has the same hash when there are enough of it in the graph; whether it is the same is for the caller
   *  to see. Null: the vector goes into the graph. */
  notice(hash: number, label: number): number | null {
    const place = (hash >>> 0) % PLACES;
    const count = this.#counts[place] as number;
    if (count === 0) {
      this.#hashes[place] = hash;
      this.#firsts[place] = label;
    }
    const same = this.#hashes[place] === hash >>> 0;
    this.#counts[place] = same ? Math.min(COUNT_MAX, count + 1) : count - 1;
    return same && count >= COPIES_MAX ? (this.#firsts[place] as number) : null;
  }

  add(front: number, label: number): void {
    this.#frontOf.set(label, front);
    const group = this.#behind.get(front);
    if (group === undefined) this.#behind.set(front, new Set([label]));
    else group.add(label);
  }

  /** The label that a twin stands behind; null when it is no twin. */
  frontOf(label: number): number | null {
    return this.#frontOf.get(label) ?? null;
  }

  /** @returns false when the label is no twin */
  remove(label: number): boolean {
    const front = this.#frontOf.get(label);
    if (front === undefined) return false;
    this.#frontOf.delete(label);
    const group = this.#behind.get(front);
    group?.delete(label);
    if (group?.size === 0) this.#behind.delete(front);
    return true;
  }

  /** The twins behind a label of the graph. */
  behind(front: number): Iterable<number> {
    return this.#behind.get(front) ?? NONE;
  }

  /** Labels of the graph that have twins, each with them, ascending. */
  groups(): Map<number, Uint32Array> {
    return new Map([...this.#behind].map(([front, labels]) => [front, Uint32Array.from(labels).sort()]));
  }
}

const NONE: readonly number[] = [];
