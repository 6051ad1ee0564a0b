/** Holds points against their collection before they travel, so that a bad one is named by its place without a round trip.
 *  The server checks again; what it refuses beyond this is found by the sender. */

import { norm } from '../../model/distance.js';
import type { CollectionInfo } from '../../sdk/index.js';
import { type ImportRecord, refusedRecord } from './record.js';

/** @returns the record itself, or its refusal */
export function collectionCheck({
  dimension,
  distance,
}: Pick<CollectionInfo, 'dimension' | 'distance'>): (record: ImportRecord) => ImportRecord {
  return (record) => {
    if (record.kind === 'refused') return record;
    const problem =
      record.vector.length !== dimension
        ? `has ${record.vector.length} dimensions; the collection has ${dimension}`
        : distance === 'cosine' && norm(record.vector) === 0
          ? 'is a zero vector, which has no cosine'
          : null;
    return problem === null ? record : refusedRecord(record, problem);
  };
}
