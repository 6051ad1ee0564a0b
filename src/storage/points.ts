/** The table of points: reads by id, by label and in scroll order, and its writes.
 *
 *  Invariant: at most one row per (collection, id) is alive (dead_seq is null); the partial unique index points_live sees to it.
 *  Every statement names the index it runs on, so a changed plan is an error when the store is opened, not a slow query.
 *  Must not know: vectors, digests, what a write means. */

import { encodePointId } from '../codec/point-id.js';
import type { PointId } from '../model/point.js';
import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { POINT_HEAD, placeOfPoint, pointChecksum, readPointHead, readPointRow } from './point-row.js';
import { columnChecksum } from './row-checksum.js';
import { firstKeyOf, rowKey } from './row-keys.js';
import { type PointHead, type PointRow, StorageFailure, type StoreReads, type StoreWriter } from './storage.js';

export type PointReads = Pick<
  StoreReads,
  'pointById' | 'pointByLabel' | 'pointsAfter' | 'pointsFrom' | 'headById' | 'headByLabel' | 'headsAfter' | 'lastHead' | 'expired'
>;
export type PointWrites = Pick<StoreWriter, 'insertPoint' | 'updatePoint' | 'markDead'>;

const NO_BYTES = Buffer.alloc(0);

export function pointReads(db: Database): PointReads {
  const points = lookups(db, `${POINT_HEAD}, payload`, readPointRow);
  const heads = lookups(db, POINT_HEAD, readPointHead);
  const expiring = db
    .prepare(
      `SELECT ${prefixed('p')} FROM points AS p INDEXED BY points_expiring CROSS JOIN collections AS c ON c.uid = p.uid
       WHERE p.dead_seq IS NULL AND p.expires_at <= ? AND c.dropped_seq IS NULL ORDER BY p.expires_at LIMIT ?`,
    )
    .raw();
  return {
    pointById: points.byId,
    pointByLabel: points.byLabel,
    headById: heads.byId,
    headByLabel: heads.byLabel,
    headsAfter: (uid, id, limit) => [...heads.after(uid, id, limit)],
    lastHead: heads.last,
    pointsAfter: (uid, id, limit, bytesMax) => upToBytes(points.after(uid, id, limit), bytesMax),
    pointsFrom: (uid, fromLabel, limit, bytesMax) => upToBytes(points.from(uid, fromLabel, limit), bytesMax),
    expired: (nowMs, limit) =>
      (expiring.all(nowMs, limit) as unknown[][]).flatMap((cells) => {
        const row = readPointHead(cells);
        if (row === null || row.expiresAtMs === null) return [];
        return [{ uid: row.uid, id: row.id, expiresAtMs: row.expiresAtMs }];
      }),
  };
}

function upToBytes(rows: Iterable<PointRow>, bytesMax: number): PointRow[] {
  const found: PointRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    found.push(row);
    bytes += row.payload.length;
    if (bytes >= bytesMax) break;
  }
  return found;
}

/** The ways to a live point or a row. @param read from cells to a row; null when it is damaged */
function lookups<Row extends PointHead>(db: Database, columns: string, read: (cells: readonly unknown[]) => Row | null) {
  const byId = db
    .prepare(`SELECT ${columns} FROM points INDEXED BY points_live WHERE uid = ? AND id = ? AND dead_seq IS NULL`)
    .raw();
  const byKey = db.prepare(`SELECT ${columns} FROM points WHERE key = ?`).raw();
  const from = db.prepare(`SELECT ${columns} FROM points WHERE key >= ? AND key < ? ORDER BY key LIMIT ?`).raw();
  const after = db
    .prepare(
      `SELECT ${columns} FROM points INDEXED BY points_live
       WHERE uid = ? AND id > ? AND dead_seq IS NULL ORDER BY id LIMIT ?`,
    )
    .raw();
  const last = db
    .prepare(`SELECT ${columns} FROM points INDEXED BY points_live WHERE uid = ? AND dead_seq IS NULL ORDER BY id DESC LIMIT 1`)
    .raw();
  return {
    last: (uid: number): Row | undefined => {
      const cells = last.get(uid) as unknown[] | undefined;
      return cells === undefined ? undefined : (read(cells) ?? raise(cells));
    },
    byId: (uid: number, id: PointId): Row | undefined => {
      const cells = byId.get(uid, encodePointId(id)) as unknown[] | undefined;
      if (cells === undefined) return undefined;
      const row = read(cells);
      if (row === null || row.id !== id || row.uid !== uid) throw damagedPoint(cells, id);
      return row;
    },
    byLabel: (uid: number, label: number): Row | undefined => {
      const cells = byKey.get(rowKey(uid, label)) as unknown[] | undefined;
      return cells === undefined ? undefined : (read(cells) ?? raise(cells));
    },
    *from(uid: number, label: number, limit: number): Generator<Row> {
      for (const cells of from.iterate(rowKey(uid, label), firstKeyOf(uid + 1), limit) as Iterable<unknown[]>)
        yield read(cells) ?? raise(cells);
    },
    *after(uid: number, id: PointId | null, limit: number): Generator<Row> {
      for (const cells of after.iterate(uid, id === null ? NO_BYTES : encodePointId(id), limit) as Iterable<unknown[]>)
        yield read(cells) ?? raise(cells);
    },
  };
}

export function pointWrites(db: Database): PointWrites {
  const insert = db.prepare(`INSERT INTO points (${POINT_HEAD}, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const update = db.prepare(
    `UPDATE points SET version = ?, expires_at = ?, crc = ?, payload_crc = ?, content_hash = ?, payload = ?
     WHERE key = ? AND dead_seq IS NULL`,
  );
  const bury = db.prepare('UPDATE points SET dead_seq = ?, crc = ? WHERE key = ? AND dead_seq IS NULL');
  return {
    insertPoint: (row) => {
      const key = rowKey(row.uid, row.label);
      const idBytes = encodePointId(row.id);
      const payloadCrc = columnChecksum(row.payload);
      const crc = pointChecksum(key, row, row.deadSeq, idBytes, payloadCrc);
      insert.run(
        key,
        row.uid,
        row.deadSeq,
        row.version,
        row.labelSeq,
        row.prevLabel,
        row.expiresAtMs,
        crc,
        payloadCrc,
        idBytes,
        row.contentHash,
        row.payload,
      );
    },
    updatePoint: (row) => {
      const key = rowKey(row.uid, row.label);
      const payloadCrc = columnChecksum(row.payload);
      const crc = pointChecksum(key, row, null, encodePointId(row.id), payloadCrc);
      const { changes } = update.run(row.version, row.expiresAtMs, crc, payloadCrc, row.contentHash, row.payload, key);
      if (changes !== 1) throw notAlive(row);
    },
    markDead: (row, deadSeq) => {
      const key = rowKey(row.uid, row.label);
      const crc = pointChecksum(key, row, deadSeq, encodePointId(row.id), columnChecksum(row.payload));
      if (bury.run(deadSeq, crc, key).changes !== 1) throw notAlive(row);
    },
  };
}

function prefixed(alias: string): string {
  return POINT_HEAD.split(', ')
    .map((column) => `${alias}.${column}`)
    .join(', ');
}

function notAlive(row: PointRow): StorageFailure {
  return new StorageFailure(`label ${row.label} of collection uid ${row.uid} is not alive and cannot be changed`);
}

function raise(cells: readonly unknown[]): never {
  throw damagedRow('points', placeOfPoint(cells));
}

function damagedPoint(cells: readonly unknown[], id: PointId): Error {
  return damagedRow('points', { ...placeOfPoint(cells), point_id: id });
}
