/** Writes over rows that fail their checksums, in their places: label, seq and versions stay, and so do content hashes and digests.
 *
 *  Only columns of no index are written, so a damaged row is never in the way of its own mending. What stays of a damaged point row must be
 *  proven first: by the content hash of the head where that is whole; else by the one that the digest asks for, and what no hash covers by the checksum
 *  that the row has once it is filled in. What cannot be proven is not touched. The caller holds the transaction and has checked what it brings. Must not know: where values come from. */

import { encodePointId } from '../codec/point-id.js';
import type { Database } from './driver.js';
import { POINT_HEAD, readPointHead } from './point-row.js';
import { columnChecksum, isCount, isCountOrNull, rowChecksum } from './row-checksum.js';
import { rowKey } from './row-keys.js';
import type { MendedPoint, StoreWriter } from './storage.js';

export type Mending = Pick<StoreWriter, 'mendPoint'>;

export function mending(db: Database): Mending {
  const headOf = db.prepare(`SELECT ${POINT_HEAD} FROM points WHERE key = ?`).raw();
  const fill = db.prepare('UPDATE points SET crc = ?, payload_crc = ?, content_hash = ?, payload = ? WHERE key = ?');
  const putVectors = db.prepare('INSERT OR REPLACE INTO vectors (key, crc, vector_set) VALUES (?, ?, ?)');
  return {
    mendPoint: (uid, label, point, digestHash) => {
      const key = rowKey(uid, label);
      const cells = headOf.get(key) as unknown[] | undefined;
      const crc = cells === undefined ? null : provenChecksum(cells, uid, point, digestHash);
      if (crc === null) return false;
      const { contentHash, payload, vectorSet } = point;
      fill.run(crc, columnChecksum(payload), contentHash, payload, key);
      putVectors.run(key, rowChecksum([key], [vectorSet]), vectorSet);
      return true;
    },
  };
}

/** The checksum of the row with this point in it, or null when it is not known to be that point's row. */
function provenChecksum(
  cells: readonly unknown[],
  uid: number,
  point: MendedPoint,
  digestHash: Uint8Array | null,
): number | null {
  const { version, expiresAtMs, contentHash, payload } = point;
  const [key, ownUid, deadSeq, ownVersion, labelSeq, prevLabel, ownExpiry, crc, , id] = cells;
  const idBytes = encodePointId(point.id);
  if (!isCount(key) || ownUid !== uid || deadSeq !== null || ownVersion !== version || ownExpiry !== expiresAtMs) return null;
  if (!isCount(labelSeq) || !isCountOrNull(prevLabel) || !Buffer.isBuffer(id) || !id.equals(idBytes)) return null;
  const head = readPointHead(cells);
  const expected = head?.contentHash ?? digestHash;
  if (expected === null || Buffer.compare(expected, contentHash) !== 0) return null;
  const numbers = [key, uid, null, version, labelSeq, prevLabel, expiresAtMs, columnChecksum(payload)];
  const filled = rowChecksum(numbers, [idBytes, contentHash]);
  return head !== null || filled === crc ? filled : null;
}
