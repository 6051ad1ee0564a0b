/** Verifies the operation log: every row by its checksum, dense seqs, the hash chain, whole units, and its end against the state.
 *  Must not know: points, manifest, what entries do. */

import { chainHash } from '../codec/digest.js';
import { readEntryHead } from '../codec/entry.js';
import type { Entry } from '../model/entry.js';
import { isDamage } from './database-errors.js';
import type { Database } from './driver.js';
import { LOG_HEAD, type LogHead, readLogRow } from './log.js';
import type { StateRow } from './state.js';
import type { LogRow } from './storage.js';
import type { FindingList } from './verify-report.js';

interface Cursor {
  /** The seq that must come next. */
  next: number;
  /** Chain hash so far; null when the row before is not known. */
  hash: Uint8Array | null;
  /** First seq of the unit that is open, or null between units. */
  openUnit: number | null;
  bytes: number;
  entries: number;
  damaged: boolean;
}

/** @param rowsMax checks only the last so many rows  @returns the number of entries read */
export function verifyLog(
  db: Database,
  state: StateRow,
  findings: FindingList,
  rowsMax: number,
  onRow: (done: number, total: number) => void,
): number {
  const from = Math.max(state.logMinSeq, state.seq - rowsMax + 1);
  const whole = from === state.logMinSeq;
  const cursor: Cursor = {
    next: from,
    hash: whole ? state.logBaseHash : null,
    openUnit: null,
    bytes: 0,
    entries: 0,
    damaged: false,
  };
  const select = db.prepare(`SELECT ${LOG_HEAD}, entry FROM log WHERE seq >= ? ORDER BY seq`).raw();
  const complete = findings.scan('log', {}, isDamage, () => {
    for (const cells of select.iterate(whole ? 0 : from) as IterableIterator<unknown[]>) {
      checkRow(cursor, cells, findings, whole);
      onRow(cursor.entries, state.seq - from + 1);
    }
  });
  if (complete) checkEnd(cursor, state, findings, whole);
  return cursor.entries;
}

function checkRow(cursor: Cursor, cells: unknown[], findings: FindingList, whole: boolean): void {
  const seq = cells[0] as number;
  const place = { table: 'log', seq };
  const isFirst = cursor.entries === 0 && !cursor.damaged;
  if (seq !== cursor.next) {
    const message =
      seq > cursor.next
        ? `The log has no rows for seq ${cursor.next} to ${seq - 1}`
        : `The log has a row for seq ${seq}, which was pruned`;
    findings.add(seq > cursor.next ? 'row_missing' : 'row_surplus', message, { table: 'log', seq: Math.min(cursor.next, seq) });
    cursor.hash = null;
    cursor.openUnit = null;
    cursor.damaged = true;
  }
  cursor.next = seq + 1;
  const row = readLogRow(cells);
  if (row === null) {
    findings.add('row_damaged', `The log row of seq ${seq} fails its checksum`, place);
    cursor.hash = null;
    cursor.openUnit = null;
    cursor.damaged = true;
    return;
  }
  const head = readHead(row.entry);
  if (head === null || head.seq !== seq || head.firstSeq !== row.unitFirst || head.last !== row.unitLast) {
    findings.add('hash_mismatch', `The log row of seq ${seq} holds an entry with another head`, place);
  }
  if (cursor.hash !== null && !chainHash(cursor.hash, row.entry).equals(row.chainHash)) {
    findings.add('hash_mismatch', `The hash chain breaks at seq ${seq}`, place);
  }
  checkUnit(cursor, row, findings, isFirst && !whole);
  cursor.hash = row.chainHash;
  cursor.bytes += row.entry.length;
  cursor.entries += 1;
}

/** @param mayStartInside the first row of a partial check may belong to a unit that began earlier */
function checkUnit(cursor: Cursor, row: LogHead & LogRow, findings: FindingList, mayStartInside: boolean): void {
  const { seq, unitFirst, unitLast } = row;
  const expected = cursor.openUnit ?? seq;
  if (unitFirst !== expected && !mayStartInside && !cursor.damaged) {
    findings.add('unit_broken', `Seq ${seq} says that its unit starts at ${unitFirst}, and it starts at ${expected}`, {
      table: 'log',
      seq,
    });
  }
  cursor.openUnit = unitLast ? null : unitFirst;
}

function checkEnd(cursor: Cursor, state: StateRow, findings: FindingList, whole: boolean): void {
  const { seq } = state;
  const last = cursor.next - 1;
  if (last < seq)
    findings.add('row_missing', `The log ends at seq ${last} and the state is at ${seq}`, { table: 'log', seq: last + 1 });
  else if (last > seq)
    findings.add('row_surplus', `The log goes on to seq ${last} and the state is at ${seq}`, { table: 'log', seq: seq + 1 });
  if (cursor.damaged || last !== seq) return;
  if (cursor.openUnit !== null) {
    findings.add('unit_broken', `The log ends inside the unit of seq ${cursor.openUnit}`, { table: 'log', seq });
  }
  if (cursor.hash !== null && Buffer.compare(cursor.hash, state.chainHash) !== 0) {
    findings.add('hash_mismatch', `The state's chain hash is not that of the log at seq ${seq}`, { table: 'state', seq });
  }
  if (whole && cursor.bytes !== state.logBytes) {
    findings.add('count_mismatch', `The log has ${cursor.bytes} bytes of entries and the state notes ${state.logBytes}`, {
      table: 'state',
    });
  }
}

function readHead(entry: Uint8Array): Omit<Entry, 'effect'> | null {
  try {
    return readEntryHead(entry);
  } catch {
    return null;
  }
}
