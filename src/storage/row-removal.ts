/** Removes rows that nobody needs: points that died before everybody's sight, and all rows of dropped collections, in slices.
 *  The caller holds the transaction. Must not know: who still needs what. */

import type { Database } from './driver.js';
import { firstKeyOf, pageKey } from './row-keys.js';
import type { StateReads, StateWrites } from './state.js';
import type { StoreWriter } from './storage.js';

export type RowRemoval = Pick<StoreWriter, 'reapDead' | 'purgeDropped'>;

export function rowRemoval(db: Database, state: StateReads & StateWrites): RowRemoval {
  const nextUidWithDead = db
    .prepare('SELECT uid FROM points INDEXED BY points_dead WHERE uid > ? AND dead_seq IS NOT NULL ORDER BY uid LIMIT 1')
    .pluck();
  const deadKeys = db
    .prepare('SELECT key FROM points INDEXED BY points_dead WHERE uid = ? AND dead_seq <= ? ORDER BY dead_seq, key LIMIT ?')
    .pluck();
  const removePoint = db.prepare('DELETE FROM points WHERE key = ?');
  const removeVectors = db.prepare('DELETE FROM vectors WHERE key = ?');
  const nextDropped = db
    .prepare('SELECT uid, dropped_seq FROM collections WHERE dropped_seq > ? ORDER BY dropped_seq LIMIT 1')
    .raw();
  const forgotten = 'SELECT uid FROM collections WHERE dropped_seq < ? AND dropped_seq <= ? ORDER BY dropped_seq LIMIT ?';
  const removeCollections = db.prepare(`DELETE FROM collections WHERE uid IN (${forgotten})`);
  /** Of collections that were dropped up to this seq nothing is left but their rows in the catalogue. */
  let emptiedSeq = -1;
  const ranges = ['points', 'vectors'].map((table) => rangeRemoval(db, table));
  const removePages = rangeRemoval(db, 'digest_pages');

  function purgeUid(uid: number, rowsMax: number): number {
    let rows = 0;
    for (const remove of ranges) rows += remove(firstKeyOf(uid), firstKeyOf(uid + 1), rowsMax - rows);
    return rows + removePages(pageKey(uid, 0), pageKey(uid + 1, 0), rowsMax - rows);
  }

  return {
    reapDead: (throughSeq, rowsMax) => {
      let rows = 0;
      let uid = nextUidWithDead.get(-1) as number | undefined;
      for (; uid !== undefined && rows < rowsMax; uid = nextUidWithDead.get(uid) as number | undefined) {
        for (const key of deadKeys.all(uid, throughSeq, rowsMax - rows)) {
          removePoint.run(key);
          removeVectors.run(key);
          rows += 1;
        }
      }
      const row = state.stateRow();
      if (rows > 0 && rows < rowsMax && throughSeq > row.reapedSeq) state.replaceStateRow({ ...row, reapedSeq: throughSeq });
      return rows;
    },
    purgeDropped: (rowsMax) => {
      let rows = 0;
      let throughSeq = emptiedSeq;
      for (let next = nextDropped.get(throughSeq); next !== undefined; next = nextDropped.get(throughSeq)) {
        const [uid, droppedSeq] = next as [number, number];
        rows += purgeUid(uid, rowsMax - rows);
        if (rows >= rowsMax) break;
        throughSeq = droppedSeq;
        // What this transaction does may be undone.
        if (rows === 0) emptiedSeq = droppedSeq;
      }
      return rows + removeCollections.run(state.stateRow().logMinSeq, throughSeq, rowsMax - rows).changes;
    },
  };
}

/** Deletes the first rows of a key range; one range delete, found by its last key. */
function rangeRemoval(db: Database, table: string): (fromKey: number, endKey: number, rowsMax: number) => number {
  const nth = db.prepare(`SELECT key FROM ${table} NOT INDEXED WHERE key >= ? AND key < ? ORDER BY key LIMIT 1 OFFSET ?`).pluck();
  const remove = db.prepare(`DELETE FROM ${table} WHERE key >= ? AND key < ?`);
  return (fromKey, endKey, rowsMax) => {
    if (rowsMax <= 0) return 0;
    const last = nth.get(fromKey, endKey, rowsMax - 1) as number | undefined;
    return remove.run(fromKey, last === undefined ? endKey : last + 1).changes;
  };
}
