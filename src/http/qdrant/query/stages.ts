/** Queries of the dialect as they were read: a tree of stages, each of which orders the points that the stages under it found, or all.
 *  Must not know: bodies, how a stage is answered. */

import type { Filter } from '../../../model/filter.js';
import type { QueryVector } from '../../../model/point.js';
import type { ExamplePair } from '../../../model/rank-rule.js';
import type { AskedOrder } from '../order-by.js';
import type { AskedId } from '../point-id.js';

/** A vector, or the vector of a point. */
export type VectorInput = { readonly asked: AskedId } | { readonly vector: QueryVector };

export interface Diversity {
  /** 0: what is near · 1: what is unlike what was chosen before. */
  readonly diversity: number;
  /** From how many of the nearest points is chosen; null: as many as are wanted. */
  readonly candidates: number | null;
}

export type Query =
  | { readonly kind: 'nearest'; readonly to: VectorInput; readonly mmr: Diversity | null }
  | {
      readonly kind: 'recommend';
      readonly strategy: 'average_vector' | 'best_score' | 'sum_scores';
      readonly positive: readonly VectorInput[];
      readonly negative: readonly VectorInput[];
    }
  | { readonly kind: 'discover'; readonly target: VectorInput; readonly pairs: readonly ExamplePair<VectorInput>[] }
  | { readonly kind: 'context'; readonly pairs: readonly ExamplePair<VectorInput>[] }
  | { readonly kind: 'order_by'; readonly order: AskedOrder }
  | { readonly kind: 'rrf'; readonly k: number; readonly weights: readonly number[] | null }
  | { readonly kind: 'dbsf' }
  | { readonly kind: 'sample' };

export interface Stage {
  /** Where it stands in the body. */
  readonly path: string;
  readonly prefetch: readonly Stage[];
  /** Null: points in the order of their ids. */
  readonly query: Query | null;
  /** Name of the vectors that are compared; '' is the default one. */
  readonly using: string;
  readonly filter: Filter | null;
  readonly efSearch: number | null;
  readonly exact: boolean;
  /** Scores must be better than this. */
  readonly scoreThreshold: number | null;
  readonly limit: number;
  /** Where ids stand for vectors of another collection, or under another name. */
  readonly lookupFrom: { readonly collection: string; readonly vector: string | null } | null;
}

/** Vectors that a query takes from the request, and those it takes from points. */
export function inputsOf(query: Query | null): readonly VectorInput[] {
  switch (query?.kind) {
    case 'nearest':
      return [query.to];
    case 'recommend':
      return [...query.positive, ...query.negative];
    case 'discover':
      return [query.target, ...query.pairs.flatMap(({ positive, negative }) => [positive, negative])];
    case 'context':
      return query.pairs.flatMap(({ positive, negative }) => [positive, negative]);
    default:
      return [];
  }
}

/** The stage and all under it. */
export function stagesOf(stage: Stage): readonly Stage[] {
  return [stage, ...stage.prefetch.flatMap(stagesOf)];
}
