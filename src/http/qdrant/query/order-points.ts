/** The order of one stage over the points that a filter lets pass: each kind of query as the engine call that answers it.
 *  Must not know: prefetches, bodies. */

import type { Engine, SearchRequest, Selection } from '../../../engine/engine.js';
import { pointsBytes } from '../../../model/answer-budget.js';
import type { Filter } from '../../../model/filter.js';
import { DEFAULT_FUSION } from '../../../model/fusion.js';
import { DEFAULT_VECTOR, type PointId, type QueryVector } from '../../../model/point.js';
import type { RankRule } from '../../../model/rank-rule.js';
import { join } from '../../../wire/place.js';
import { fieldOrder, orderValue } from '../order-by.js';
import { distanceOf, vectorNamed } from '../vector-names.js';
import { averageVector } from './average.js';
import { diversify } from './diversify.js';
import type { DialectHit, QueryContext, StageVectors } from './query-context.js';
import { beyond } from './score-bound.js';
import type { Query, Stage } from './stages.js';

/** What the dialect gives points that have no score. */
const NO_SCORE = 1;
/** Points of one page of a scroll. */
const PAGE_POINTS = 1_000;

type ScrollPage = Awaited<ReturnType<Engine['scroll']>>;

export interface Ordered {
  /** Best first. */
  readonly hits: readonly DialectHit[];
  readonly lowerIsBetter: boolean;
  /** The hits have what is to be shown. */
  readonly isShown: boolean;
}

export interface Order {
  readonly stage: Stage;
  readonly vectors: StageVectors;
  readonly filter: Filter | null;
  /** What prefetches found, which the filter names; null: there were none. */
  readonly among: readonly PointId[] | null;
  readonly shown: Selection;
}

/** What is read counts against the bound of the request. @throws as Engine.search, Engine.rank, Engine.scroll · PayloadTooLarge */
export function orderPoints(context: QueryContext, order: Order): Promise<Ordered> {
  const { stage, vectors } = order;
  const { query } = stage;
  switch (query?.kind) {
    case undefined:
      return byId(context, order);
    case 'nearest':
      return query.mmr === null
        ? nearest(context, order, vectors.of(query.to))
        : diverse(context, order, query.mmr, vectors.of(query.to));
    case 'recommend':
      return recommended(context, order, query);
    case 'discover':
    case 'context': {
      const pairs = query.pairs.map(({ positive, negative }) => ({
        positive: vectors.of(positive),
        negative: vectors.of(negative),
      }));
      const rule: RankRule<QueryVector> =
        query.kind === 'context' ? { kind: 'context', pairs } : { kind: 'discover', target: vectors.of(query.target), pairs };
      return ranked(context, order, rule);
    }
    case 'order_by':
      return ranked(context, order, fieldOrder(query.order, context.collection));
    case 'sample':
      return ranked(context, order, { kind: 'sample', seed: context.seed() });
    default:
      throw new Error('a fusion orders no points by itself');
  }
}

async function byId(context: QueryContext, { stage, filter, shown }: Order): Promise<Ordered> {
  const { engine, collection, budget, cancellation, positions } = context;
  const hits: DialectHit[] = [];
  let after: PointId | null = null;
  do {
    const limit: number = Math.min(PAGE_POINTS, stage.limit - hits.length);
    const asked = { ...shown, ...filtered(filter), ...whileWanted(cancellation), limit, after };
    const page: ScrollPage = await budget.hold(
      () => engine.scroll(collection.name, asked),
      ({ points }) => points,
    );
    positions.push(page.position);
    for (const point of page.points) hits.push({ ...point, score: NO_SCORE });
    after = page.next;
  } while (after !== null && hits.length < stage.limit);
  return { hits, lowerIsBetter: false, isShown: true };
}

async function nearest(context: QueryContext, order: Order, query: QueryVector, limit = order.stage.limit): Promise<Ordered> {
  const { stage, shown } = order;
  const lowerIsBetter = distanceOf(context.collection, stage.using, join(stage.path, 'using')) === 'euclid';
  const search = searchOf(context, order, query, limit);
  const found = await searched(context, { ...search, ...shown });
  return { hits: found, lowerIsBetter, isShown: true };
}

/** An answer that would not be whole is looked for exactly. */
async function searched(context: QueryContext, search: SearchRequest): Promise<DialectHit[]> {
  const { engine, collection, budget, positions } = context;
  let answer = await engine.search(collection.name, search, budget);
  if (!answer.complete && !search.exact) {
    budget.giveBack(pointsBytes(answer.hits));
    answer = await engine.search(collection.name, { ...search, exact: true }, budget);
  }
  positions.push(answer.position);
  return [...answer.hits];
}

