/** All searches of an engine: answered from what is kept, else by the engines, alone or by groups, and each told as it ends.
 *  Order of things only; the work is in the parts. Must not know: HTTP, how a search runs. */

import { setImmediate } from 'node:timers/promises';
import { AnswerBudget } from '../model/answer-budget.js';
import type { Clock } from '../model/clock.js';
import type { Limits } from '../model/limits.js';
import type { Position } from '../model/position.js';
import { spanned } from '../model/tracer.js';
import { asNamed } from './as-named.js';
import type { Catalogue, CatalogueEntry } from './catalogue.js';
import type { GroupAnswer, GroupRequest, SearchAnswer, SearchRequest } from './engine.js';
import { checkFilterTexts } from './filter-texts.js';
import { GroupSearch } from './group-search.js';
import { QueryCache } from './query-cache.js';
import type { Reader } from './reader.js';
import { describeSearch } from './search-spans.js';
import type { QueryCacheStatus } from './search-status.js';
import type { SearchWatch } from './search-watch.js';
import { Searcher } from './searcher.js';
import type { Tail } from './tail.js';

export interface SearchesParts {
  readonly watch: SearchWatch;
  readonly reader: Reader;
  readonly catalogue: Catalogue;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly durable: Tail;
  readonly positionAt: (seq: number) => Position;
}

export class Searches {
  readonly #parts: SearchesParts;
  readonly #searcher: Searcher;
  readonly #groups: GroupSearch;
  readonly #cache: QueryCache;

  constructor(parts: SearchesParts) {
    this.#parts = parts;
    const { limits, catalogue, watch } = parts;
    const { calls, fallback, recall } = watch;
    const isThere = (uid: number): boolean => catalogue.byUid(uid) !== undefined;
    const { searchTimeoutMs: timeoutMs, searchEngineTimeoutMs: engineTimeoutMs } = limits;
    this.#searcher = new Searcher({
      ...parts,
      durableSeq: () => parts.durable.seq,
      calls,
      fallback,
      recall,
      timeoutMs,
      engineTimeoutMs,
      isThere,
    });
    this.#groups = new GroupSearch({ ...parts, searcher: this.#searcher, recall, isThere });
    this.#cache = new QueryCache(limits.queryCacheBytes);
  }

  /** @throws as Engine.search */
  search(collection: string, request: SearchRequest, budget?: AnswerBudget): Promise<SearchAnswer> {
    return spanned(request.span, 'search', async (span) => {
      const own = span === undefined ? request : { ...request, span };
      const search = (entry: CatalogueEntry): Promise<SearchAnswer> =>
        this.#searchOrKept(checked(entry, own), own, budget ?? this.#newBudget());
      const answer = await this.#parts.watch.measured(own, () => asNamed(this.#parts, collection, search));
      span?.set(describeSearch(answer, answer.hits.length));
      return answer;
    });
  }

  async #searchOrKept(entry: CatalogueEntry, request: SearchRequest, budget: AnswerBudget): Promise<SearchAnswer> {
    const startMs = this.#parts.clock.monotonicMs();
    const kept = this.#cache.find(entry, request);
    if ('answer' in kept) {
      await budget.add(kept.answer.hits);
      // Who searches in a loop must not keep the event loop from everybody else: a kept answer is ready at once.
      await setImmediate();
      return { ...kept.answer, cached: true, tookMs: this.#parts.clock.monotonicMs() - startMs };
    }
    const answer = await this.#searcher.search(entry, request, budget);
    if (kept.place !== null) this.#cache.put(entry, kept.place, answer);
    return answer;
  }

  /** @throws as Engine.searchGroups */
  searchGroups(collection: string, request: GroupRequest): Promise<GroupAnswer> {
    return spanned(request.span, 'search groups', async (span) => {
      const own = span === undefined ? request : { ...request, span };
      const search = async (entry: CatalogueEntry): Promise<GroupAnswer> =>
        this.#groups.search(checked(entry, own), own, this.#newBudget());
      const answer = await this.#parts.watch.measured(own, () => asNamed(this.#parts, collection, search));
      span?.set(describeSearch(answer, answer.groups.length));
      return answer;
    });
  }

  #newBudget(): AnswerBudget {
    return new AnswerBudget(this.#parts.limits.answerBytesMax);
  }

  /** Rows that died after this seq may still be met by an open search. */
  get floorSeq(): number {
    return this.#searcher.floorSeq;
  }

  /** Rows were changed without an entry, as a repair does: what is kept may be of another state. */
  forget(): void {
    this.#cache.clear();
  }

  get cacheStatus(): QueryCacheStatus {
    return this.#cache.status;
  }
}

/** @throws InvalidFilter */
function checked(entry: CatalogueEntry, { filter }: Pick<SearchRequest, 'filter'>): CatalogueEntry {
  checkFilterTexts(entry.row.spec, filter);
  return entry;
}
