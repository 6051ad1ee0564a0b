/** Makes and opens stores: puts the tables' functions together on one connection.
 *  Only createStore makes a file; the openers refuse what is missing, empty, foreign or of another format.
 *  Must not know: folders, manifests, locks. */

import { closeSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { accessKeyReads, accessKeyWrites } from './access-keys.js';
import { aliasReads, aliasWrites } from './aliases.js';
import { catalogueReads, catalogueWrites } from './catalogue.js';
import { clusterReads, clusterWrites, firstLineage } from './cluster.js';
import { createConnection, openConnection } from './connection.js';
import { asReadError, asWriteError, guarded } from './database-errors.js';
import { digestPageReads, digestPageWrites } from './digest-pages.js';
import type { Database } from './driver.js';
import { labelScans } from './label-scans.js';
import { logReads, logWrites } from './log.js';
import { logPruning } from './log-pruning.js';
import { mending } from './mending.js';
import { pointReads, pointWrites } from './points.js';
import { rememberedPruning, rememberedReads, rememberedWrites } from './remembered.js';
import { damageReads } from './row-damage.js';
import { rowRemoval } from './row-removal.js';
import { createIndexes, createTables } from './schema.js';
import { insertFirstState, type StateReads, stateReads, stateWrites } from './state.js';
import { type NewStore, StorageFailure, StorageFull, type StoreOptions, type StoreReads, type StoreWriter } from './storage.js';
import { snapshots, WriteTransactions } from './transactions.js';
import { vectorReads, vectorWrites } from './vectors.js';
import { fileBytes, walCheckpoints } from './wal-checkpoints.js';

/** Makes a new, empty store at seq 0: database file and folder entry are durable on return.
 *  @param path of the database file; its folder exists, it does not  @throws StoreRefused (exists, settings, driver, unwritable) */
export function createStore(path: string, store: NewStore, options: StoreOptions): void {
  const db = createConnection(path, options);
  try {
    db.transaction(() => {
      createTables(db);
      createIndexes(db);
      insertFirstState(db, store);
      clusterWrites(db).insertLineage(firstLineage(store));
    })();
    db.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    throw asWriteError(error);
  } finally {
    db.close();
  }
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Opens a store for reading. @throws StoreRefused */
export function openReader(path: string, options: StoreOptions): StoreReads {
  const db = openConnection(path, 'read', options);
  const { stateRow: _, ...reads } = guarded(
    readsOn(db, path, () => false),
    asReadError,
  );
  return { ...reads, close: () => db.close() };
}

/** Opens a store for writing; the caller holds the folder's lock and opens one writer. @throws StoreRefused */
export function openWriter(path: string, options: StoreOptions): StoreWriter {
  const db = openConnection(path, 'write', options);
  const transactions = new WriteTransactions(db);
  const failing = (translate: (error: unknown) => unknown) => (error: unknown) => {
    const known = translate(error);
    if (known instanceof StorageFull || known instanceof StorageFailure) transactions.fail();
    return known;
  };
  const reads = readsOn(db, path, () => transactions.isOpen);
  const state = { ...reads, ...stateWrites(db, reads) };
  const writes = {
    ...pointWrites(db),
    ...vectorWrites(db),
    ...catalogueWrites(db),
    ...digestPageWrites(db),
    ...logWrites(db),
    ...mending(db),
    ...rememberedWrites(db),
    ...clusterWrites(db),
    ...aliasWrites(db),
    ...accessKeyWrites(db),
    writeState: state.writeState,
  };
  const upkeep = transactions.eachAlone({ ...rowRemoval(db, state), ...logPruning(db, state), ...rememberedPruning(db) });
  const files = walCheckpoints(db, path);
  const { stateRow: _, ...shownReads } = guarded(reads, failing(asReadError));
  return {
    ...shownReads,
    ...guarded(transactions.door, failing(asWriteError)),
    ...guarded(writes, failing(asWriteError), () => transactions.mustBeOpen()),
    ...guarded(upkeep, asWriteError),
    ...guarded(files, asWriteError, () => transactions.mustBeIdle()),
    close: () => closeWriter(db, transactions, () => files.checkpointWal(0)),
  };
}

function readsOn(db: Database, path: string, isWriting: () => boolean): Omit<StoreReads, 'close'> & StateReads {
  const snapshot = snapshots(db);
  const state = stateReads(db);
  const catalogue = catalogueReads(db);
  return {
    ...snapshot,
    ...state,
    ...catalogue,
    ...pointReads(db),
    ...vectorReads(db),
    ...labelScans(db, { ...snapshot, ...catalogue }, isWriting),
    ...logReads(db, { ...snapshot, ...state }),
    ...digestPageReads(db),
    ...rememberedReads(db),
    ...clusterReads(db, state),
    ...aliasReads(db),
    ...accessKeyReads(db),
    ...damageReads(db),
    fileBytes: () => fileBytes(path),
  };
}

function closeWriter(db: Database, transactions: WriteTransactions, moveWal: () => unknown): void {
  if (!db.open) return;
  try {
    transactions.door.rollback();
    moveWal();
  } catch (error) {
    const known = asWriteError(error);
    // On a full disk the WAL stays where it is and is read at the next opening: nothing is lost.
    if (!(known instanceof StorageFull)) throw known;
  } finally {
    db.close();
  }
}
