/** One search from request to hits: query → engines (vector, text, or both at once) → one ranking → rows → threshold, page.
 *
 *    hybrid ─ text fails ─► vector alone          hybrid ─ vector fails ─► text alone          nothing answers ─► SearchUnavailable
 *
 *  No silent under-fill: there are min(limit, points that match) hits, or `complete` is false and says why. While a search is open, the dead
 *  rows it may still meet are kept (openFloors). Must not know: HTTP, threads, how an index works. */

import type { AnswerBudget } from '../model/answer-budget.js';
import type { Clock } from '../model/clock.js';
import { collectionDropped } from '../model/collection.js';
import { invalidRequest, messageOf } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { PointId, QueryVector } from '../model/point.js';
import type { Position } from '../model/position.js';
import { spanned } from '../model/tracer.js';
import { isLowerBetter, type VectorTarget } from '../model/vector-spec.js';
import { fuse } from '../search/fusion.js';
import { type CatalogueEntry, damagedReason, leastShownSeq } from './catalogue.js';
import type { SearchAnswer, SearchRequest } from './engine.js';
import { type EngineCalls, type Found, isEngineFailure, within } from './engine-calls.js';
import { type EngineResults, explain, workOf } from './explanation.js';
import type { Fallback } from './fallback.js';
import type { Ranking } from './hit-ranking.js';
import type { HitsAnswer } from './hit-reads.js';
import type { TextFound, VectorFound } from './index-asks.js';
import type { EngineKind } from './index-messages.js';
import type { Reader } from './reader.js';
import type { RecallWatch } from './recall-watch.js';
import { rowSelection } from './row-reads.js';
import { unavailable } from './search-failure.js';
import { searchTarget } from './search-target.js';
import { Stopwatch } from './stopwatch.js';
import { rankingOf, type Sought, VectorSearch } from './vector-search.js';

/** Candidates that each engine gives to a hybrid search that does not say how many. */
const HYBRID_CANDIDATES = 100;
/** For a page that lies beyond them. */
const CANDIDATES_GROWTH = 4;
/** An index of so many points is built in some tens of milliseconds. */
const SOON_BUILT_MAX = 1_000;
/** Rows that vanish or change while a search runs make it look again, so often at most. */
const TRIES_MAX = 3;

export interface SearcherParts {
  readonly calls: EngineCalls;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly fallback: Fallback;
  readonly recall: RecallWatch;
  /** How long a search may take that does not say so itself, and how long it waits for one engine while the other may answer. */
  readonly timeoutMs: number;
  readonly engineTimeoutMs: number;
  /** False once the collection was dropped. */
  readonly isThere: (uid: number) => boolean;
  readonly durableSeq: () => number;
  readonly positionAt: (seq: number) => Position;
}

/** One search on its way. */
export interface Ask {
  readonly entry: CatalogueEntry;
  readonly request: SearchRequest;
  /** Null: only the text is asked for. */
  readonly query: QueryVector | null;
  /** Which vectors are searched; null: none are. */
  readonly target: VectorTarget | null;
  /** Points that are no hits. */
  readonly without: readonly PointId[];
  /** Hits to find, those in front of the page and those left out included. */
  readonly wanted: number;
  readonly budget: AnswerBudget;
  readonly watch: Stopwatch;
  readonly leftMs: () => number;
}

/** A ranking of labels, and what it is of. */
export interface Ranked {
  readonly labels: Uint32Array;
  readonly ranking: Ranking;
  /** Points that can be hits. */
  readonly matches: number;
  readonly seq: number;
  readonly mode: SearchAnswer['mode'];
  readonly results: EngineResults;
}

function textRanking(found: Found<TextFound>, failures: EngineResults['failures']): Ranked {
  const { labels, scores, matches } = found.answer;
  const results = { vector: null, text: found, failures };
  return { labels, ranking: { by: 'score', scores }, matches, seq: found.shownSeq, mode: 'text', results };
}

export class Searcher {
  readonly #parts: SearcherParts;
  readonly #vectors: VectorSearch;
  /** Open searches by the seq they started from. */
  readonly #openFloors = new Map<symbol, number>();

  constructor(parts: SearcherParts) {
    this.#parts = parts;
    this.#vectors = new VectorSearch(parts);
  }

