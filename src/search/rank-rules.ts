/** Scores of one vector under the rules of model/rank-rule.ts; higher is better.
 *
 *    s(x) = (x / (1 + |x|) + 1) / 2          similarity: what is higher the nearer two vectors are
 *    best_score   s(best positive), or −s(best negative) when that is as high
 *    discover     Σ sign(positive − negative) over the pairs, plus s(target)
 *    context      Σ over the pairs of what the positive lacks to be nearer by a hair, as x / (1 + |x|), at most 0
 *
 *  Source: Qdrant's recommendation and discovery queries, as documented for version 1.19. Pure. Must not know: rows, distances. */

import type { ExamplePair, VectorRule } from '../model/rank-rule.js';

/** By how much the positive must be nearer: the float32 epsilon. */
const HAIR = 2 ** -23;

/** @param bind the similarity of stored vectors to one example  @returns the score of a stored vector; cost: one similarity an example */
export function ruleScorer<Vector, Stored>(
  rule: VectorRule<Vector>,
  bind: (example: Vector) => (stored: Stored) => number,
): (stored: Stored) => number {
  const bound = ({ positive, negative }: ExamplePair<Vector>): ((stored: Stored) => number) => {
    const [near, far] = [bind(positive), bind(negative)];
    return (stored) => near(stored) - far(stored);
  };
  switch (rule.kind) {
    case 'best_score': {
      const best = (examples: readonly Vector[]): ((stored: Stored) => number) => {
        const similarities = examples.map(bind);
        return (stored) => similarities.reduce((most, one) => Math.max(most, one(stored)), Number.NEGATIVE_INFINITY);
      };
      const [positive, negative] = [best(rule.positive), best(rule.negative)];
      return (stored) => {
        const [like, unlike] = [positive(stored), negative(stored)];
        return like > unlike ? squashed(like) : -squashed(unlike);
      };
    }
    case 'sum_scores': {
      const sum = (examples: readonly Vector[]): ((stored: Stored) => number) => {
        const similarities = examples.map(bind);
        return (stored) => similarities.reduce((total, one) => total + one(stored), 0);
      };
      const [positive, negative] = [sum(rule.positive), sum(rule.negative)];
      return (stored) => positive(stored) - negative(stored);
    }
    case 'discover': {
      const target = bind(rule.target);
      const sides = rule.pairs.map(bound);
      return (stored) => sides.reduce((rank, side) => rank + Math.sign(side(stored)), 0) + squashed(target(stored));
    }
    case 'context': {
      const sides = rule.pairs.map(bound);
      return (stored) => sides.reduce((loss, side) => loss + softened(Math.min(side(stored) - HAIR, 0)), 0);
    }
  }
}

function softened(value: number): number {
  return value / (1 + Math.abs(value));
}

/** Into (0, 1). */
function squashed(value: number): number {
  return (softened(value) + 1) / 2;
}
