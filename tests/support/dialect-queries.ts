/** Queries of the Qdrant dialect, answered naively from its documentation: every point is scored by every stage. What the product's plans and
 *  engine calls are held against. Must not know: either of them. */

import type { Payload, PointId } from '../../src/model/point.js';
import { dialectMatch } from './dialect-filters.js';

export interface KnownPoint {
  readonly id: PointId;
  readonly vector: readonly number[];
  readonly payload: Payload;
}

export interface KnownHit {
  readonly id: PointId;
  readonly score: number;
}

type Json = Readonly<Record<string, unknown>>;
type Metric = 'Cosine' | 'Dot' | 'Euclid';

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
const unit = (a: readonly number[]): number[] => a.map((value) => value / Math.sqrt(dot(a, a)));
const squash = (x: number): number => 0.5 * (x / (1 + Math.abs(x)) + 1);

export class NaiveQueries {
  readonly #points: readonly KnownPoint[];
  readonly #metric: Metric;

  constructor(points: readonly KnownPoint[], metric: Metric) {
    this.#points = points;
    this.#metric = metric;
  }

  /** Higher is nearer. */
  #near(a: readonly number[], b: readonly number[]): number {
    if (this.#metric === 'Cosine') return dot(unit(a), unit(b));
    if (this.#metric === 'Dot') return dot(a, b);
    return -a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0);
  }

