/** Answers of a durable state: points by id, pages, counts, facets.
 *
 *  From rows, helped by what an index knows of a filter; facets from the index alone where that can tell.
 *  Invariant: no answer is ahead of the tail. Must not know: HTTP, threads, how rows are read. */

import type { Cancellation } from '../model/cancellation.js';
import type { Filter } from '../model/filter.js';
import type { Limits } from '../model/limits.js';
import { DEFAULT_VECTOR, type PointId } from '../model/point.js';
import type { Position } from '../model/position.js';
import { examplesOf } from '../model/rank-rule.js';
import { targetNamed } from '../model/vector-spec.js';
import type { StoreReads } from '../storage/storage.js';
import { asNamed } from './as-named.js';
import { BoundReached, boundedReads } from './bounded-reads.js';
import type { Catalogue, CatalogueEntry } from './catalogue.js';
import type { FacetAnswer, FacetRequest, RankedAnswer, RankedRequest, ScrollRequest, Selection } from './engine.js';
import { type EngineCalls, isEngineFailure } from './engine-calls.js';
import type { FilterLookup } from './filter-lookup.js';
import { checkFilterTexts } from './filter-texts.js';
import { isAbandoned } from './given-up.js';
import { countFromIndex, type RowFilter } from './matching-rows.js';
import { MESSAGE_WAIT_MS } from './position-wait.js';
import type { RankRequest } from './rank-reads.js';
import type { Reader } from './reader.js';
import { rowSelection } from './row-reads.js';
import { checkVector } from './search-target.js';
import type { Tail } from './tail.js';

/** Rows that changed since an index was asked, and bytes of them, are read on the main thread up to so many: about a millisecond. */
const COUNTED_ROWS_MAX = 128;
const COUNTED_BYTES_MAX = 1024 * 1024;

export interface RowAnswersParts {
  readonly catalogue: Catalogue;
  readonly reader: Reader;
  /** The store as the main thread reads it. */
  readonly reads: StoreReads;
  readonly lookup: FilterLookup;
  readonly calls: EngineCalls;
  readonly limits: Limits;
  readonly durable: Tail;
  readonly positionAt: (seq: number) => Position;
  /** Do rows die at a seq that indexes may have passed? */
  readonly isCorrecting: () => boolean;
}

export class RowAnswers {
  readonly #parts: RowAnswersParts;

  constructor(parts: RowAnswersParts) {
    this.#parts = parts;
  }

