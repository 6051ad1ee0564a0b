/** A store's reads that end when they have given so many bytes, for the thread that must not be held: what a collection's rows have on
 *  average says little about the ones that are asked for. At most one row more than the bound is read.
 *  Must not know: requests, threads. */

import type { PointRow, StoreReads } from '../storage/storage.js';

/** The bound is reached and there is more to read. */
export class BoundReached extends Error {
  override readonly name = 'BoundReached';
}

/** The same store; reading payloads or vectors behind the bound throws BoundReached. For one request. */
export function boundedReads(reads: StoreReads, bytesMax: number): StoreReads {
  let left = bytesMax;
  const counted = <T>(read: () => T, bytesOf: (found: T) => number): T => {
    if (left <= 0) throw new BoundReached(`more than ${bytesMax} bytes`);
    const found = read();
    left -= bytesOf(found);
    return found;
  };
  return {
    ...reads,
    pointById: (uid, id) => counted(() => reads.pointById(uid, id), payloadBytes),
    pointByLabel: (uid, label) => counted(() => reads.pointByLabel(uid, label), payloadBytes),
    pointsAfter: (uid, after, limit, pageBytesMax) =>
      counted(() => reads.pointsAfter(uid, after, limit, Math.min(pageBytesMax, left)), pageBytes),
    pointsFrom: (uid, fromLabel, limit, pageBytesMax) =>
      counted(() => reads.pointsFrom(uid, fromLabel, limit, Math.min(pageBytesMax, left)), pageBytes),
    vectorSet: (uid, label) =>
      counted(
        () => reads.vectorSet(uid, label),
        (vectorSet) => vectorSet?.length ?? 0,
      ),
  };
}

function pageBytes(rows: readonly PointRow[]): number {
  return rows.reduce((sum, row) => sum + payloadBytes(row), 0);
}

function payloadBytes(row: PointRow | undefined): number {
  return row?.payload.length ?? 0;
}