  /** Rows that died after this seq may still be met by an open search. */
  get floorSeq(): number {
    let floor = Number.POSITIVE_INFINITY;
    for (const seq of this.#openFloors.values()) floor = Math.min(floor, seq);
    return floor;
  }

  /** @throws DimensionMismatch, ZeroVector, PointNotFound, InvalidRequest (a text without text fields), InvalidVector (examples), Overloaded,
   *  CorruptData, Timeout, SearchUnavailable, PayloadTooLarge (the hits) */
  search(entry: CatalogueEntry, request: SearchRequest, budget: AnswerBudget): Promise<SearchAnswer> {
    return this.open(entry, request, budget, (ask) => this.#untilFull(ask));
  }

  /** Begins a search and ends it: what is to be found, how long it may take, which rows are kept meanwhile. */
  async open<Answer extends object>(
    entry: CatalogueEntry,
    request: SearchRequest,
    budget: AnswerBudget,
    run: (ask: Ask) => Promise<Answer>,
  ): Promise<Answer & { readonly tookMs: number }> {
    const { clock, timeoutMs, reader } = this.#parts;
    const startMs = clock.monotonicMs();
    const deadlineMs = startMs + (request.timeoutMs ?? timeoutMs);
    const leftMs = (): number => deadlineMs - clock.monotonicMs();
    const token = Symbol('search');
    const durable = this.#parts.durableSeq();
    this.#openFloors.set(token, Math.min(leastShownSeq(entry, durable), durable));
    try {
      checkAsked(entry, request);
      const watch = new Stopwatch();
      const { query, target, without } = await within(searchTarget(reader, entry, request), leftMs(), 'The search took too long');
      if (without.length > 0) watch.step(request.id === undefined ? 'examples' : 'point');
      const wanted = request.offset + request.limit + without.length;
      const answer = await run({ entry, request, query, target, without, wanted, budget, watch, leftMs });
      return { ...answer, tookMs: clock.monotonicMs() - startMs };
    } finally {
      this.#openFloors.delete(token);
    }
  }

  /** Looks again for more when rows vanished or changed between the index and the store, so that they leave no gap. */
  async #untilFull(ask: Ask): Promise<Omit<SearchAnswer, 'tookMs'>> {
    let { wanted } = ask;
    for (let tries = 1; ; tries++) {
      const ranked = await this.rank({ ...ask, wanted });
      ask.watch.restart();
      const hits = (): Promise<HitsAnswer> => within(this.#hits(ask, ranked), ask.leftMs(), 'Reading the hits took too long');
      const read = await spanned(ask.request.span, 'rows', hits);
      ask.watch.step('hits');
      const gone = read.lost + read.stale;
      const missing = Math.max(0, Math.min(ask.wanted, ranked.matches) - read.rows);
      if (missing === 0 || gone === 0 || tries === TRIES_MAX) return this.#answer(ask, ranked, read, missing);
      if (!this.#parts.isThere(ask.entry.row.uid)) throw collectionDropped();
      ask.budget.giveBack(read.bytes);
      wanted += gone;
    }
  }

  #answer(ask: Ask, ranked: Ranked, read: HitsAnswer, missing: number): Omit<SearchAnswer, 'tookMs'> {
    const { entry, request, watch } = ask;
    if (read.lost > 0 && !this.#parts.isThere(entry.row.uid)) throw collectionDropped();
    const { mode, results, seq } = ranked;
    if (missing > 0) this.#parts.recall.shortfall(entry);
    const reason = missing === 0 ? damagedReason(entry) : `${missing} hits were removed or changed while the search ran`;
    return {
      hits: read.hits,
      complete: reason === null,
      ...(reason === null ? {} : { incompleteReason: reason }),
      mode,
      degraded: results.failures.length > 0,
      position: this.#parts.positionAt(seq),
      work: workOf(results),
      ...(request.explain ? { explain: explain(entry, request, results, read.hits, watch.steps) } : {}),
    };
  }

  /** The labels that the engines find, in one ranking. @throws as search */
  rank(ask: Ask): Promise<Ranked> {
    const { query, target } = ask;
    if (query === null || target === null) return this.#byText(ask);
    const sought = { query, target };
    return ask.request.text === undefined ? this.#byVector(ask, sought) : this.#byBoth(ask, sought);
  }

  async #byVector(ask: Ask, sought: Sought): Promise<Ranked> {
    try {
      const found = await this.#vectors.ask(ask, sought, ask.wanted, ask.leftMs);
      return this.#vectorRanking(ask, sought, found, []);
    } catch (error) {
      throw unavailable([{ engine: 'vector', error }], ask.leftMs());
    }
  }

  #vectorRanking({ request }: Ask, sought: Sought, found: Found<VectorFound>, failures: EngineResults['failures']): Ranked {
    const { labels, scores, exact, matches } = found.answer;
    return {
      labels,
      ranking: rankingOf(sought, exact ? scores : null),
      matches,
      seq: found.shownSeq,
      mode: request.exact ? 'exact' : 'vector',
      results: { vector: found, text: null, failures },
    };
  }

  async #byText(ask: Ask): Promise<Ranked> {
    try {
      const found = await this.#askText(ask, ask.wanted, ask.leftMs);
      return textRanking(found, []);
    } catch (error) {
      throw unavailable([{ engine: 'text', error }], ask.leftMs());
    }
  }

