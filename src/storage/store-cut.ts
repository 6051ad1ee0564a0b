/** A copy of a store for another node, as of one moment: every table but the log, and only rows that are alive.
 *
 *    rows by key, in one read transaction of the source ─► its end ─► indexes ─► WAL mode, as every store has it
 *
 *  Not VACUUM INTO, which would copy log and dead rows first and need a second pass (docs/decisions/0013).
 *  A table that is not named here is copied whole, so one that the format gains later is not forgotten.
 *  The copy has no journal while it is made: whoever sees it fail removes it. The writer of the source goes on meanwhile; its WAL is not
 *  cut before the rows are copied. Runs long: only in a thread of its own. Must not know: checkpoints, folders. */

import { resolve } from 'node:path';
import { catalogueReads } from './catalogue.js';
import { createConnection, openConnection } from './connection.js';
import { asWriteError, corruptData } from './database-errors.js';
import type { Database } from './driver.js';
import { firstKeyOf, PAGES_PER_COLLECTION } from './row-keys.js';
import { createIndexes, createTables, TABLES } from './schema.js';
import { stateReads, stateWrites } from './state.js';
import type { CollectionRow, StoreOptions, StoreState } from './storage.js';

/** Between two slices the thread can be ended. */
const ROWS_PER_SLICE = 4_096;
const COPIED_APART = ['log', 'collections', 'digest_pages', 'points', 'vectors'];
/** What is left of the work when all rows are copied: the indexes. */
const ROWS_SHARE = 0.9;

/** What the copy holds. */
export interface StoreCut {
  readonly state: StoreState;
  readonly collections: readonly CollectionRow[];
}

/** Makes the copy at targetPath, where nothing is yet; its bytes are with the kernel on return, not on the disk.
 *  @param onProgress 0 … 1  @throws StorageFull · StorageFailure · StoreRefused · SkeinError CorruptData when rows are missing */
export function cutStore(
  sourcePath: string,
  targetPath: string,
  options: StoreOptions,
  onProgress: (fraction: number) => void,
): StoreCut {
  // Says what is wrong with the source, where attaching would only make an empty file.
  openConnection(sourcePath, 'read', options).close();
  const db = createConnection(targetPath, options);
  try {
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    db.prepare('ATTACH ? AS source').run(resolve(sourcePath));
    const cut = db.transaction(() => copyTables(db, (part) => onProgress(part * ROWS_SHARE)))();
    db.exec('DETACH source');
    db.transaction(() => createIndexes(db))();
    db.pragma('synchronous = FULL');
    db.pragma('journal_mode = WAL');
    onProgress(1);
    return cut;
  } catch (error) {
    throw asWriteError(error);
  } finally {
    db.close();
  }
}

/** All reads of the source belong to the transaction around this. */
function copyTables(db: Database, onProgress: (fraction: number) => void): StoreCut {
  createTables(db);
  for (const table of Object.keys(TABLES)) {
    if (!COPIED_APART.includes(table)) db.exec(`INSERT INTO main.${table} SELECT * FROM source.${table}`);
  }
  db.exec('INSERT INTO main.collections SELECT * FROM source.collections WHERE dropped_seq IS NULL ORDER BY uid');
  db.exec(
    `INSERT INTO main.digest_pages SELECT * FROM source.digest_pages
     WHERE key / ${PAGES_PER_COLLECTION} IN (SELECT uid FROM main.collections) ORDER BY key`,
  );
  const state = beginLogAfterCut(db);
  const collections = catalogueReads(db).collections();
  copyPoints(db, collections, onProgress);
  return { state, collections };
}

/** The copy has no log: the next entry is its first one. And it has no dead rows. */
function beginLogAfterCut(db: Database): StoreState {
  const reads = stateReads(db);
  const { seq, chainHash } = reads.stateRow();
  const row = { ...reads.stateRow(), logMinSeq: seq + 1, logBytes: 0, logBaseHash: chainHash, reapedSeq: seq };
  stateWrites(db, reads).replaceStateRow(row);
  return reads.state();
}

function copyPoints(db: Database, collections: readonly CollectionRow[], onProgress: (fraction: number) => void): void {
  const points = db.prepare(
    `INSERT INTO main.points SELECT * FROM source.points NOT INDEXED
     WHERE key >= ? AND key < ? AND dead_seq IS NULL ORDER BY key`,
  );
  const vectors = db.prepare(
    `INSERT INTO main.vectors SELECT v.* FROM main.points AS p NOT INDEXED CROSS JOIN source.vectors AS v ON v.key = p.key
     WHERE p.key >= ? AND p.key < ? ORDER BY p.key`,
  );
  const total = Math.max(1, 2 * collections.reduce((sum, { pointsCount }) => sum + pointsCount, 0));
  let done = 0;
  for (const [table, insert] of [['points', points] as const, ['vectors', vectors] as const]) {
    for (const { uid, name, pointsCount } of collections) {
      let rows = 0;
      for (const [from, end] of slices(db, uid)) {
        rows += insert.run(from, end).changes;
        onProgress(Math.min(1, (done + rows) / total));
      }
      done += rows;
      if (rows === pointsCount) continue;
      const message = `Collection '${name}' (uid ${uid}) has ${rows} rows of ${table} and notes ${pointsCount} points`;
      throw corruptData(message, { table, collection_uid: uid });
    }
  }
}

/** The keys of a collection in ranges of so many rows of points, dead ones too. */
function* slices(db: Database, uid: number): Generator<[from: number, end: number]> {
  const nth = db
    .prepare('SELECT key FROM source.points NOT INDEXED WHERE key >= ? AND key < ? ORDER BY key LIMIT 1 OFFSET ?')
    .pluck();
  const end = firstKeyOf(uid + 1);
  for (let from: number | undefined = firstKeyOf(uid); from !== undefined; ) {
    const next = nth.get(from, end, ROWS_PER_SLICE) as number | undefined;
    yield [from, next ?? end];
    from = next;
  }
}