  /** What has waited so long is not begun any more: whoever asked has gone. */
  get #ofUseMs(): number {
    return this.#parts.limits.searchTimeoutMs;
  }

  /** @throws as Engine.get */
  get(collection: string, ids: readonly PointId[], selection: Selection) {
    return asNamed(this.#parts, collection, (entry) => this.#get(entry, ids, selection));
  }

  async #get({ row }: CatalogueEntry, ids: readonly PointId[], selection: Selection) {
    const selected = rowSelection(row.spec, selection);
    const { answerBytesMax: bytesMax } = this.#parts.limits;
    const request = { kind: 'get', uid: row.uid, ids, selection: selected, bytesMax } as const;
    const { points, missing, seq } = await this.#parts.reader.read(request, rowBytes(row), this.#ofUseMs);
    return { points, missing, position: await this.#published(seq) };
  }

  /** @throws as Engine.scroll */
  scroll(collection: string, request: ScrollRequest) {
    return asNamed(this.#parts, collection, (entry) => this.#scroll(entry, request));
  }

  async #scroll(entry: CatalogueEntry, request: ScrollRequest) {
    const { uid } = entry.row;
    const { filter, limit, after, cancellation } = request;
    const selection = rowSelection(entry.row.spec, request);
    const rowFilter = filter === undefined ? null : await this.#parts.lookup.rowFilter(entry, filter);
    const { points, next, seq } = await this.#parts.reader.read(
      {
        kind: 'scroll',
        uid,
        filter: rowFilter,
        after,
        limit,
        bytesMax: this.#parts.limits.scrollBytesMax,
        selection,
      },
      rowBytes(entry.row),
      this.#ofUseMs,
      cancellation,
    );
    return { points, next, position: await this.#published(seq) };
  }

  /** @throws as Engine.count */
  count(collection: string, filter?: Filter, cancellation?: Cancellation) {
    return asNamed(this.#parts, collection, (entry) => this.#count(entry, filter, cancellation));
  }

  async #count(entry: CatalogueEntry, filter?: Filter, cancellation?: Cancellation) {
    const { uid, pointsCount } = entry.row;
    if (filter === undefined) return { count: pointsCount, position: this.#now() };
    const rowFilter = await this.#parts.lookup.rowFilter(entry, filter);
    // Only what the index is known to be past is reaped, and of this one no later report was heard.
    const { among } = rowFilter;
    const isWhole = among !== null && entry.vector.indexed.seq <= among.seq && !this.#parts.isCorrecting();
    const counted = isWhole ? this.#countFromIndex(uid, rowFilter) : null;
    if (counted !== null) return { count: counted.count, position: await this.#published(counted.seq) };
    const rows = { kind: 'count', uid, filter: rowFilter } as const;
    const { count, seq } = await this.#parts.reader.read(rows, 0, this.#ofUseMs, cancellation);
    return { count, position: await this.#published(seq) };
  }

  /** @throws as Engine.fieldCount */
  fieldCount(collection: string, path: string, cancellation?: Cancellation): Promise<number> {
    return asNamed(this.#parts, collection, (entry) => this.#fieldCount(entry, path, cancellation));
  }

  async #fieldCount(entry: CatalogueEntry, path: string, cancellation?: Cancellation): Promise<number> {
    if (!entry.vector.serving) return 0;
    const filter: Filter = { must: [{ kind: 'exists', key: path, exists: true }] };
    const { among } = await this.#parts.lookup.rowFilter(entry, filter);
    if (among === null) return (await this.#count(entry, filter, cancellation)).count;
    return among.exact ? among.labels.size : 0;
  }

  /** Null: too much changed since for this thread. */
  #countFromIndex(uid: number, rowFilter: RowFilter) {
    try {
      return countFromIndex(boundedReads(this.#parts.reads, COUNTED_BYTES_MAX), uid, rowFilter, COUNTED_ROWS_MAX);
    } catch (error) {
      if (error instanceof BoundReached) return null;
      throw error;
    }
  }

  /** @throws as Engine.facet */
  facet(collection: string, request: FacetRequest): Promise<FacetAnswer> {
    return asNamed(this.#parts, collection, (entry) => this.#facet(entry, request));
  }

  async #facet(entry: CatalogueEntry, request: FacetRequest): Promise<FacetAnswer> {
    checkFilterTexts(entry.row.spec, request.filter);
    const known = await this.#indexedFacet(entry, request);
    if (known !== null && (known.exact || !request.exact)) return known;
    const { path, limit, filter, cancellation } = request;
    const rowFilter = filter === undefined ? null : await this.#parts.lookup.rowFilter(entry, filter);
    const ask = { kind: 'facet', uid: entry.row.uid, path, filter: rowFilter, limit } as const;
    const { values, seq } = await this.#parts.reader.read(ask, 0, this.#ofUseMs, cancellation);
    return { values, exact: true, position: await this.#published(seq) };
  }

  /** Null: the index cannot tell. */
  async #indexedFacet(entry: CatalogueEntry, request: FacetRequest): Promise<FacetAnswer | null> {
    const { path, limit, filter } = request;
    const isDeclared = entry.row.spec.payloadIndexes.some((declared) => declared.path === path);
    if (!isDeclared || !entry.vector.serving) return null;
    const ask = { kind: 'facet', path, filter: filter ?? null, limit } as const;
    const leftMs = (): number => this.#parts.limits.searchEngineTimeoutMs;
    try {
      const { answer, shownSeq } = await this.#parts.calls.ask('vector', entry, ask, leftMs, request);
      // It says before it answers how many rows it had to pass over.
      if ('takesRows' in answer || (entry.vector.report?.damaged ?? 0) > 0) return null;
      return { values: answer.values, exact: answer.exact, position: this.#parts.positionAt(shownSeq) };
    } catch (error) {
      if (isEngineFailure(error) && !isAbandoned(error)) return null;
      throw error;
    }
  }

  /** @throws as Engine.rank */
  rank(collection: string, request: RankedRequest): Promise<RankedAnswer> {
    return asNamed(this.#parts, collection, (entry) => this.#rank(entry, request));
  }

  async #rank(entry: CatalogueEntry, request: RankedRequest): Promise<RankedAnswer> {
    const { rule, filter, limit, scoreMin = null, cancellation, timeoutMs = this.#ofUseMs } = request;
    const vectors = rankedVectors(entry, request);
    const rowFilter = filter === undefined ? null : await this.#parts.lookup.rowFilter(entry, filter);
    const { uid, spec } = entry.row;
    const ask = {
      ...({ kind: 'rank', uid, rule, vectors, filter: rowFilter } as const),
      ...{ limit, scoreMin, selection: rowSelection(spec, request), bytesMax: this.#parts.limits.answerBytesMax },
    };
    const { hits, seq } = await this.#parts.reader.read(ask, 0, timeoutMs, cancellation);
    return { hits, position: await this.#published(seq) };
  }

  #now(): Position {
    return this.#parts.positionAt(this.#parts.durable.seq);
  }

  /** Waits until the commit of what was just read has been told, so that no answer is ahead of the tail. */
  async #published(seq: number): Promise<Position> {
    await this.#parts.durable.reach(seq, MESSAGE_WAIT_MS);
    return this.#parts.positionAt(seq);
  }
}

/** Mean bytes of a row of the collection. */
function rowBytes({ pointsCount, dataBytes }: CatalogueEntry['row']): number {
  return pointsCount === 0 ? 0 : dataBytes / pointsCount;
}

/** The vectors that a rule compares, its examples held against them. @throws as checkVector, InvalidRequest (`using`) */
function rankedVectors(entry: CatalogueEntry, { rule, using = DEFAULT_VECTOR }: RankedRequest): RankRequest['vectors'] {
  const examples = examplesOf(rule);
  // Rules about fields compare no vectors.
  if (examples.length === 0) return { key: DEFAULT_VECTOR, distance: 'dot' };
  const target = targetNamed(entry.row.spec, using, 'using');
  for (const example of examples) checkVector({ entry, target }, example);
  return { key: target.key, distance: target.kind === 'dense' ? target.distance : 'dot' };
}
