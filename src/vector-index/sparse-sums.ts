/** Where a sparse search adds up, one sum a place, kept from search to search: making them anew costs more than many a search.
 *  Invariant: what is taken is empty, and given back empty; what is never given back is only forgotten. Must not know: lists, labels. */

export interface SparseSums {
  /** By place. */
  readonly sums: Float64Array;
  /** 1 where a place was met. */
  readonly met: Uint8Array;
  /** Places that were met, in their order, `count` of them. */
  readonly touched: Uint32Array;
  count: number;
}

/** Searches that overlap need one each; more than these are not kept. */
const KEPT_MAX = 2;
const ROOM = 1.25;
const PLACE_BYTES = 13;

export class SumsPool {
  readonly #kept: SparseSums[] = [];

  /** @param places how many there are */
  take(places: number): SparseSums {
    const kept = this.#kept.pop();
    if (kept !== undefined && kept.met.length >= places) return kept;
    const room = Math.ceil(places * ROOM);
    return { sums: new Float64Array(room), met: new Uint8Array(room), touched: new Uint32Array(room), count: 0 };
  }

  giveBack(sums: SparseSums): void {
    for (let i = 0; i < sums.count; i++) {
      const place = sums.touched[i] as number;
      sums.sums[place] = 0;
      sums.met[place] = 0;
    }
    sums.count = 0;
    if (this.#kept.length < KEPT_MAX) this.#kept.push(sums);
  }

  get memoryBytes(): number {
    return this.#kept.reduce((bytes, { met }) => bytes + met.length * PLACE_BYTES, 0);
  }
}
