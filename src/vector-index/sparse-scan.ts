/** One search of a sparse index, in slices: list by list into sums, then the best of all that were met.
 *
 *  idf of an index = ln((N − n + 0.5) / (n + 0.5) + 1) over the live points that have the vector, N, and of those the ones with the index, n:
 *  as Qdrant does, whatever the filter. Only a few searches add up at once (sparse-sums.ts); the others wait for their turn.
 *  Must not know: names, how lists come about. */

import { type LabelFilter, passesFilter } from '../model/label-filter.js';
import { type ScoredLabels, TopK } from './exact-scan.js';
import { GONE, type PostingList } from './posting-list.js';
import type { SparsePlaces } from './sparse-places.js';
import type { SparseSums, SumsPool } from './sparse-sums.js';

export interface SparseRequest {
  /** Of the indices of the query that occur, in their order. */
  readonly lists: readonly { readonly list: PostingList; readonly weight: number }[];
  readonly limit: number;
  readonly filter: LabelFilter | null;
  readonly places: SparsePlaces;
  readonly pool: SumsPool;
  /** Is the query weighted by idf? */
  readonly idf: boolean;
}

export interface SparseHits extends ScoredLabels {
  /** Points that share an index with the query and may be answered. */
  readonly matches: number;
  /** Entries of lists that were looked at. */
  readonly visited: number;
  /** Points that share an index and may not be answered. */
  readonly rejected: number;
}

export class SparseScan {
  readonly #request: SparseRequest;
  #into: SparseSums | null = null;
  #next = 0;
  #visited = 0;

  constructor(request: SparseRequest) {
    this.#request = request;
  }

  /** Works for about budgetMs, one list at least, once it has its turn. @returns true when all lists were added */
  advance(budgetMs: number): boolean {
    const { lists, pool, places } = this.#request;
    const untilMs = performance.now() + budgetMs;
    if (this.#into === null && !pool.hasTurn(this)) return false;
    this.#into ??= pool.take(this, places.count);
    while (this.#next < lists.length) {
      const { list, weight } = lists[this.#next++] as (typeof lists)[number];
      add(this.#into, list, weight * this.#rarity(list), numberingOf(list, places));
      this.#visited += list.length;
      if (performance.now() >= untilMs) break;
    }
    return this.#next >= lists.length;
  }

  #rarity(list: PostingList): number {
    const { idf, places } = this.#request;
    if (!idf) return 1;
    const count = liveEntries(list, places);
    return Math.log((places.live - count + 0.5) / (count + 0.5) + 1);
  }

  /** What was found, once, when advance() gave true: the best `limit`, ties by label. */
  hits(): SparseHits {
    const { limit, filter, places } = this.#request;
    const { labels, removed } = places;
    const { sums, touched, count } = this.#into ?? NOTHING_MET;
    const top = new TopK('dot', limit);
    let matches = 0;
    for (let i = 0; i < count; i++) {
      const place = touched[i] as number;
      const label = labels[place] as number;
      if (removed[place] === 1 || (filter !== null && !passesFilter(filter, label))) continue;
      matches += 1;
      top.offer(label, sums[place] as number);
    }
    this.end();
    return { ...top.finish(), matches, visited: this.#visited, rejected: count - matches };
  }

  /** Whatever became of it, a search that was begun is ended; also twice. */
  end(): void {
    this.#request.pool.leave(this);
    this.#into = null;
  }
}

const NOTHING_MET: SparseSums = { sums: new Float64Array(0), met: new Uint8Array(0), touched: new Uint32Array(0), count: 0 };

/** Where the places of a list went that does not follow the newest numbering yet; null: they are of it. */
function numberingOf(list: PostingList, { round, before }: SparsePlaces): Uint32Array | null {
  return list.round === round ? null : before;
}

/** How many of a list are not gone. Cost: a look at each where any may be. */
function liveEntries(list: PostingList, places: SparsePlaces): number {
  const numbering = numberingOf(list, places);
  if (numbering === null && places.gone === 0) return list.length;
  const { removed } = places;
  let count = 0;
  for (let i = 0; i < list.length; i++) {
    const listed = list.places[i] as number;
    const place = numbering === null ? listed : (numbering[listed] as number);
    if (place !== GONE && removed[place] === 0) count += 1;
  }
  return count;
}

function add(into: SparseSums, { places, values, length }: PostingList, weight: number, numbering: Uint32Array | null): void {
  const { sums, met, touched } = into;
  let { count } = into;
  for (let i = 0; i < length; i++) {
    const listed = places[i] as number;
    const place = numbering === null ? listed : (numbering[listed] as number);
    if (place === GONE) continue;
    if (met[place] === 0) {
      met[place] = 1;
      touched[count++] = place;
    }
    sums[place] = (sums[place] as number) + weight * (values[i] as number);
  }
  into.count = count;
}
