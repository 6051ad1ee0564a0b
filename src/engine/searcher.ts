/** One search from request to hits: target vector → index (or exact scan) → rows → order, threshold, page.
 *
 *  No silent under-fill: when the graph finds fewer than min(wanted, live points), the search is answered exactly instead.
 *  While a search is open, the dead rows it may still meet are kept (openFloors).
 *  Must not know: HTTP, threads, how an index works. */

import type { AnswerBudget } from '../model/answer-budget.js';
import type { Clock } from '../model/clock.js';
import { norm } from '../model/distance.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import type { PointId } from '../model/point.js';
import type { Position } from '../model/position.js';
import { type CatalogueEntry, shownSeq } from './catalogue.js';
import type { Explanation, SearchAnswer, SearchRequest } from './engine.js';
import type { IndexPool } from './index-pool.js';
import type { Reader } from './reader.js';
import type { HitsPage, ReadAnswers } from './reads.js';

const UNRANKED_ADVICE =
  'up to 64 are compared one by one with every query, beyond that all points are. Multiply all vectors by one number.';

interface Found extends Readonly<ReadAnswers['hits']> {
  readonly live: number;
  readonly seq: number;
  readonly plan: 'flat' | 'graph' | 'exact';
  readonly visited: number;
}

export interface SearcherParts {
  readonly pool: IndexPool;
  readonly reader: Reader;
  readonly clock: Clock;
  /** False once the collection was dropped. */
  readonly isThere: (uid: number) => boolean;
  readonly durableSeq: () => number;
  readonly positionAt: (seq: number) => Position;
}

export class Searcher {
  readonly #parts: SearcherParts;
  /** Open searches by the seq they started from. */
  readonly #openFloors = new Map<symbol, number>();

  constructor(parts: SearcherParts) {
    this.#parts = parts;
  }

  /** Rows that died after this seq may still be met by an open search. */
  get floorSeq(): number {
    let floor = Number.POSITIVE_INFINITY;
    for (const seq of this.#openFloors.values()) floor = Math.min(floor, seq);
    return floor;
  }

  /** @throws InvalidRequest, DimensionMismatch, ZeroVector, PointNotFound, Overloaded, CorruptData, PayloadTooLarge (the hits) */
  async search(entry: CatalogueEntry, request: SearchRequest, budget: AnswerBudget): Promise<SearchAnswer> {
    checkText(entry, request);
    refuseLater(request);
    const { clock } = this.#parts;
    const startMs = clock.monotonicMs();
    const steps: { name: string; tookMs: number }[] = [];
    const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
      const beganMs = clock.monotonicMs();
      const result = await work;
      steps.push({ name, tookMs: clock.monotonicMs() - beganMs });
      return result;
    };
    const token = Symbol('search');
    this.#openFloors.set(token, Math.min(entry.indexed.seq, this.#parts.durableSeq()));
    try {
      const query = await timed('target', this.#target(entry, request));
      const wanted = request.offset + request.limit + (request.id === undefined ? 0 : 1);
      const ask: Ask = { entry, request, query, wanted, budget };
      let found = request.exact ? null : await timed('index', this.#fromIndex(ask));
      if (found === null || found.rows < Math.min(wanted, found.live)) {
        budget.giveBack(found?.bytes ?? 0);
        found = await timed('exact', this.#exactly(ask));
      }
      if (found.lost > 0 && !this.#parts.isThere(entry.row.uid))
        throw new SkeinError('CollectionNotFound', 'The collection was dropped');
      const answer: SearchAnswer = {
        hits: found.hits,
        complete: found.lost === 0,
        ...(found.lost === 0 ? {} : { incompleteReason: `${found.lost} hits were removed while the search ran` }),
        mode: request.exact ? 'exact' : 'vector',
        degraded: false,
        tookMs: clock.monotonicMs() - startMs,
        position: this.#parts.positionAt(found.seq),
      };
      return request.explain ? { ...answer, explain: explain(entry, request, found, steps) } : answer;
    } finally {
      this.#openFloors.delete(token);
    }
  }

  async #target(entry: CatalogueEntry, { vector, id }: SearchRequest): Promise<Float32Array> {
    const { dimension, distance } = entry.row.spec;
    if (id !== undefined) return this.#vectorOf(entry, id);
    if (vector === undefined) throw invalidRequest('', 'at least one of vector, id and text is needed');
    if (vector.length !== dimension) {
      throw new SkeinError(
        'DimensionMismatch',
        `The query has ${vector.length} components, collection '${entry.row.name}' has ${dimension}`,
        {
          expected: dimension,
          got: vector.length,
        },
      );
    }
    if (distance === 'cosine' && norm(vector) === 0) {
      throw new SkeinError('ZeroVector', 'A zero vector has no direction, so no cosine to anything');
    }
    return vector;
  }

  async #vectorOf(entry: CatalogueEntry, id: PointId): Promise<Float32Array> {
    const selection = { withPayload: false, withVector: true };
    const bytesMax = Number.POSITIVE_INFINITY;
    const { points } = await this.#parts.reader.read({ kind: 'get', uid: entry.row.uid, ids: [id], selection, bytesMax });
    const vector = points[0]?.vector;
    if (vector === undefined || vector === null) {
      throw new SkeinError('PointNotFound', `Point ${JSON.stringify(id)} not found in '${entry.row.name}'`, { id });
    }
    return vector;
  }

  async #fromIndex(ask: Ask): Promise<Found> {
    const { entry, request, query, wanted } = ask;
    const { uid, spec } = entry.row;
    const ef = Math.max(request.efSearch ?? spec.hnsw.efSearch, wanted);
    const answer = await this.#parts.pool.search(uid, query, wanted, ef);
    const { labels, scores, scanned, live } = answer;
    // Settled before anything else is waited for: the index moves on while rows are read.
    const durable = this.#parts.durableSeq();
    const seq = Math.min(durable, Math.max(answer.seq, shownSeq(entry, durable)));
    const hits = await this.#hits(ask, labels, scores);
    return { ...hits, live, seq, plan: scores === null ? 'graph' : 'flat', visited: scanned + (scores === null ? ef : 0) };
  }

  async #exactly(ask: Ask): Promise<Found> {
    const { entry, query, wanted } = ask;
    const { uid, spec } = entry.row;
    const answer = await this.#parts.reader.read({ kind: 'exact', uid, distance: spec.distance, query, limit: wanted });
    const hits = await this.#hits(ask, answer.labels, answer.scores);
    return { ...hits, live: answer.visited, seq: answer.seq, plan: 'exact', visited: answer.visited };
  }

