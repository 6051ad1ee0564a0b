/** The table of idempotency keys: what an earlier request with the same scope asked for and what it was answered.
 *  Forgotten by entry time and by number, oldest first, as the newest key's entry time has it: no clock, so equal logs leave equal keys.
 *  Must not know: requests, how long is long. */

import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { isBytes, isCount, rowChecksum } from './row-checksum.js';
import type { RememberedRow, StoreReads, StoreWriter } from './storage.js';

export type RememberedReads = Pick<StoreReads, 'remembered'>;
export type RememberedWrites = Pick<StoreWriter, 'remember'>;
export type RememberedPruning = Pick<StoreWriter, 'pruneRemembered'>;

export const REMEMBERED_COLUMNS = 'scope, crc, seq, time_ms, body, results';

export function rememberedReads(db: Database): RememberedReads {
  const byScope = db.prepare(`SELECT ${REMEMBERED_COLUMNS} FROM remembered WHERE scope = ?`).raw();
  return {
    remembered: (scope) => {
      const cells = byScope.get(scope) as unknown[] | undefined;
      if (cells === undefined) return undefined;
      const row = readRemembered(cells);
      if (row === null) throw damagedRow('remembered', { scope: Buffer.from(scope).toString('hex') });
      return row;
    },
  };
}

export function rememberedWrites(db: Database): RememberedWrites {
  const write = db.prepare(`INSERT OR REPLACE INTO remembered (${REMEMBERED_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
  return {
    remember: ({ scope, seq, timeMs, body, results }) => {
      write.run(scope, rowChecksum([seq, timeMs], [scope, body, results]), seq, timeMs, body, results);
    },
  };
}

/** The caller holds the transaction. Cost: with keysMax rows a walk over the index, about 20 ms for a million. */
export function rememberedPruning(db: Database): RememberedPruning {
  const removeOld = db.prepare(
    `DELETE FROM remembered WHERE scope IN (
       SELECT scope FROM remembered INDEXED BY remembered_age
       WHERE time_ms < (SELECT max(time_ms) FROM remembered INDEXED BY remembered_age) - ? ORDER BY time_ms, seq LIMIT ?)`,
  );
  const removeFirst = db.prepare(
    `DELETE FROM remembered WHERE scope IN (
       SELECT scope FROM remembered INDEXED BY remembered_age ORDER BY time_ms, seq LIMIT ?)`,
  );
  const count = db.prepare('SELECT count(*) FROM remembered').pluck();
  return {
    pruneRemembered: (keepMs, keysMax, rowsMax) => {
      const removed = removeOld.run(keepMs, rowsMax).changes;
      const surplus = Math.min((count.get() as number) - keysMax, rowsMax - removed);
      return surplus > 0 ? removed + removeFirst.run(surplus).changes : removed;
    },
  };
}

/** Reads a row from cells in the order of REMEMBERED_COLUMNS; null when it is damaged. */
export function readRemembered(cells: readonly unknown[]): RememberedRow | null {
  const [scope, crc, seq, timeMs, body, results] = cells;
  if (!isBytes(scope) || !isCount(seq) || !isCount(timeMs) || !isBytes(body) || !isBytes(results)) return null;
  if (rowChecksum([seq, timeMs], [scope, body, results]) !== crc) return null;
  return { scope, body, seq, timeMs, results };
}
