/** For every term the documents that have it: ordinals, ascending, each with how often the term stands there.
 *
 *    slices   a list lies in one slice of a chunk: ordinals[at … at + count], frequencies beside them in bytes (255: 255 or more)
 *    room     slices have 1, 2, 3, 4, 6, 8, 12, 16 … places; a full list moves into the next size, and its old slice is used again
 *    chunks   65,536 places, fewer in the first ones; a list of more than a quarter of that has a chunk of its own
 *
 *  A document that goes away stays in its lists, dead, until half of a list is dead and it is written anew (compact).
 *  No object per term: a million lists are five typed arrays. Must not know: words, scores, which documents are alive (it is told). */

/** What FREQUENCY_MAX stands for: look the number up elsewhere. */
export const FREQUENCY_MAX = 255;

const CHUNK_SHIFT = 16;
const CHUNK_PLACES = 2 ** CHUNK_SHIFT;
const FIRST_CHUNK_PLACES = 256;
/** One less than addresses have room for, so that an address + 1 still fits. */
const CHUNKS_MAX = 2 ** 16 - 1;
/** Longer lists have their own chunk. */
const SHARED_PLACES_MAX = CHUNK_PLACES / 4;
/** So many sizes are there: the last has more places than ordinals are possible. */
const SIZES = 64;
const PLACE_BYTES = 5;

interface Chunk {
  readonly ordinals: Uint32Array;
  readonly frequencies: Uint8Array;
}

/** A list where it lies, valid until the next change. */
export interface PostingList extends Chunk {
  readonly start: number;
  readonly count: number;
}

const NO_CHUNK: Chunk = { ordinals: new Uint32Array(0), frequencies: new Uint8Array(0) };

const PLACES = Float64Array.from({ length: SIZES }, (_, size) =>
  size === 0 ? 1 : size % 2 === 1 ? 2 ** ((size + 1) / 2) : 3 * 2 ** (size / 2 - 1),
);

function placesOf(size: number): number {
  return PLACES[size] ?? Number.POSITIVE_INFINITY;
}

export class Postings {
  readonly #chunks: Chunk[] = [];
  /** Numbers of chunks that were given back. */
  readonly #freeChunks: number[] = [];
  /** The chunk that shared slices are cut from, and how much of it is. */
  #open = -1;
  #used = 0;
  /** By size, the first free slice: its address + 1; the first place of a free slice names the next in the same way. */
  readonly #freeSlices = new Float64Array(SIZES);

  /** By term. */
  #addresses = new Uint32Array(64);
  #sizes = new Uint8Array(64);
  #counts = new Uint32Array(64);
  #dead = new Uint32Array(64);
  #terms = 0;

  /** Resident bytes. */
  get memoryBytes(): number {
    const places = this.#chunks.reduce((sum, { ordinals }) => sum + ordinals.length, 0);
    return places * PLACE_BYTES + this.#addresses.length * 13;
  }

  /** Begins an empty list. @returns the term: 0, 1, 2, … */
  addTerm(): number {
    if (this.#terms === this.#addresses.length) {
      const length = this.#terms * 2;
      this.#addresses = copied(this.#addresses, new Uint32Array(length));
      this.#sizes = copied(this.#sizes, new Uint8Array(length));
      this.#counts = copied(this.#counts, new Uint32Array(length));
      this.#dead = copied(this.#dead, new Uint32Array(length));
    }
    return this.#terms++;
  }