  #hits({ entry, request, query, budget }: Ask, labels: Uint32Array, scores: Float64Array | null): Promise<ReadAnswers['hits']> {
    const { uid, spec, pointsCount, dataBytes } = entry.row;
    const { withPayload, withVector } = request;
    const hits = { kind: 'hits', uid, distance: spec.distance, query, labels, scores, page: pageOf(request) } as const;
    return budget.take((bytesBefore) =>
      this.#parts.reader.read(
        { ...hits, selection: { withPayload, withVector }, bytesMax: budget.bytesMax, bytesBefore },
        pointsCount === 0 ? 0 : dataBytes / pointsCount,
      ),
    );
  }
}

function checkText({ row }: CatalogueEntry, { text }: SearchRequest): void {
  if (text === undefined || row.spec.text.fields.length > 0) return;
  throw invalidRequest('text', `collection '${row.name}' has no text_fields to find it in`);
}

/** What can be asked and is not answered yet. */
function refuseLater({ filter, text }: SearchRequest): void {
  if (filter !== undefined) throw invalidRequest('filter', 'filtered search is not available in this version');
  if (text !== undefined) throw invalidRequest('text', 'text search is not available in this version');
}

/** One search on its way. */
interface Ask {
  readonly entry: CatalogueEntry;
  readonly request: SearchRequest;
  readonly query: Float32Array;
  /** Hits to find, those in front of the page and the target itself included. */
  readonly wanted: number;
  readonly budget: AnswerBudget;
}

function pageOf({ offset, limit, scoreThreshold, id }: SearchRequest): HitsPage {
  return {
    offset,
    limit,
    ...(scoreThreshold === undefined ? {} : { scoreThreshold }),
    ...(id === undefined ? {} : { without: id }),
  };
}

const NO_STATUS = { growing: 0, tombstones: 0, unranked: 0, waiting: 0 };

function explain(entry: CatalogueEntry, request: SearchRequest, found: Found, steps: Explanation['steps']): Explanation {
  const reasons = {
    flat: 'the collection is small enough to be searched exactly in memory',
    graph: 'no filter, so the graph alone answers',
    exact: request.exact ? 'exact was asked for' : 'the graph gave fewer points than there are, so all were scanned',
  };
  const { growing, tombstones, unranked, waiting } = entry.report?.status ?? NO_STATUS;
  const advice: string[] = [];
  if (waiting > 0) advice.push(`${waiting} points wait for their place in the graph and are compared one by one.`);
  if (growing > 0) advice.push(`The graph is being rebuilt, so two are searched; ${growing} points are still to be moved.`);
  if (unranked > 0) advice.push(`${unranked} vectors are too long or too short for the graph: ${UNRANKED_ADVICE}`);
  return {
    plan: found.plan,
    reason: reasons[found.plan],
    cardinality: { estimated: entry.row.pointsCount, actual: found.live },
    visited: found.visited,
    rejected: 0,
    steps,
    engines: { vector: { kind: found.plan, ef_search: request.efSearch ?? entry.row.spec.hnsw.efSearch, tombstones } },
    advice,
  };
}
