/** Holds points against their collection before they travel, so that a bad one is named by its place without a round trip.
 *  The server checks again; what it refuses beyond this is found by the sender. */

import { norm } from '../../model/distance.js';
import type { CollectionInfo, Distance } from '../../sdk/index.js';
import { type ImportRecord, type PointRecord, refusedRecord } from './record.js';

type Declared = Pick<CollectionInfo, 'dimension' | 'distance' | 'vectors' | 'sparseVectors'>;

/** @returns the record itself, or its refusal */
export function collectionCheck(info: Declared): (record: ImportRecord) => ImportRecord {
  return (record) => {
    if (record.kind === 'refused') return record;
    const problem = defaultProblem(record, info) ?? namedProblem(record, info);
    return problem === null ? record : refusedRecord(record, problem);
  };
}

function defaultProblem({ vector }: PointRecord, { dimension, distance, vectors, sparseVectors }: Declared): string | null {
  const named = [...Object.keys(vectors), ...Object.keys(sparseVectors)];
  if (vector === undefined) return dimension === null || named.length > 0 ? null : 'has no vector';
  if (dimension === null) return `has a vector; the collection has vectors under names only: ${named.join(', ')}`;
  return denseProblem(vector, { dimension, distance });
}

function namedProblem({ vectors: given = {} }: PointRecord, { vectors, sparseVectors }: Declared): string | null {
  for (const [name, vector] of Object.entries(given)) {
    const dense = Object.hasOwn(vectors, name) ? vectors[name] : undefined;
    const sparse = Object.hasOwn(sparseVectors, name);
    if (dense === undefined && !sparse) return `has a vector ${JSON.stringify(name)}, which the collection does not declare`;
    if (vector instanceof Float32Array === sparse)
      return `has a vector ${JSON.stringify(name)} that is ${sparse ? 'dense' : 'sparse'}; the collection declares it ${sparse ? 'sparse' : 'dense'}`;
    const problem = dense !== undefined && vector instanceof Float32Array ? denseProblem(vector, dense) : null;
    if (problem !== null) return `in its vector ${JSON.stringify(name)}: ${problem}`;
  }
  return null;
}

function denseProblem(
  vector: Float32Array,
  { dimension, distance }: { readonly dimension: number; readonly distance: Distance | null },
): string | null {
  if (vector.length !== dimension) return `has ${vector.length} dimensions; the collection has ${dimension}`;
  return distance === 'cosine' && norm(vector) === 0 ? 'is a zero vector, which has no cosine' : null;
}
