/** The vectors of a collection by the names that queries have for them; '' is the default one. */

import type { CollectionInfo, FoundPoint } from '../../engine/engine.js';
import type { Distance } from '../../model/distance.js';
import { DEFAULT_VECTOR, type QueryVector } from '../../model/point.js';
import { targetsOf, type VectorTarget } from '../../model/vector-spec.js';
import { wrongInput } from './mistakes.js';

/** @throws InvalidRequest when there are none of this name */
export function targetOf(collection: CollectionInfo, name: string, path: string): VectorTarget {
  const target = targetsOf(collection).find((one) => one.name === name);
  if (target === undefined) throw wrongInput(`Not existing vector name error: ${name}`, path);
  return target;
}

/** How vectors of this name are compared; sparse ones by their inner product. @throws InvalidRequest when there are none */
export function distanceOf(collection: CollectionInfo, name: string, path: string): Distance {
  const target = targetOf(collection, name, path);
  return target.kind === 'dense' ? target.distance : 'dot';
}

/** The vector of this name of a point that was read with it; null when it has none. */
export function vectorNamed({ vector, vectors }: Pick<FoundPoint, 'vector' | 'vectors'>, name: string): QueryVector | null {
  if (name === DEFAULT_VECTOR) return vector;
  const named = vectors?.get(name);
  if (named === undefined) return null;
  return named.kind === 'dense' ? named.values : named;
}
