/** Which points a write of the dialect is about: a list of ids, or all that match a filter. */

import type { Filter } from '../../model/filter.js';
import type { Limits } from '../../model/limits.js';
import { join, overLimit } from '../../wire/place.js';
import { filterOf } from './filter.js';
import { formMistake } from './mistakes.js';
import { type AskedId, askedId } from './point-id.js';

export type PointTarget = { readonly ids: readonly AskedId[] } | { readonly filter: Filter };

/** @param inside where the body stands in the whole @throws InvalidRequest, InvalidFilter */
export function targetOf(
  { points, filter }: { readonly points?: readonly unknown[]; readonly filter?: unknown },
  { pointsPerRequestMax }: Limits,
  inside = '',
): PointTarget {
  if ((points === undefined) === (filter === undefined)) throw formMistake(inside, 'exactly one of points and filter is needed');
  if (points === undefined) return { filter: filterOf(filter, join(inside, 'filter')) };
  const path = join(inside, 'points');
  if (points.length > pointsPerRequestMax) throw overLimit(path, 'points in one request', pointsPerRequestMax);
  return { ids: points.map((id, i) => askedId(id, `${path}[${i}]`)) };
}
