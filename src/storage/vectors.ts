/** The table of vectors: one encoded vector set per label, apart from the point's row, so that reading payloads skips them.
 *  Bytes come back 4-byte aligned, so that floats are used in place. Must not know: points, what is inside a set. */

import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { isBytes, isCount, rowChecksum } from './row-checksum.js';
import { rowKey } from './row-keys.js';
import type { StoreReads, StoreWriter } from './storage.js';

export type VectorReads = Pick<StoreReads, 'vectorSet'>;
export type VectorWrites = Pick<StoreWriter, 'insertVectorSet'>;

export function vectorReads(db: Database): VectorReads {
  const byKey = db.prepare('SELECT key, crc, vector_set FROM vectors WHERE key = ?').raw();
  return {
    vectorSet: (uid, label) => {
      const cells = byKey.get(rowKey(uid, label)) as unknown[] | undefined;
      if (cells === undefined) return undefined;
      const bytes = readVectorSet(cells);
      if (bytes === null) throw damagedRow('vectors', { collection_uid: uid, label });
      return bytes;
    },
  };
}

export function vectorWrites(db: Database): VectorWrites {
  const insert = db.prepare('INSERT INTO vectors (key, crc, vector_set) VALUES (?, ?, ?)');
  return {
    insertVectorSet: (uid, label, vectorSet) => {
      const key = rowKey(uid, label);
      insert.run(key, rowChecksum([key], [vectorSet]), vectorSet);
    },
  };
}

/** The bytes of a row given as key, crc, vector_set; null when it is damaged. */
export function readVectorSet(cells: readonly unknown[]): Buffer | null {
  const key = cells[0];
  const crc = cells[1];
  const bytes = cells[2];
  if (!isCount(key) || !isBytes(bytes) || rowChecksum([key], [bytes]) !== crc) return null;
  if (bytes.byteOffset % 4 === 0) return bytes;
  const aligned = Buffer.from(new ArrayBuffer(bytes.length));
  aligned.set(bytes);
  return aligned;
}
