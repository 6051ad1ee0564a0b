/** What vectors in a body are held against: plain data, for both threads. Must not know: bodies, what a collection holds. */

import type { Distance } from '../model/distance.js';
import { DEFAULT_VECTOR, hasDefaultOnly, targetsOf, type VectorSpec } from '../model/vector-spec.js';

export interface VectorRule {
  /** Of the default vector. null: not known here, the first vector settles it; or there is none. */
  readonly dimension: number | null;
  readonly distance: Distance | null;
  /** Left out: there is a default vector only, and every point has it. */
  readonly named?: NamedRule;
}

export interface NamedRule {
  /** Null: not known here. */
  readonly hasDefault: boolean | null;
  /** Null: not known here, so that any may be given. */
  readonly vectors: readonly NamedVectorRule[] | null;
}

export interface NamedVectorRule {
  readonly name: string;
  /** Of a dense one; null: it is sparse. */
  readonly dimension: number | null;
  readonly distance: Distance | null;
}

/** Nothing is known: the first vector is the measure, and the writer says what is wrong. */
export const UNKNOWN_VECTORS: VectorRule = { dimension: null, distance: null, named: { hasDefault: null, vectors: null } };

export function ruleOf(spec: VectorSpec): VectorRule {
  const { dimension, distance } = spec;
  if (hasDefaultOnly(spec)) return { dimension, distance };
  const vectors = targetsOf(spec).flatMap((target) => {
    const { name } = target;
    if (name === DEFAULT_VECTOR) return [];
    return [target.kind === 'dense' ? { name, ...of(target) } : { name, dimension: null, distance: null }];
  });
  return { dimension, distance, named: { hasDefault: dimension !== null, vectors } };
}

function of({ dimension, distance }: { readonly dimension: number; readonly distance: Distance }) {
  return { dimension, distance };
}
