/** The form of a row of `points`, and how damage in it is seen.
 *
 *  crc covers every column but the payload, and payload_crc in its place; payload_crc covers the payload (row-checksum.ts).
 *  So a head (all but the payload) can be checked without reading overflow pages.
 *  Must not know: SQL beyond its list of columns. */

import { DIGEST_BYTES } from '../codec/digest.js';
import { decodePointId } from '../codec/point-id.js';
import type { PointId } from '../model/point.js';
import { columnChecksum, isBytes, isCount, isCountOrNull, rowChecksum } from './row-checksum.js';
import { labelOfKey, uidOfKey } from './row-keys.js';
import type { PointHead, PointRow } from './storage.js';

/** The columns of a head, in the order in which cells are read. */
export const POINT_HEAD = 'key, uid, dead_seq, version, label_seq, prev_label, expires_at, crc, payload_crc, id, content_hash';
export const POINT_HEAD_CELLS = 11;

/** The crc of a row as it is written. */
export function pointChecksum(
  key: number,
  row: PointRow,
  deadSeq: number | null,
  idBytes: Uint8Array,
  payloadCrc: number,
): number {
  return rowChecksum(
    [key, row.uid, deadSeq, row.version, row.labelSeq, row.prevLabel, row.expiresAtMs, payloadCrc],
    [idBytes, row.contentHash],
  );
}

/** Reads a head from cells in the order of POINT_HEAD; null when the row is damaged. */
export function readPointHead(cells: readonly unknown[]): PointHead | null {
  const id = checkHead(cells);
  if (id === null) return null;
  // Read by position, cell by cell: this is the hot path of every read, and destructuring or spreading here doubles its cost.
  return {
    uid: cells[1] as number,
    label: labelOfKey(cells[0] as number),
    id,
    version: cells[3] as number,
    labelSeq: cells[4] as number,
    prevLabel: cells[5] as number | null,
    expiresAtMs: cells[6] as number | null,
    deadSeq: cells[2] as number | null,
    contentHash: cells[10] as Buffer,
  };
}

/** Reads a whole row: the cells of a head, then the payload; null when the row is damaged. */
export function readPointRow(cells: readonly unknown[]): PointRow | null {
  const id = checkHead(cells);
  const payload = cells[POINT_HEAD_CELLS];
  if (id === null || !isBytes(payload) || columnChecksum(payload) !== cells[8]) return null;
  return {
    uid: cells[1] as number,
    label: labelOfKey(cells[0] as number),
    id,
    version: cells[3] as number,
    labelSeq: cells[4] as number,
    prevLabel: cells[5] as number | null,
    expiresAtMs: cells[6] as number | null,
    deadSeq: cells[2] as number | null,
    payload,
    contentHash: cells[10] as Buffer,
  };
}

/** The id of an intact head, else null. */
function checkHead(cells: readonly unknown[]): PointId | null {
  const key = cells[0];
  const uid = cells[1];
  const deadSeq = cells[2];
  const version = cells[3];
  const labelSeq = cells[4];
  const prevLabel = cells[5];
  const expiresAtMs = cells[6];
  const payloadCrc = cells[8];
  const id = cells[9];
  const contentHash = cells[10];
  if (!isCount(key) || !isCount(uid) || !isCountOrNull(deadSeq) || !isCount(version) || !isCount(labelSeq)) return null;
  if (!isCountOrNull(prevLabel) || !isCountOrNull(expiresAtMs) || !isBytes(id) || !isBytes(contentHash)) return null;
  if (!Number.isSafeInteger(payloadCrc) || contentHash.length !== DIGEST_BYTES || uidOfKey(key) !== uid) return null;
  const numbers = [key, uid, deadSeq, version, labelSeq, prevLabel, expiresAtMs, payloadCrc as number];
  return rowChecksum(numbers, [id, contentHash]) === cells[7] ? readId(id) : null;
}

function readId(bytes: Uint8Array): PointId | null {
  try {
    return decodePointId(bytes);
  } catch {
    return null;
  }
}

/** What a damaged row can still say about itself, for an error or a finding. */
export function placeOfPoint(cells: readonly unknown[]): { collection_uid: number | null; label: number | null } {
  const key = cells[0];
  return isCount(key) ? { collection_uid: uidOfKey(key), label: labelOfKey(key) } : { collection_uid: null, label: null };
}
