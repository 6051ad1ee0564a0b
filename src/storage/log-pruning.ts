/** Removes whole units from the start of the log by age and size (the rule is in the door).
 *  Invariant: what is left starts at a unit border, and the state row knows its first seq, its bytes and the hash in front of it. */

import { corruptData, damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { LOG_HEAD, type LogHead, readLogHead } from './log.js';
import type { StateReads, StateWrites } from './state.js';
import type { StoreWriter } from './storage.js';

export type LogPruning = Pick<StoreWriter, 'pruneLog'>;
type Rule = Parameters<StoreWriter['pruneLog']>[0];

interface Cut {
  readonly last: LogHead;
  readonly rows: number;
  readonly bytesLeft: number;
}

/** The caller holds the transaction. */
export function logPruning(db: Database, state: StateReads & StateWrites): LogPruning {
  const heads = db.prepare(`SELECT ${LOG_HEAD}, length(entry) FROM log ORDER BY seq`).raw();
  const remove = db.prepare('DELETE FROM log WHERE seq <= ?');

  function findCut(rule: Rule, rowsMax: number, firstSeq: number, logBytes: number): Cut | null {
    let cut: Cut | null = null;
    let rows = 0;
    let bytes = 0;
    for (const cells of heads.iterate() as Iterable<unknown[]>) {
      const head = readLogHead(cells);
      if (head === null) throw damagedRow('log', { seq: cells[0] });
      if (head.seq !== firstSeq + rows) throw corruptData(`The log has no row for seq ${firstSeq + rows}`, { table: 'log' });
      rows += 1;
      bytes += cells[7] as number;
      if (!head.unitLast) continue;
      if (cut !== null && rows > rowsMax) break;
      if (!mayGo(rule, head, cut?.bytesLeft ?? logBytes)) break;
      cut = { last: head, rows, bytesLeft: logBytes - bytes };
      if (rows >= rowsMax) break;
    }
    return cut;
  }

  return {
    pruneLog: (rule, rowsMax) => {
      const row = state.stateRow();
      if (row.logMinSeq > row.seq) return 0;
      const cut = findCut(rule, rowsMax, row.logMinSeq, row.logBytes);
      if (cut === null) return 0;
      remove.run(cut.last.seq);
      state.replaceStateRow({ ...row, logMinSeq: cut.last.seq + 1, logBytes: cut.bytesLeft, logBaseHash: cut.last.chainHash });
      return cut.rows;
    },
  };
}

function mayGo(rule: Rule, unitEnd: LogHead, bytes: number): boolean {
  if (bytes > rule.hardBytes) return true;
  if (rule.keepFromSeq !== null && unitEnd.seq >= rule.keepFromSeq) return false;
  return unitEnd.timeMs < rule.olderThanMs && bytes > rule.keepBytes;
}
