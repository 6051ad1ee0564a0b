/** A search of one of a collection's vectors: what its index is asked, and what that gave, by whatever way the vectors are kept.
 *  Must not know: texts, pages, how an index works. */

import { FIXED } from '../model/limits.js';
import type { QueryVector } from '../model/point.js';
import type { DenseTarget, VectorTarget } from '../model/vector-spec.js';
import type { CatalogueEntry } from './catalogue.js';
import type { SearchRequest } from './engine.js';
import { type EngineCalls, type Found, within } from './engine-calls.js';
import type { Ranking } from './hit-ranking.js';
import type { VectorFound } from './index-asks.js';
import type { Reader } from './reader.js';
import type { RecallWatch } from './recall-watch.js';

export interface VectorSearchParts {
  readonly calls: EngineCalls;
  readonly reader: Reader;
  readonly recall: RecallWatch;
}

interface SearchOf {
  readonly entry: CatalogueEntry;
  readonly request: SearchRequest;
  readonly leftMs: () => number;
}

/** A query and the vectors that it is held against, of one kind. */
export interface Sought {
  readonly query: QueryVector;
  readonly target: VectorTarget;
}

/** @param scores exact ones; null: they are computed from the rows. Sparse ones are always exact, and higher is better. */
export function rankingOf({ query, target }: Sought, scores: Float64Array | null): Ranking {
  if (target.kind === 'dense' && query instanceof Float32Array)
    return { by: 'distance', key: target.key, distance: target.distance, query, scores };
  return { by: 'score', scores: scores ?? new Float64Array(0) };
}

export class VectorSearch {
  readonly #parts: VectorSearchParts;

  constructor(parts: VectorSearchParts) {
    this.#parts = parts;
  }

  /** Candidates of a quantized graph in the order of their full vectors, as many as were wanted. */
  async rescored(
    ask: SearchOf,
    sought: Sought,
    found: VectorFound,
    limit: number,
  ): Promise<Pick<VectorFound, 'labels' | 'scores'>> {
    const { uid } = ask.entry.row;
    const { target } = sought;
    if (found.exact || target.kind === 'sparse' || target.quantization?.rescore !== true) return found;
    const candidates = {
      kind: 'hits',
      uid,
      labels: found.labels,
      ranking: rankingOf(sought, null),
      recheck: null,
      page: { offset: 0, limit, without: [] },
      selection: { withPayload: false, withVector: false },
      bytesMax: Number.POSITIVE_INFINITY,
      bytesBefore: 0,
    } as const;
    const reading = this.#parts.reader.read(candidates, 0, ask.leftMs(), ask.request.cancellation);
    const { hits } = await within(reading, ask.leftMs(), 'Reading the candidates took too long');
    return { labels: Uint32Array.from(hits, ({ label }) => label), scores: Float64Array.from(hits, ({ score }) => score) };
  }

  async ask(
    { entry, request }: Pick<SearchOf, 'entry' | 'request'>,
    { query, target }: Sought,
    wanted: number,
    leftMs: () => number,
  ): Promise<Found<VectorFound>> {
    if (target.kind === 'sparse' || !(query instanceof Float32Array))
      return this.#askSparse({ entry, request }, { query, target }, wanted, leftMs);
    const { key, hnsw, quantization } = target;
    const spread = quantization?.rescore === true ? quantization.oversampling : 1;
    const candidates = Math.max(wanted, Math.min(FIXED.searchCandidatesMax, Math.ceil(wanted * spread)));
    const filter = request.filter ?? null;
    if (request.exact && quantization !== null) return this.#exactly({ entry, request }, { query, target }, wanted, leftMs);
    const ef = Math.max(request.efSearch ?? hnsw.efSearch, candidates);
    const ask = { kind: 'vector', key, query, wanted: candidates, ef, exact: request.exact, filter, labels: null } as const;
    const found = await this.#parts.calls.ask('vector', entry, ask, leftMs, request);
    void this.#parts.recall.answered(entry, ask, found.answer, found.unindexed.length > 0);
    return found;
  }

  /** Always exact, so there is nothing to spread and nothing to be measured. */
  #askSparse(
    { entry, request }: Pick<SearchOf, 'entry' | 'request'>,
    { query, target }: Sought,
    wanted: number,
    leftMs: () => number,
  ): Promise<Found<VectorFound>> {
    const { key } = target;
    const modifier = target.kind === 'sparse' ? target.modifier : null;
    const filter = request.filter ?? null;
    const ask = { kind: 'vector', key, query, modifier, wanted, ef: wanted, exact: request.exact, filter, labels: null } as const;
    return this.#parts.calls.ask('vector', entry, ask, leftMs, request);
  }

  /** Where the index is quantized, the rows are scanned. */
  async #exactly(
    { entry, request }: Pick<SearchOf, 'entry' | 'request'>,
    { query, target }: { readonly query: Float32Array; readonly target: DenseTarget },
    limit: number,
    leftMs: () => number,
  ): Promise<Found<VectorFound>> {
    const { uid } = entry.row;
    const { key, distance } = target;
    const ask = { kind: 'match', filter: request.filter ?? null, labels: null } as const;
    const matched = await this.#parts.calls.ask('vector', entry, ask, leftMs, request);
    const among = matched.answer.labels;
    const startMs = performance.now();
    const exact = { kind: 'exact', uid, key, distance, query, limit, among } as const;
    const scan = this.#parts.reader.read(exact, 0, leftMs(), request.cancellation);
    const { labels, scores, visited } = await within(scan, leftMs(), 'The exact search took too long');
    const steps = [{ name: 'rows', tookMs: performance.now() - startMs }];
    const reason = 'exact was asked for, and a quantized index is not: rows were scanned';
    const { seq } = matched.answer;
    const counts = { estimated: among.size, matches: visited, visited, rejected: 0, live: entry.row.pointsCount };
    return { ...matched, answer: { labels, scores, exact: true, plan: 'scan', reason, ...counts, seq, steps, unindexed: [] } };
  }
}
