/** What an index reads to come level with the store: rows in label order, live labels, deaths and changed payloads in log order.
 *  Who wants no payloads reads heads of points only. Must not know: indexes, checkpoints. */

import { corruptData, damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { POINT_HEAD, POINT_HEAD_CELLS, placeOfPoint, readPointHead, readPointRow } from './point-row.js';
import { isCount } from './row-checksum.js';
import { firstKeyOf, labelOfKey, rowKey } from './row-keys.js';
import { formatOf, hasPart } from './schema.js';
import type { ChangedPage, ChangedRow, LabelRow, PointHead, StoreReads } from './storage.js';
import { readVectorSet } from './vectors.js';

export type LabelScans = Pick<StoreReads, 'labelsFrom' | 'liveLabels' | 'deadBetween' | 'changedBetween'>;

/** @param reads how this connection makes a snapshot and reads a catalogue row */
export function labelScans(
  db: Database,
  reads: Pick<StoreReads, 'snapshot' | 'collection'>,
  isWriting: () => boolean,
): LabelScans {
  const rows = labelRows(db, POINT_HEAD);
  const rowsWithPayload = labelRows(db, `${POINT_HEAD}, payload`);
  const live = db
    .prepare('SELECT key FROM points NOT INDEXED WHERE key >= ? AND key < ? AND dead_seq IS NULL ORDER BY key')
    .pluck();
  const liveCount = db.prepare('SELECT count(*) FROM points NOT INDEXED WHERE key >= ? AND key < ? AND dead_seq IS NULL').pluck();
  const dead = db
    .prepare(
      `SELECT ${POINT_HEAD} FROM points INDEXED BY points_dead
       WHERE uid = ? AND dead_seq > ? AND dead_seq <= ? ORDER BY dead_seq, key LIMIT ?`,
    )
    .raw();

  /** A damaged dead_seq shows in the number of live rows, which the catalogue keeps under its own CRC. */
  function checkLiveCount(uid: number, belowKey: number, found: number): void {
    const collection = reads.collection(uid);
    if (collection === undefined) return;
    const count = found + (liveCount.get(belowKey, firstKeyOf(uid + 1)) as number);
    if (count === collection.pointsCount) return;
    throw corruptData(`Collection uid ${uid} has ${count} live rows and ${collection.pointsCount} points in the catalogue`, {
      table: 'points',
      collection_uid: uid,
    });
  }

  return {
    labelsFrom: (uid, fromLabel, limit, bytesMax, withPayload = false) => {
      const found: LabelRow[] = [];
      let bytes = 0;
      const statement = withPayload ? rowsWithPayload : rows;
      for (const cells of statement.iterate(rowKey(uid, fromLabel), firstKeyOf(uid + 1), limit) as Iterable<unknown[]>) {
        const row = readLabelRow(cells, withPayload);
        found.push(row);
        bytes += row.vectorSet.length + (row.payload?.length ?? 0);
        if (bytes >= bytesMax) break;
      }
      return found;
    },
    liveLabels: (uid, belowLabel) =>
      reads.snapshot(() => {
        const base = firstKeyOf(uid);
        const keys = live.all(base, base + belowLabel) as unknown[];
        const labels = new Uint32Array(keys.length);
        for (let i = 0; i < keys.length; i++) {
          const key = keys[i];
          if (!isCount(key)) throw damagedRow('points', { collection_uid: uid });
          labels[i] = key - base;
        }
        if (!isWriting()) checkLiveCount(uid, base + belowLabel, labels.length);
        return labels;
      }),
    deadBetween: (uid, afterSeq, throughSeq, limit) =>
      (dead.all(uid, afterSeq, throughSeq, limit) as unknown[][]).map((cells) => {
        const [key, , deadSeq] = cells;
        const row = readPointHead(cells);
        // The index of the dead has the row, and its key: that it died, and when, is known however damaged the rest of it is.
        const isKnown =
          row === null ? isCount(key) && isCount(deadSeq) && isWithin(deadSeq, afterSeq, throughSeq) : row.deadSeq !== null;
        if (!isKnown) throw damagedRow('points', placeOfPoint(cells));
        return { label: labelOfKey(key as number), deadSeq: deadSeq as number };
      }),
    changedBetween: changedScan(db),
  };
}

function isWithin(seq: number, afterSeq: number, throughSeq: number): boolean {
  return seq > afterSeq && seq <= throughSeq;
}

/** Rows of points with their vectors behind them. */
function labelRows(db: Database, columns: string) {
  const points = columns.split(', ').map((column) => `p.${column}`);
  return db
    .prepare(
      `SELECT ${points.join(', ')}, v.key, v.crc, v.vector_set FROM points AS p LEFT JOIN vectors AS v ON v.key = p.key
       WHERE p.key >= ? AND p.key < ? ORDER BY p.key LIMIT ?`,
    )
    .raw();
}

function readLabelRow(cells: readonly unknown[], withPayload: boolean): LabelRow {
  const row: (PointHead & { readonly payload?: Uint8Array }) | null = withPayload ? readPointRow(cells) : readPointHead(cells);
  if (row === null) throw damagedRow('points', placeOfPoint(cells));
  const vectorSet = readVectorSet(cells.slice(withPayload ? POINT_HEAD_CELLS + 1 : POINT_HEAD_CELLS));
  if (vectorSet === null) throw damagedRow('vectors', { collection_uid: row.uid, label: row.label });
  const { label, labelSeq, prevLabel, deadSeq } = row;
  return { label, labelSeq, prevLabel, deadSeq, vectorSet, payload: row.payload ?? null };
}

/** A store of an older format lacks the index; whoever reads such a one (nobody writes to it) waits for a scan of the table. */
function changedScan(db: Database): LabelScans['changedBetween'] {
  const through = hasPart(formatOf(db), 'points_changed') ? 'INDEXED BY points_changed' : 'NOT INDEXED';
  const changed = db
    .prepare(
      `SELECT ${POINT_HEAD}, payload FROM points ${through}
       WHERE uid = ? AND version > ? AND version <= ? AND dead_seq IS NULL AND version > label_seq ORDER BY version, key`,
    )
    .raw();
  return (uid, afterSeq, throughSeq, limit, bytesMax): ChangedPage => {
    const rows: ChangedRow[] = [];
    const damaged: number[] = [];
    let bytes = 0;
    for (const cells of changed.iterate(uid, afterSeq, throughSeq) as Iterable<unknown[]>) {
      const row = readPointRow(cells);
      if (row === null) {
        damaged.push(placeOfPoint(cells).label ?? 0);
        continue;
      }
      const { label, version, payload } = row;
      const last = rows.at(-1);
      if (last !== undefined && last.version !== version && (rows.length >= limit || bytes >= bytesMax))
        return { rows, damaged, throughSeq: last.version };
      rows.push({ label, version, payload });
      bytes += payload.length;
    }
    return { rows, damaged, throughSeq };
  };
}
