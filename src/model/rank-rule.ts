/** Orders of points beside nearness to one vector: by how they stand to several examples, by a payload field, or by chance.
 *
 *    best_score   near the best of the positive examples, unless a negative one is nearer         sum_scores   Σ positive − Σ negative
 *    discover     on the positive side of most pairs, then near the target                        context      on the positive side of all pairs
 *    order        by the numbers or instants of a payload field                                   sample       any
 *
 *  Must not know: how vectors are compared (search/rank-rules.ts), rows. */

import type { AtKey } from './filter.js';

export interface ExamplePair<Vector> {
  readonly positive: Vector;
  readonly negative: Vector;
}

export type VectorRule<Vector> =
  | {
      readonly kind: 'best_score' | 'sum_scores';
      /** One example at least in both together. */
      readonly positive: readonly Vector[];
      readonly negative: readonly Vector[];
    }
  | { readonly kind: 'discover'; readonly target: Vector; readonly pairs: readonly ExamplePair<Vector>[] }
  | { readonly kind: 'context'; readonly pairs: readonly ExamplePair<Vector>[] };

/** Of several values of a point the first in the order counts; points without a value are left out. */
export type FieldOrder = AtKey & {
  readonly kind: 'order';
  /** Values are instants in text, read as milliseconds. */
  readonly time: boolean;
  readonly descending: boolean;
  /** Values before it in the order are passed over; the bound itself counts. */
  readonly from: number | null;
};

export type RankRule<Vector> =
  | VectorRule<Vector>
  | FieldOrder
  /** @property seed any integer: the same one draws the same points of the same state */
  | { readonly kind: 'sample'; readonly seed: number };

/** Every vector of a rule. */
export function examplesOf<Vector>(rule: RankRule<Vector>): readonly Vector[] {
  switch (rule.kind) {
    case 'best_score':
    case 'sum_scores':
      return [...rule.positive, ...rule.negative];
    case 'discover':
      return [rule.target, ...rule.pairs.flatMap(({ positive, negative }) => [positive, negative])];
    case 'context':
      return rule.pairs.flatMap(({ positive, negative }) => [positive, negative]);
    case 'order':
    case 'sample':
      return [];
  }
}
