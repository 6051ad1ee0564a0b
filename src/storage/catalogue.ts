/** The table of collections. A dropped one keeps its row, unseen by readers, until its points are purged and the log does not tell of it any more;
 *  its name is free at once (names are unique among live rows only). Must not know: points, what a spec means. */

import { decodeSpec, encodeSpec } from '../codec/collection-spec.js';
import { DIGEST_BYTES } from '../codec/digest.js';
import { damagedRow } from './database-errors.js';
import type { Database } from './driver.js';
import { isBytes, isCount, isCountOrNull, rowChecksum } from './row-checksum.js';
import { type CollectionRow, StorageFailure, type StoreReads, type StoreWriter } from './storage.js';

export type CatalogueReads = Pick<StoreReads, 'collections' | 'collection' | 'anyCollection'>;
export type CatalogueWrites = Pick<StoreWriter, 'insertCollection' | 'updateCollection'>;

export const CATALOGUE_COLUMNS =
  'uid, crc, name, next_label, label_generation, created_seq, last_seq, points_count, data_bytes, dropped_seq, digest, spec';

export function catalogueReads(db: Database): CatalogueReads {
  const all = db.prepare(`SELECT ${CATALOGUE_COLUMNS} FROM collections WHERE dropped_seq IS NULL ORDER BY uid`).raw();
  const one = db.prepare(`SELECT ${CATALOGUE_COLUMNS} FROM collections WHERE uid = ? AND dropped_seq IS NULL`).raw();
  const any = db.prepare(`SELECT ${CATALOGUE_COLUMNS} FROM collections WHERE uid = ?`).raw();
  const intact = (cells: unknown[]): CollectionRow => {
    const row = readCollection(cells);
    if (row === null) throw damagedRow('collections', { collection_uid: cells[0] });
    return row;
  };
  return {
    collections: () => (all.all() as unknown[][]).map(intact),
    collection: (uid) => {
      const cells = one.get(uid) as unknown[] | undefined;
      return cells === undefined ? undefined : intact(cells);
    },
    anyCollection: (uid) => {
      const cells = any.get(uid) as unknown[] | undefined;
      return cells === undefined ? undefined : intact(cells);
    },
  };
}

export function catalogueWrites(db: Database): CatalogueWrites {
  const insert = db.prepare(`INSERT INTO collections (${CATALOGUE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const update = db.prepare(
    `UPDATE collections SET crc = ?, next_label = ?, label_generation = ?, last_seq = ?, points_count = ?, data_bytes = ?,
     dropped_seq = ?, digest = ?, spec = ? WHERE uid = ? AND name = ? AND created_seq = ?`,
  );
  return {
    insertCollection: (row) => {
      const { uid, name, nextLabel, labelGeneration, createdSeq, lastSeq, pointsCount, dataBytes, droppedSeq, digest } = row;
      const spec = encodeSpec(row.spec);
      const crc = checksum(row, spec);
      insert.run(
        uid,
        crc,
        name,
        nextLabel,
        labelGeneration,
        createdSeq,
        lastSeq,
        pointsCount,
        dataBytes,
        droppedSeq,
        digest,
        spec,
      );
    },
    updateCollection: (row) => {
      const { uid, name, nextLabel, labelGeneration, createdSeq, lastSeq, pointsCount, dataBytes, droppedSeq, digest } = row;
      const spec = encodeSpec(row.spec);
      const crc = checksum(row, spec);
      const changed = [crc, nextLabel, labelGeneration, lastSeq, pointsCount, dataBytes, droppedSeq, digest, spec];
      const { changes } = update.run(...changed, uid, name, createdSeq);
      if (changes !== 1)
        throw new StorageFailure(`collection '${name}' (uid ${uid}) is not in the catalogue and cannot be changed`);
    },
  };
}

function checksum(row: Omit<CollectionRow, 'spec'>, spec: Uint8Array): number {
  const { uid, nextLabel, labelGeneration, createdSeq, lastSeq, pointsCount, dataBytes, droppedSeq } = row;
  return rowChecksum(
    [uid, nextLabel, labelGeneration, createdSeq, lastSeq, pointsCount, dataBytes, droppedSeq],
    [Buffer.from(row.name), row.digest, spec],
  );
}

/** Reads a row from cells in the order of CATALOGUE_COLUMNS; null when it is damaged. */
export function readCollection(cells: readonly unknown[]): CollectionRow | null {
  const [uid, crc, name, nextLabel, labelGeneration, createdSeq, lastSeq, pointsCount, dataBytes, droppedSeq, digest, specBytes] =
    cells;
  if (!isCount(uid) || typeof name !== 'string' || !isCount(nextLabel) || !isCount(labelGeneration)) return null;
  if (!isCount(createdSeq) || !isCount(lastSeq) || !isCount(pointsCount) || !isCount(dataBytes)) return null;
  if (!isCountOrNull(droppedSeq) || !isBytes(digest) || !isBytes(specBytes) || digest.length !== DIGEST_BYTES) return null;
  const row = { uid, name, nextLabel, labelGeneration, createdSeq, lastSeq, pointsCount, dataBytes, droppedSeq, digest };
  if (checksum(row, specBytes) !== crc) return null;
  try {
    return { ...row, spec: decodeSpec(specBytes) };
  } catch {
    return null;
  }
}