  /** As it is answered. */
  #shown(near: number): number {
    return this.#metric === 'Euclid' ? Math.sqrt(-near) : near;
  }

  #vector(input: unknown): readonly number[] {
    if (Array.isArray(input)) return input as number[];
    const { vector } = this.#points.find(({ id }) => id === input) as KnownPoint;
    return this.#metric === 'Cosine' ? unit(vector) : vector;
  }

  run(request: Json): KnownHit[] {
    const { offset = 0, limit = 10 } = request as { offset?: number; limit?: number };
    return this.#stage({ ...request, limit: limit + offset }, this.#points, true).slice(offset);
  }

  /** @param points that may be hits */
  #stage(stage: Json, points: readonly KnownPoint[], _isRoot: boolean): KnownHit[] {
    const {
      query,
      prefetch,
      filter,
      limit = 10,
      score_threshold: threshold,
    } = stage as {
      query?: Json;
      prefetch?: readonly Json[];
      filter?: Json;
      limit?: number;
      score_threshold?: number;
    };
    const own = idsIn(query);
    const allowed = points.filter(
      ({ id, payload }) => !own.includes(id) && (filter === undefined || dialectMatch(filter, id, payload)),
    );
    const lists = (prefetch ?? []).map((one) => this.#stage(one, allowed, false));
    const found = new Set(lists.flat().map(({ id }) => id));
    const among = prefetch === undefined ? allowed : allowed.filter(({ id }) => found.has(id));
    const passes = (score: number, lower: boolean): boolean =>
      threshold === undefined || (lower ? score < threshold : score > threshold);
    const isLower = this.#metric === 'Euclid';
    const top = (scores: readonly KnownHit[], lower = false): KnownHit[] =>
      scores
        .filter(({ score }) => passes(score, lower))
        .sort((a, b) => (lower ? a.score - b.score : b.score - a.score) || Number(a.id) - Number(b.id))
        .slice(0, limit);
    const by = (score: (vector: readonly number[]) => number): KnownHit[] =>
      among.map(({ id, vector }) => ({ id, score: score(vector) }));
    if (query === undefined)
      return [...among]
        .sort((a, b) => Number(a.id) - Number(b.id))
        .slice(0, limit)
        .map(({ id }) => ({ id, score: 1 }));
    if (query['rrf'] !== undefined || query['fusion'] === 'rrf') return top(byRank(lists, (query['rrf'] ?? {}) as Json));
    if (query['fusion'] === 'dbsf')
      return top(bySpread(lists, this.#metric === 'Euclid' ? lists.map((_, i) => nearestScored(prefetch?.[i])) : []));
    if (query['order_by'] !== undefined) return byField(among, query['order_by'] as Json, limit);
    if (query['recommend'] !== undefined) {
      const { positive = [], negative = [], strategy = 'average_vector' } = query['recommend'] as Record<string, never>;
      const [like, unlike] = [
        (positive as unknown[]).map((one) => this.#vector(one)),
        (negative as unknown[]).map((one) => this.#vector(one)),
      ];
      if (strategy === 'average_vector') {
        const target = average(like).map((value, i) =>
          unlike.length === 0 ? value : 2 * value - (average(unlike)[i] as number),
        );
        return top(
          by((vector) => this.#shown(this.#near(target, vector))),
          isLower,
        );
      }
      if (strategy === 'sum_scores') {
        const sum = (list: readonly (readonly number[])[], vector: readonly number[]): number =>
          list.reduce((total, one) => total + this.#near(one, vector), 0);
        return top(by((vector) => sum(like, vector) - sum(unlike, vector)));
      }
      return top(
        by((vector) => {
          const best = (list: readonly (readonly number[])[]): number =>
            Math.max(-1e300, ...list.map((one) => this.#near(one, vector)));
          return best(like) > best(unlike) ? squash(best(like)) : -squash(best(unlike));
        }),
      );
    }
    if (query['discover'] !== undefined || query['context'] !== undefined) {
      const discover = query['discover'] as Json | undefined;
      const pairs = [(discover === undefined ? query['context'] : (discover['context'] ?? [])) as unknown].flat() as {
        positive: unknown;
        negative: unknown;
      }[];
      const sides = (vector: readonly number[]): number[] =>
        pairs.map(
          ({ positive, negative }) => this.#near(this.#vector(positive), vector) - this.#near(this.#vector(negative), vector),
        );
      if (discover === undefined)
        return top(by((vector) => sides(vector).reduce((sum, side) => sum + soft(Math.min(side - 1.1920929e-7, 0)), 0)));
      const target = this.#vector(discover['target']);
      return top(
        by((vector) => sides(vector).reduce((sum, side) => sum + Math.sign(side), 0) + squash(this.#near(target, vector))),
      );
    }
    const target = this.#vector(query['nearest'] ?? query);
    const near = by((vector) => this.#shown(this.#near(target, vector)));
    const mmr = query['mmr'] as { diversity?: number; candidates_limit?: number } | undefined;
    if (mmr === undefined) return top(near, isLower);
    const candidates = near
      .filter(({ score }) => passes(score, isLower))
      .sort((x, y) => (isLower ? x.score - y.score : y.score - x.score))
      .slice(0, Math.max(limit, mmr.candidates_limit ?? 0));
    return this.#diverse(candidates, target, mmr.diversity ?? 0.5, limit);
  }

  #diverse(candidates: readonly KnownHit[], target: readonly number[], diversity: number, limit: number): KnownHit[] {
    let left = candidates;
    const chosen: KnownHit[] = [];
    const vectorOf = ({ id }: KnownHit): readonly number[] => (this.#points.find((one) => one.id === id) as KnownPoint).vector;
    while (chosen.length < limit && left.length > 0) {
      const gain = (hit: KnownHit): number => {
        const like = Math.max(-1e300, ...chosen.map((one) => this.#near(vectorOf(one), vectorOf(hit))));
        const relevance = this.#near(target, vectorOf(hit));
        return chosen.length === 0 ? relevance : (1 - diversity) * relevance - diversity * like;
      };
      const best = left.reduce((most, hit) => (gain(hit) > gain(most) ? hit : most));
      chosen.push(best);
      left = left.filter((hit) => hit !== best);
    }
    return chosen;
  }
}

const soft = (x: number): number => x / (1 + Math.abs(x));

function average(vectors: readonly (readonly number[])[]): number[] {
  return (vectors[0] ?? []).map((_, i) => vectors.reduce((sum, one) => sum + (one[i] as number), 0) / vectors.length);
}

/** Every point id that stands for its vector. */
function idsIn(query: Json | undefined): PointId[] {
  if (query === undefined || Array.isArray(query)) return [];
  if (typeof query !== 'object') return [query];
  const inputs: unknown[] = [];
  const pairsIn = (pairs: unknown): unknown[] =>
    [pairs].flat().flatMap((pair) => (pair === undefined ? [] : [(pair as Json)['positive'], (pair as Json)['negative']]));
  const { nearest, recommend, discover, context } = query as Record<string, Json | undefined>;
  inputs.push(nearest, ...((recommend?.['positive'] as unknown[]) ?? []), ...((recommend?.['negative'] as unknown[]) ?? []));
  inputs.push(discover?.['target'], ...pairsIn(discover?.['context']), ...pairsIn(context));
  return inputs.filter((one): one is PointId => typeof one === 'number' || typeof one === 'string');
}

function byRank(lists: readonly KnownHit[][], { k = 2, weights }: { k?: number; weights?: readonly number[] }): KnownHit[] {
  const sums = new Map<PointId, number>();
  for (const [place, list] of lists.entries())
    for (const [rank, { id }] of list.entries()) {
      const weight = weights?.[place] ?? 1;
      sums.set(id, (sums.get(id) ?? 0) + 1 / ((rank + 1) / weight + k - 1));
    }
  return [...sums].map(([id, score]) => ({ id, score }));
}

/** @param lower which lists have the nearest lowest */
function bySpread(lists: readonly KnownHit[][], lower: readonly boolean[]): KnownHit[] {
  const sums = new Map<PointId, number>();
  for (const [place, list] of lists.entries()) {
    const scores = list.map(({ score }) => (lower[place] === true ? -score : score));
    const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
    const deviation = Math.sqrt(scores.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (scores.length - 1));
    for (const [i, { id }] of list.entries()) {
      const low = mean - 3 * deviation;
      const normal = list.length < 2 || deviation === 0 ? 0.5 : ((scores[i] as number) - low) / (6 * deviation);
      sums.set(id, (sums.get(id) ?? 0) + normal);
    }
  }
  return [...sums].map(([id, score]) => ({ id, score }));
}

/** Does a prefetch answer distances? */
function nearestScored(stage: Json | undefined): boolean {
  const query = stage?.['query'] as Json | undefined;
  if (query === undefined) return false;
  if (Array.isArray(query) || typeof query !== 'object' || query['nearest'] !== undefined) return true;
  const recommend = query['recommend'] as Json | undefined;
  return recommend !== undefined && (recommend['strategy'] ?? 'average_vector') === 'average_vector';
}

function byField(points: readonly KnownPoint[], order: Json, limit: number): KnownHit[] {
  const { key, direction = 'asc', start_from: from } = order as { key: string; direction?: string; start_from?: number };
  const sign = direction === 'asc' ? 1 : -1;
  return points
    .map(({ id, payload }) => ({ id, value: payload[key] }))
    .filter((one): one is { id: PointId; value: number } => typeof one.value === 'number')
    .filter(({ value }) => from === undefined || sign * value >= sign * from)
    .sort((a, b) => sign * (a.value - b.value))
    .slice(0, limit)
    .map(({ id }) => ({ id, score: 1 }));
}
