/** One search of a sparse index, in slices: list by list into sums, then the best of all that were met.
 *
 *  idf of an index = ln((N − n + 0.5) / (n + 0.5) + 1) over the live points that have the vector, N, and of those the ones with the index, n:
 *  as Qdrant does, whatever the filter. Must not know: names, how lists come about. */

import { type LabelFilter, passesFilter } from '../model/label-filter.js';
import { type ScoredLabels, TopK } from './exact-scan.js';
import type { PostingList } from './posting-list.js';
import type { SparseSums, SumsPool } from './sparse-sums.js';

export interface SparseRequest {
  /** Of the indices of the query that occur, in their order. */
  readonly lists: readonly { readonly list: PostingList; readonly weight: number }[];
  readonly limit: number;
  readonly filter: LabelFilter | null;
  /** By place. */
  readonly labels: Uint32Array;
  readonly removed: Uint8Array;
  readonly places: number;
  readonly pool: SumsPool;
  /** Live points, where the query is weighted by idf. */
  readonly live: number | null;
  readonly hasRemoved: boolean;
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
  readonly #into: SparseSums;
  #next = 0;
  #visited = 0;

  constructor(request: SparseRequest) {
    this.#request = request;
    this.#into = request.pool.take(request.places);
  }

  /** Works for about budgetMs, one list at least. @returns true when all lists were added */
  advance(budgetMs: number): boolean {
    const { lists } = this.#request;
    const untilMs = performance.now() + budgetMs;
    while (this.#next < lists.length) {
      const { list, weight } = lists[this.#next++] as (typeof lists)[number];
      this.#add(list, weight * this.#rarity(list));
      if (performance.now() >= untilMs) break;
    }
    return this.#next >= lists.length;
  }

  #rarity(list: PostingList): number {
    const { live, removed, hasRemoved } = this.#request;
    if (live === null) return 1;
    const count = hasRemoved ? list.unmarked(removed) : list.length;
    return Math.log((live - count + 0.5) / (count + 0.5) + 1);
  }

  #add(list: PostingList, weight: number): void {
    const { places, values, length } = list;
    const { sums, met, touched } = this.#into;
    let { count } = this.#into;
    for (let i = 0; i < length; i++) {
      const place = places[i] as number;
      if (met[place] === 0) {
        met[place] = 1;
        touched[count++] = place;
      }
      sums[place] = (sums[place] as number) + weight * (values[i] as number);
    }
    this.#into.count = count;
    this.#visited += length;
  }

  /** What was found, once, when advance() gave true: the best `limit`, ties by label. */
  hits(): SparseHits {
    const { limit, filter, labels, removed, pool } = this.#request;
    const { sums, touched, count } = this.#into;
    const top = new TopK('dot', limit);
    let matches = 0;
    for (let i = 0; i < count; i++) {
      const place = touched[i] as number;
      const label = labels[place] as number;
      if (removed[place] === 1 || (filter !== null && !passesFilter(filter, label))) continue;
      matches += 1;
      top.offer(label, sums[place] as number);
    }
    pool.giveBack(this.#into);
    return { ...top.finish(), matches, visited: this.#visited, rejected: count - matches };
  }
}
