/** The table of access keys: who may do what. A row holds no secret, only what a secret is compared with.
 *
 *  A store of a format before 4 has none. Must not know: requests, when a key may be given or taken away. */

import { decodeAccessKey, encodeAccessKey } from '../codec/access-key.js';
import type { AccessKey } from '../model/access-key.js';
import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { isBytes, rowChecksum } from './row-checksum.js';
import { formatOf, hasPart } from './schema.js';
import type { StoreReads, StoreWriter } from './storage.js';

export type AccessKeyReads = Pick<StoreReads, 'accessKeys'>;
export type AccessKeyWrites = Pick<StoreWriter, 'putAccessKey' | 'removeAccessKey'>;

export const ACCESS_KEY_COLUMNS = 'id, crc, record';

export function accessKeyReads(db: Database): AccessKeyReads {
  if (!hasPart(formatOf(db), 'access_keys')) return { accessKeys: () => [] };
  const all = db.prepare(`SELECT ${ACCESS_KEY_COLUMNS} FROM access_keys ORDER BY id`).raw();
  const intact = (cells: unknown[]): AccessKey => {
    const key = readAccessKey(cells);
    if (key === null) throw damagedRow('access_keys', { key_id: cells[0] });
    return key;
  };
  return { accessKeys: () => (all.all() as unknown[][]).map(intact) };
}

export function accessKeyWrites(db: Database): AccessKeyWrites {
  const put = db.prepare(`INSERT OR REPLACE INTO access_keys (${ACCESS_KEY_COLUMNS}) VALUES (?, ?, ?)`);
  const remove = db.prepare('DELETE FROM access_keys WHERE id = ?');
  return {
    putAccessKey: (key) => {
      const record = encodeAccessKey(key);
      put.run(key.id, checksum(key.id, record), record);
    },
    removeAccessKey: (id) => remove.run(id),
  };
}

function checksum(id: string, record: Uint8Array): number {
  return rowChecksum([], [Buffer.from(id), record]);
}

/** Reads a row from cells in the order of ACCESS_KEY_COLUMNS; null when it is damaged. */
export function readAccessKey(cells: readonly unknown[]): AccessKey | null {
  const [id, crc, record] = cells;
  if (typeof id !== 'string' || !isBytes(record) || checksum(id, record) !== crc) return null;
  try {
    const key = decodeAccessKey(record);
    return key.id === id ? key : null;
  } catch {
    return null;
  }
}
