/** From a store that was brought to a state of the past to the one that counts, in a folder that has data or in a new one.
 *
 *    files of a snapshot, rows and state verified ─► (replayed: replay.ts) ─► counted ─► adopted, or made the first store of a folder
 *
 *  Invariant: a folder is the complete old state or the complete new one; one that was to be made is not usable before its last step.
 *  Must not know: where the files came from. */

import { readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ByteWriter } from '../codec/bytes.js';
import type { AccessKey } from '../model/access-key.js';
import type { PointVersion } from '../model/point.js';
import { makeFolder } from '../resilience/make-folder.js';
import { CURRENT_FILE, inspectDataFolder, RESTORING_NAME, type StoreFolder, storeFolder } from '../storage/data-folder.js';
import { syncFolder, writeDurably } from '../storage/durable-files.js';
import { MANIFEST_FILE, replaceManifest } from '../storage/manifest.js';
import type { ManifestRecord } from '../storage/manifest-slot.js';
import { openReader } from '../storage/open-store.js';
import { StoreRefused } from '../storage/storage.js';
import { adoptStore } from '../storage/store-switch.js';
import { encodeValue } from './compare.js';
import { DATABASE_NAME, pathOf, type SnapshotFile, type SnapshotHead } from './snapshot-head.js';
import { verifyStoreOf } from './snapshot-install.js';

const CACHE_BYTES = 4 * 1024 * 1024;

/** Who the folder belongs to. */
interface RestoredAs {
  readonly bootId: string;
}

/** Checks the store that came as files of a snapshot: every row, sum and digest, in a child process, and its state against the head.
 *  @throws SnapshotDamaged · Error */
export async function verifyRestored(made: string, head: SnapshotHead, signal: AbortSignal): Promise<void> {
  await verifyStoreOf(join(made, DATABASE_NAME), head, signal);
}

/** Where a file of the snapshot lies. */
export function restoredPath(made: string, file: Pick<SnapshotFile, 'name'>): string {
  return pathOf(made, file.name);
}

/** The keys that the data of that moment has: they open it, whatever became of them later. */
export function accessKeysOf(made: string): AccessKey[] {
  const reads = openReader(join(made, DATABASE_NAME), { cacheBytes: CACHE_BYTES });
  try {
    return reads.accessKeys();
  } finally {
    reads.close();
  }
}

/** Points of a store that is not served. */
export interface RestoredPoints {
  /** The state it has. */
  readonly seq: number;
  /** The point in the form of compare.ts, or null where it is not there in this version. Checked, and not proven. @throws CorruptData */
  value(point: PointVersion): Uint8Array | null;
  close(): void;
}

export function restoredPoints(made: string): RestoredPoints {
  const reads = openReader(join(made, DATABASE_NAME), { cacheBytes: CACHE_BYTES });
  const { seq } = reads.state();
  const value = ({ uid, id, version }: PointVersion): Uint8Array | null => {
    const row = reads.pointById(uid, id);
    const vectorSet = row?.version === version ? reads.vectorSet(uid, row.label) : undefined;
    if (row === undefined || vectorSet === undefined) return null;
    const out = new ByteWriter();
    encodeValue(out, { ...row, vectorSet });
    return out.finish();
  };
  return { seq, value, close: () => reads.close() };
}

/** Makes it the store that counts, of a master; durable on return. The caller holds the folder's lock and has closed the writer of the old.
 *  @param made in the data folder, everything in it durable  @throws as adoptStore */
export function adoptRestored(dataDir: string, made: string, as: RestoredAs): StoreFolder {
  return adoptStore(dataDir, made, recordOf(join(made, DATABASE_NAME), as));
}

/** What a restore may write into: a folder with nothing in it, or with what is left of a restore that was cut off.
 *  @returns the names of leftovers  @throws StoreRefused (folder) for any other */
export function mustTakeRestore(dataDir: string): string[] {
  makeFolder(dataDir);
  const names = readdirSync(dataDir).filter((name) => name !== 'LOCK' && name !== 'lost+found');
  const own = [MANIFEST_FILE, CURRENT_FILE, 'NODE'].flatMap((name) => [name, `${name}.new`]);
  const leftovers = names.filter((name) => RESTORING_NAME.test(name) || own.includes(name));
  const foreign = names.filter((name) => !leftovers.includes(name));
  const cutOff = leftovers.some((name) => RESTORING_NAME.test(name));
  if (foreign.length === 0 && (cutOff || leftovers.length === 0)) return leftovers;
  const state = inspectDataFolder(dataDir);
  const why =
    state.kind === 'data'
      ? 'it holds data already'
      : `it is not empty (it holds ${[...foreign, ...leftovers].slice(0, 5).join(', ')})`;
  throw new StoreRefused('folder', `${dataDir}: ${why}; a restore makes a new folder`);
}

/** Makes it the first store of a folder that took the restore; durable on return. Until the last step the folder is refused by a start.
 *  @param made inside a restoring-… folder of it  @throws Error of the file system */
export function makeRestored(dataDir: string, made: string, as: RestoredAs): StoreFolder {
  const store = storeFolder(dataDir, 'store-1');
  replaceManifest(dataDir, recordOf(join(made, DATABASE_NAME), as));
  writeDurably(join(dataDir, CURRENT_FILE), Buffer.from(`${store.name}\n`));
  renameSync(made, store.path);
  syncFolder(dirname(made));
  syncFolder(dataDir);
  rmSync(dirname(made), { recursive: true, force: true });
  return store;
}

/** Lets the store be opened where it is, for a look at it: `folder` holds it and becomes a data folder as far as an engine goes. */
export function placeForLook(folder: string, made: string, as: RestoredAs): void {
  replaceManifest(folder, recordOf(join(made, DATABASE_NAME), as));
}

function recordOf(databasePath: string, { bootId }: RestoredAs): ManifestRecord {
  const reads = openReader(databasePath, { cacheBytes: CACHE_BYTES });
  try {
    const { clusterId, nodeId, historyId, epoch, seq: lastSeq } = reads.state();
    const collections = reads.collections();
    const points = collections.reduce((sum, { pointsCount }) => sum + pointsCount, 0);
    const counts = { collections: collections.length, points };
    return { format: 1, clusterId, nodeId, historyId, epoch, role: 'master', lastSeq, counts, cleanShutdown: true, bootId };
  } finally {
    reads.close();
  }
}