export function searchOf(
  context: QueryContext,
  { stage, filter, among }: Omit<Order, 'shown' | 'vectors'>,
  vector: QueryVector,
  limit: number,
): SearchRequest {
  const { timeoutMs, cancellation, span, notBeforeSeq } = context;
  const lowerIsBetter = distanceOf(context.collection, stage.using, join(stage.path, 'using')) === 'euclid';
  return {
    vector,
    ...(stage.using === DEFAULT_VECTOR ? {} : { using: stage.using }),
    ...filtered(filter),
    ...whileWanted(cancellation),
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(span === undefined ? {} : { span }),
    ...(notBeforeSeq === 0 ? {} : { notBeforeSeq }),
    ...(stage.efSearch === null ? {} : { efSearch: stage.efSearch }),
    ...(stage.scoreThreshold === null ? {} : { scoreThreshold: beyond(stage.scoreThreshold, lowerIsBetter) }),
    fusion: DEFAULT_FUSION,
    cache: among === null,
    exact: stage.exact || among !== null,
    explain: false,
    limit,
    offset: 0,
    withPayload: false,
    withVector: false,
  };
}

async function diverse(
  context: QueryContext,
  order: Order,
  { diversity, candidates }: NonNullable<Extract<Query, { kind: 'nearest' }>['mmr']>,
  query: QueryVector,
): Promise<Ordered> {
  const { stage } = order;
  const distance = distanceOf(context.collection, stage.using, join(stage.path, 'using'));
  const selection: Selection = { withPayload: false, withVector: [stage.using] };
  const near = await nearest(context, { ...order, shown: selection }, query, Math.max(stage.limit, candidates ?? 0));
  const vectors = near.hits.map((hit) => vectorOfHit(hit, stage.using));
  const chosen = diversify({ query, candidates: vectors, distance, diversity, limit: stage.limit });
  const hits = chosen.map((place) => bareHit(near.hits[place] as DialectHit));
  // The vectors were looked at, and are let go.
  context.budget.giveBack(pointsBytes(near.hits) - pointsBytes(hits));
  return { ...near, hits, isShown: false };
}

/** A hit whose point is still to be read. */
export function bareHit({ id, score }: Pick<DialectHit, 'id' | 'score'>): DialectHit {
  return { id, score, version: 0, payload: null, vector: null };
}

function vectorOfHit(hit: DialectHit, using: string): QueryVector {
  const vector = vectorNamed(hit, using);
  if (vector === null) throw new Error('a hit lacks the vector that it was found by');
  return vector;
}

function recommended(context: QueryContext, order: Order, query: Extract<Query, { kind: 'recommend' }>): Promise<Ordered> {
  const { stage, vectors } = order;
  const positive = query.positive.map((input) => vectors.of(input));
  const negative = query.negative.map((input) => vectors.of(input));
  if (query.strategy !== 'average_vector') return ranked(context, order, { kind: query.strategy, positive, negative });
  return nearest(context, order, averageVector(positive, negative, join(stage.path, 'query.recommend')));
}

/** Looks at every point that passes. */
async function ranked(context: QueryContext, { stage, filter, shown }: Order, rule: RankRule<QueryVector>): Promise<Ordered> {
  const { engine, collection, budget, cancellation, timeoutMs, positions } = context;
  const isScored = rule.kind !== 'order' && rule.kind !== 'sample';
  const { limit, scoreThreshold: threshold } = stage;
  const asked = {
    ...shown,
    ...filtered(filter),
    ...whileWanted(cancellation),
    ...(timeoutMs === null ? {} : { timeoutMs }),
    ...(threshold === null || !isScored ? {} : { scoreMin: beyond(threshold, false) }),
    ...(stage.using === DEFAULT_VECTOR ? {} : { using: stage.using }),
    rule,
    limit,
  };
  const answer = await budget.hold(
    () => engine.rank(collection.name, asked),
    (found) => found.hits,
  );
  positions.push(answer.position);
  const hits = isScored
    ? answer.hits
    : answer.hits.map((hit) => ({
        ...hit,
        score: NO_SCORE,
        ...(rule.kind === 'order' ? { orderValue: orderValue(hit.score, rule) } : {}),
      }));
  return { hits, lowerIsBetter: false, isShown: true };
}

function filtered(filter: Filter | null): { readonly filter?: Filter } {
  return filter === null ? {} : { filter };
}

function whileWanted(cancellation: QueryContext['cancellation']): Pick<SearchRequest, 'cancellation'> {
  return cancellation === undefined ? {} : { cancellation };
}
