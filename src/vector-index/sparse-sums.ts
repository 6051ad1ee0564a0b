/** Where sparse searches add up, one sum a place, for all sparse indexes of a thread: made anew they cost more than many a search, and
 *  without a bound many searches at once would take the memory of many.
 *
 *  Searches get their turn in the order in which they asked for one; each ends with `leave`, whatever became of it.
 *  Invariant: SCANS_MAX have sums at most; what is kept is empty. Must not know: lists, labels. */

export interface SparseSums {
  /** By place. */
  readonly sums: Float64Array;
  /** 1 where a place was met. */
  readonly met: Uint8Array;
  /** Places that were met, in their order, `count` of them. */
  readonly touched: Uint32Array;
  count: number;
}

/** Searches that add up at once: more than one, so that a short one is not behind a long one; each takes about 16 bytes a place. */
export const SCANS_MAX = 4;
/** Of those, what is kept for the next ones. */
const KEPT_MAX = 2;
const ROOM = 1.25;

export class SumsPool {
  #kept: SparseSums[] = [];
  /** In the order in which they asked; the first SCANS_MAX have their turn. */
  readonly #asked = new Set<object>();
  readonly #taken = new Map<object, SparseSums>();

  /** Has this search its turn? From the first call on it waits for it. */
  hasTurn(search: object): boolean {
    this.#asked.add(search);
    let ahead = 0;
    for (const one of this.#asked) {
      if (one === search) return true;
      ahead += 1;
      if (ahead === SCANS_MAX) return false;
    }
    return false;
  }

  /** For a search that has its turn. @param places how many there are */
  take(search: object, places: number): SparseSums {
    const fitting = this.#kept.find(({ met }) => met.length >= places);
    // What is too small makes room for what is larger.
    this.#kept = this.#kept.filter((kept) => kept !== fitting).slice(0, fitting === undefined ? KEPT_MAX - 1 : KEPT_MAX);
    const sums = fitting ?? emptySums(Math.ceil(places * ROOM));
    this.#taken.set(search, sums);
    return sums;
  }

  /** The search is over, or given up; what was added up is forgotten. */
  leave(search: object): void {
    this.#asked.delete(search);
    const sums = this.#taken.get(search);
    if (sums === undefined) return;
    this.#taken.delete(search);
    if (this.#kept.length < KEPT_MAX) this.#kept.push(emptied(sums));
  }

  /** Forgets what is kept only to be faster. */
  relieve(): void {
    this.#kept = [];
  }
}

function emptySums(room: number): SparseSums {
  return { sums: new Float64Array(room), met: new Uint8Array(room), touched: new Uint32Array(room), count: 0 };
}

/** Cost: a step for each place that was met. */
function emptied(sums: SparseSums): SparseSums {
  for (let i = 0; i < sums.count; i++) {
    const place = sums.touched[i] as number;
    sums.sums[place] = 0;
    sums.met[place] = 0;
  }
  sums.count = 0;
  return sums;
}
