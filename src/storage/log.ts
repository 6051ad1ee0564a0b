/** The operation log: entries as bytes with their chain hashes, dense in seq.
 *
 *  crc covers every column but the entry, and entry_crc in its place, so pruning checks rows without reading entries.
 *  unit_first and unit_last repeat the entry's head for the same reason. Must not know: what an entry does. */

import { CHAIN_HASH_BYTES } from '../codec/digest.js';
import { readEntryHead } from '../codec/entry.js';
import { corruptData, damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { columnChecksum, isBytes, isCount, rowChecksum } from './row-checksum.js';
import { type LogRow, StorageFailure, type StoreReads, type StoreWriter } from './storage.js';

export type LogReads = Pick<StoreReads, 'logFrom' | 'chainHashAt' | 'logBytesAfter'>;
export type LogWrites = Pick<StoreWriter, 'appendLog' | 'mendLog'>;

/** The columns of a head, in the order in which cells are read. */
export const LOG_HEAD = 'seq, crc, entry_crc, time_ms, unit_first, unit_last, chain_hash';

export interface LogHead {
  readonly seq: number;
  readonly entryCrc: number;
  readonly timeMs: number;
  readonly unitFirst: number;
  readonly unitLast: boolean;
  readonly chainHash: Uint8Array;
}

/** @param reads how this connection makes a snapshot and reads where the store stands */
export function logReads(db: Database, reads: Pick<StoreReads, 'snapshot' | 'state' | 'logBaseHash'>): LogReads {
  const headOf = db.prepare(`SELECT ${LOG_HEAD} FROM log WHERE seq = ?`).raw();
  const bytesAfter = db.prepare('SELECT coalesce(sum(length(entry)), 0) FROM log WHERE seq > ?').pluck();
  const from = db.prepare(`SELECT ${LOG_HEAD}, entry FROM log WHERE seq >= ? ORDER BY seq LIMIT ?`).raw();
  const read = (fromSeq: number, limit: number, bytesMax: number): LogRow[] => {
    const rows: LogRow[] = [];
    let bytes = 0;
    for (const cells of from.iterate(fromSeq, limit) as Iterable<unknown[]>) {
      const row = readLogRow(cells);
      if (row === null) throw damagedRow('log', { seq: cells[0] });
      const previous = rows.at(-1);
      if (previous !== undefined && row.seq !== previous.seq + 1) throw gap(previous.seq + 1);
      rows.push(row);
      bytes += row.entry.length;
      if (bytes >= bytesMax) break;
    }
    return rows;
  };
  return {
    logFrom: (fromSeq, limit, bytesMax) => {
      const rows = read(fromSeq, limit, bytesMax);
      if (rows[0]?.seq === fromSeq || limit < 1) return rows;
      // Not the row that was asked for: fine behind the tail and in front of what was pruned, else the row is lost.
      return reads.snapshot(() => {
        const { logMinSeq, seq } = reads.state();
        const first = Math.max(fromSeq, logMinSeq);
        const again = read(fromSeq, limit, bytesMax);
        if (first <= seq && again[0]?.seq !== first) throw gap(first);
        return again;
      });
    },
    chainHashAt: (seq) =>
      reads.snapshot(() => {
        if (seq === reads.state().logMinSeq - 1) return reads.logBaseHash();
        const cells = headOf.get(seq) as unknown[] | undefined;
        if (cells === undefined) return undefined;
        const head = readLogHead(cells);
        if (head === null) throw damagedRow('log', { seq });
        return head.chainHash;
      }),
    logBytesAfter: (afterSeq) => bytesAfter.get(afterSeq) as number,
  };
}

export function logWrites(db: Database): LogWrites {
  const values = `INTO log (${LOG_HEAD}, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
  const insert = db.prepare(`INSERT ${values}`);
  const replace = db.prepare(`INSERT OR REPLACE ${values}`);
  return {
    appendLog: (row, timeMs) => {
      insert.run(...logCells(row, timeMs));
    },
    mendLog: (row, timeMs) => {
      replace.run(...logCells(row, timeMs));
    },
  };
}

/** @throws StorageFailure when the entry says that it is of another seq */
function logCells({ seq, entry, chainHash }: LogRow, timeMs: number): (number | Uint8Array)[] {
  const head = readEntryHead(entry);
  if (head.seq !== seq) throw new StorageFailure(`the entry of seq ${head.seq} was to be logged as ${seq}`);
  const entryCrc = columnChecksum(entry);
  const unitLast = head.last ? 1 : 0;
  const crc = rowChecksum([seq, entryCrc, timeMs, head.firstSeq, unitLast], [chainHash]);
  return [seq, crc, entryCrc, timeMs, head.firstSeq, unitLast, chainHash, entry];
}

/** Reads a head from cells in the order of LOG_HEAD; null when the row is damaged. */
export function readLogHead(cells: readonly unknown[]): LogHead | null {
  const [seq, crc, entryCrc, timeMs, unitFirst, unitLast, chainHash] = cells;
  if (!isCount(seq) || !isCount(timeMs) || !isCount(unitFirst) || (unitLast !== 0 && unitLast !== 1)) return null;
  if (!Number.isSafeInteger(entryCrc) || !isBytes(chainHash) || chainHash.length !== CHAIN_HASH_BYTES) return null;
  if (rowChecksum([seq, entryCrc as number, timeMs, unitFirst, unitLast], [chainHash]) !== crc) return null;
  return { seq, entryCrc: entryCrc as number, timeMs, unitFirst, unitLast: unitLast === 1, chainHash };
}

/** Reads a whole row: the cells of a head, then the entry; null when it is damaged. */
export function readLogRow(cells: readonly unknown[]): (LogHead & LogRow) | null {
  const head = readLogHead(cells);
  const entry = cells[7];
  if (head === null || !isBytes(entry) || columnChecksum(entry) !== head.entryCrc) return null;
  return { ...head, entry };
}

function gap(seq: number): Error {
  return corruptData(`The log has no row for seq ${seq}`, { table: 'log', seq });
}