  async #byBoth(ask: Ask, sought: Sought): Promise<Ranked> {
    const candidates = candidatesOf(ask);
    const engineMs = Math.min(this.#parts.engineTimeoutMs, ask.leftMs() / 2);
    const untilMs = this.#parts.clock.monotonicMs() + engineMs;
    const leftMs = (): number => untilMs - this.#parts.clock.monotonicMs();
    const [vector, text] = await Promise.allSettled([
      this.#ifServing('vector', ask, leftMs, () => this.#vectors.ask(ask, sought, candidates, leftMs)),
      this.#ifServing('text', ask, leftMs, () => this.#askText(ask, candidates, leftMs)),
    ]);
    if (vector.status === 'fulfilled' && text.status === 'fulfilled') {
      return this.#fused(ask, sought, vector.value, text.value);
    }
    if (vector.status === 'rejected' && text.status === 'rejected') {
      const failed = [
        { engine: 'vector', error: vector.reason as unknown },
        { engine: 'text', error: text.reason as unknown },
      ];
      throw unavailable(failed, ask.leftMs());
    }
    const failure: { engine: EngineKind; error: unknown } =
      vector.status === 'rejected'
        ? { engine: 'vector', error: vector.reason }
        : { engine: 'text', error: (text as PromiseRejectedResult).reason };
    // What is wrong with the request is no failure of an engine, and no reason for another answer.
    if (!isEngineFailure(failure.error)) throw failure.error;
    const failures = [{ engine: failure.engine, message: messageOf(failure.error) }];
    if (this.#parts.calls.isFault(failure.error, engineMs))
      this.#parts.fallback.degraded(failure.engine, messageOf(failure.error));
    if (vector.status === 'fulfilled') return this.#vectorRanking(ask, sought, vector.value, failures);
    return textRanking((text as PromiseFulfilledResult<Found<TextFound>>).value, failures);
  }

  /** An index that is not there yet is no reason to wait, as the other may answer, unless it will be there in a moment. */
  async #ifServing<Answer>(
    engine: EngineKind,
    { entry }: Ask,
    leftMs: () => number,
    work: () => Promise<Answer>,
  ): Promise<Answer> {
    const state = entry[engine];
    if (state?.serving === false && entry.row.pointsCount <= SOON_BUILT_MAX) await state.indexed.reach(1, leftMs() / 2);
    this.#parts.calls.mustServe(engine, entry);
    return work();
  }

  async #fused(ask: Ask, sought: Sought, vector: Found<VectorFound>, text: Found<TextFound>): Promise<Ranked> {
    const { request } = ask;
    const lowerIsBetter = isLowerBetter(sought.target);
    const near = await this.#vectors.rescored(ask, sought, vector.answer, candidatesOf(ask));
    const { labels, scores } = fuse({ ...near, lowerIsBetter }, text.answer, request.fusion);
    return {
      labels,
      ranking: { by: 'score', scores },
      matches: Math.min(vector.answer.matches, labels.length),
      seq: Math.min(vector.shownSeq, text.shownSeq),
      mode: 'hybrid',
      results: { vector: { ...vector, answer: { ...vector.answer, ...near } }, text, failures: [] },
    };
  }

  #askText({ entry, request }: Ask, wanted: number, leftMs: () => number): Promise<Found<TextFound>> {
    const ask = { kind: 'text', query: request.text ?? '', wanted, filter: request.filter ?? null, labels: null } as const;
    return this.#parts.calls.ask('text', entry, ask, leftMs, request);
  }

  #hits({ entry, request, without, budget, leftMs }: Ask, ranked: Ranked): Promise<HitsAnswer> {
    const { labels, ranking, seq } = ranked;
    const { uid, pointsCount, dataBytes, spec } = entry.row;
    const { filter, offset, limit } = request;
    const page = { offset, limit, without, ...thresholdOf(request, ranked) };
    const recheck = filter === undefined ? null : { filter, spec, afterSeq: seq };
    return budget.take((bytesBefore) =>
      this.#parts.reader.read(
        {
          kind: 'hits',
          uid,
          labels,
          ranking,
          recheck,
          page,
          selection: rowSelection(spec, request),
          bytesMax: budget.bytesMax,
          bytesBefore,
        },
        pointsCount === 0 ? 0 : dataBytes / pointsCount,
        leftMs(),
        request.cancellation,
      ),
    );
  }
}

/** Of each engine: pages must be cut from lists of one length, or a hit stands on two of them, so there are a few lengths only. */
function candidatesOf({ request, wanted }: Pick<Ask, 'request' | 'wanted'>): number {
  let candidates = request.candidates ?? HYBRID_CANDIDATES;
  while (candidates < wanted) candidates *= CANDIDATES_GROWTH;
  return Math.max(wanted, Math.min(candidates, FIXED.searchCandidatesMax));
}

/** @throws InvalidRequest */
function checkAsked({ text, row }: CatalogueEntry, request: SearchRequest): void {
  const near = request.vector ?? request.id ?? request.examples;
  if (near === undefined && request.text === undefined) throw invalidRequest('', 'at least one of vector, id and text is needed');
  if (request.text !== undefined && text === null)
    throw invalidRequest('text', `collection '${row.name}' has no text_fields, so it cannot be searched by text`);
}

/** A threshold for fused scores says nothing about those of one engine. */
export function thresholdOf(
  { scoreThreshold }: Pick<SearchRequest, 'scoreThreshold'>,
  { results }: Ranked,
): { readonly scoreThreshold?: number } {
  return scoreThreshold === undefined || results.failures.length > 0 ? {} : { scoreThreshold };
}
