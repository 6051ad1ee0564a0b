/** Which point of which collection a damaged row is, for whoever was refused because of it: rows know uids and labels, callers names and ids.
 *
 *  What the refusal says of the place already stays as it is. An id is told only where it is sure: from a head that is whole, or where
 *  the index of ids leads to this very row. Must not know: repairs, requests. */

import { type ErrorRecord, SkeinError } from '../model/errors.js';
import type { PointId } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';

/** @param nameOf the name of a collection, or null when there is none (any more)
 *  @returns a CorruptData with `collection`, and with `point_id` (null: it cannot be told) where it is about a point; any other refusal as it is.
 *  Cost: reads up to two rows where the id is not known yet */
export function placedDamage(record: ErrorRecord, nameOf: (uid: number) => string | null, reads: StoreReads): ErrorRecord {
  const { collection_uid: uid, label, point_id: known } = record.details;
  const collection = record.type === 'CorruptData' && typeof uid === 'number' ? nameOf(uid) : null;
  if (collection === null || typeof uid !== 'number') return record;
  const place = `of collection '${collection}'`;
  if (typeof label !== 'number')
    return { ...record, message: `${record.message}, ${place}`, details: { collection, ...record.details } };
  const id = isPointId(known) ? known : sureId(reads, uid, label);
  const which = id === null ? `a point ${place} whose id cannot be told` : `point ${JSON.stringify(id)} ${place}`;
  return { ...record, message: `${record.message}: ${which}`, details: { collection, ...record.details, point_id: id } };
}

function isPointId(value: unknown): value is PointId {
  return typeof value === 'number' || typeof value === 'string';
}

/** Null where nothing sure is known. A second failure changes nothing about the first, which is the one to tell. */
function sureId(reads: StoreReads, uid: number, label: number): PointId | null {
  try {
    const [found] = reads.lookAtHeads(uid, label, 1);
    if (found?.label !== label) return null;
    return found.head?.id ?? idByIndex(reads, uid, label);
  } catch {
    return null;
  }
}

function idByIndex(reads: StoreReads, uid: number, label: number): PointId | null {
  const id = reads.lookAtLabel(uid, label)?.id ?? null;
  if (id === null) return null;
  try {
    return reads.headById(uid, id)?.label === label ? id : null;
  } catch (error) {
    return error instanceof SkeinError && error.details['label'] === label ? id : null;
  }
}