  /** Live documents that have the term. */
  documents(term: number): number {
    return (this.#counts[term] as number) - (this.#dead[term] as number);
  }

  list(term: number): PostingList {
    const count = this.#counts[term] as number;
    const address = this.#addresses[term] as number;
    const { ordinals, frequencies } = count === 0 ? NO_CHUNK : this.#chunkAt(address);
    return { ordinals, frequencies, start: address % CHUNK_PLACES, count };
  }

  /** @param ordinal beyond all in the list */
  append(term: number, ordinal: number, frequency: number): void {
    const count = this.#counts[term] as number;
    const size = this.#sizes[term] as number;
    if (count === 0) this.#addresses[term] = this.#take(0);
    else if (count === placesOf(size)) this.#move(term, size + 1);
    const address = this.#addresses[term] as number;
    const { ordinals, frequencies } = this.#chunkAt(address);
    const place = (address % CHUNK_PLACES) + count;
    ordinals[place] = ordinal;
    frequencies[place] = Math.min(frequency, FREQUENCY_MAX);
    this.#counts[term] = count + 1;
  }

  /** One document of the list is dead. @returns true when the list has become crowded by it */
  bury(term: number): boolean {
    const dead = (this.#dead[term] as number) + 1;
    this.#dead[term] = dead;
    const count = this.#counts[term] as number;
    return dead * 2 > count && (dead - 1) * 2 <= count;
  }

  /** Are most of the list dead? */
  crowded(term: number): boolean {
    return (this.#dead[term] as number) * 2 > (this.#counts[term] as number);
  }

  /** Takes the dead out of a list, into the smallest slice. Cost: the list. */
  compact(term: number, isAlive: (ordinal: number) => boolean): void {
    const { ordinals, frequencies, start, count } = this.list(term);
    let kept = start;
    for (let place = start; place < start + count; place++) {
      const ordinal = ordinals[place] as number;
      if (!isAlive(ordinal)) continue;
      ordinals[kept] = ordinal;
      frequencies[kept] = frequencies[place] as number;
      kept += 1;
    }
    this.#counts[term] = kept - start;
    this.#dead[term] = 0;
    if (kept === start) {
      if (count > 0) this.#giveBack(this.#addresses[term] as number, this.#sizes[term] as number);
      this.#sizes[term] = 0;
      return;
    }
    let size = 0;
    while (placesOf(size) < kept - start) size += 1;
    if (size < (this.#sizes[term] as number)) this.#move(term, size);
  }

  #chunkAt(address: number): Chunk {
    return this.#chunks[address >>> CHUNK_SHIFT] ?? NO_CHUNK;
  }

  /** Into a slice of another size, which holds the list. */
  #move(term: number, size: number): void {
    const from = this.list(term);
    const address = this.#take(size);
    const to = this.#chunkAt(address);
    const start = address % CHUNK_PLACES;
    to.ordinals.set(from.ordinals.subarray(from.start, from.start + from.count), start);
    to.frequencies.set(from.frequencies.subarray(from.start, from.start + from.count), start);
    this.#giveBack(this.#addresses[term] as number, this.#sizes[term] as number);
    this.#addresses[term] = address;
    this.#sizes[term] = size;
  }

  /** @returns the address of a slice */
  #take(size: number): number {
    const places = placesOf(size);
    if (places > SHARED_PLACES_MAX) return this.#addChunk(places) * CHUNK_PLACES;
    const free = this.#freeSlices[size] as number;
    if (free > 0) {
      const { ordinals } = this.#chunkAt(free - 1);
      this.#freeSlices[size] = ordinals[(free - 1) % CHUNK_PLACES] as number;
      return free - 1;
    }
    const length = this.#chunks[this.#open]?.ordinals.length ?? 0;
    if (this.#used + places > length) {
      this.#giveBackRest(length);
      const planned = Math.min(CHUNK_PLACES, FIRST_CHUNK_PLACES * 2 ** Math.min(this.#chunks.length, 16));
      this.#open = this.#addChunk(Math.max(planned, places));
      this.#used = 0;
    }
    const address = this.#open * CHUNK_PLACES + this.#used;
    this.#used += places;
    return address;
  }

  #giveBack(address: number, size: number): void {
    const places = placesOf(size);
    if (places > SHARED_PLACES_MAX) {
      const number = address >>> CHUNK_SHIFT;
      this.#chunks[number] = NO_CHUNK;
      this.#freeChunks.push(number);
      return;
    }
    this.#chunkAt(address).ordinals[address % CHUNK_PLACES] = this.#freeSlices[size] as number;
    this.#freeSlices[size] = address + 1;
  }

  /** What is left of the open chunk becomes free slices, the largest first. */
  #giveBackRest(length: number): void {
    while (this.#used < length) {
      let size = 0;
      while (placesOf(size + 1) <= Math.min(length - this.#used, SHARED_PLACES_MAX)) size += 1;
      this.#giveBack(this.#open * CHUNK_PLACES + this.#used, size);
      this.#used += placesOf(size);
    }
  }

  /** @throws RangeError when there are 2^32 places */
  #addChunk(places: number): number {
    const number = this.#freeChunks.pop() ?? this.#chunks.length;
    if (number >= CHUNKS_MAX) throw new RangeError('the postings are full');
    this.#chunks[number] = { ordinals: new Uint32Array(places), frequencies: new Uint8Array(places) };
    return number;
  }
}

function copied<List extends Uint32Array | Uint8Array>(from: List, to: List): List {
  to.set(from);
  return to;
}
