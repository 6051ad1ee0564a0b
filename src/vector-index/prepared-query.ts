/** A query as graphs and scans of one distance take it. Must not know: graphs. */

import { type Distance, norm } from '../model/distance.js';
import { queryScale } from './scale.js';

export interface PreparedQuery {
  readonly distance: Distance;
  /** As given by the user. */
  readonly vector: Float32Array;
  readonly length: number;
  /** What graphs multiply it with; null: they cannot rank it. */
  readonly scale: number | null;
}

/** @throws RangeError on another dimension and on a component that is not finite */
export function prepareQuery(distance: Distance, dimension: number, vector: Float32Array): PreparedQuery {
  if (vector.length !== dimension) throw new RangeError(`a query has ${vector.length} components instead of ${dimension}`);
  for (const value of vector) if (!Number.isFinite(value)) throw new RangeError('a query has a component that is not finite');
  const length = norm(vector);
  return { distance, vector, length, scale: queryScale(distance, length) };
}
