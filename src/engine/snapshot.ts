/** The door of snapshots: a store as files, built beside a running one, read as chunks, received, and switched to.
 *
 *  What is built holds everything up to one seq but the log, and the graphs, so that a receiver loads them and replays a short tail.
 *  Nothing here knows networks: who sends chunks from one node to another uses this. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inspectDataFolder, RESTORING_NAME } from '../storage/data-folder.js';
import { finishSwitch, setAside, setStoreAside } from '../storage/store-switch.js';
import { OUTGOING_NAME } from './snapshot-building.js';
import { emptyIncoming } from './snapshot-incoming.js';

export { type BuiltSnapshot, buildSnapshot } from './snapshot-building.js';
export { checkSnapshotHead, type SnapshotFile, type SnapshotHead } from './snapshot-head.js';
export { discardIncoming, type IncomingSnapshot, openIncoming, resumableSnapshot } from './snapshot-incoming.js';
export { SnapshotDamaged } from './snapshot-install.js';

/** Ends a switch that was cut off, and removes what nobody needs: snapshots that were built or half built, stores that were replaced, a
 *  store that never came to count, removals that were cut off. A download that can go on stays. At a start, before anything is opened; the
 *  caller holds the folder's lock. A folder that is not there, or whose state is unclear, keeps its stores.
 *  @throws Error of the file system */
export async function removeSnapshotLeftovers(dataDir: string): Promise<void> {
  const stores = finishSwitch(dataDir).map((name) => setStoreAside(dataDir, name));
  // What is left of a restore into a new folder stays: without it a start would take the folder for a fresh one.
  const restored = inspectDataFolder(dataDir).kind === 'data';
  const unfinished = (await readdir(dataDir))
    .filter((name) => OUTGOING_NAME.test(name) || (restored && RESTORING_NAME.test(name)))
    .map((name) => join(dataDir, name));
  const leftovers = [...stores, ...setAside(dataDir), ...unfinished, ...(await emptyIncoming(dataDir))];
  for (const path of leftovers) await rm(path, { recursive: true, force: true });
}

/** Removes a store folder that no longer counts; the caller has closed all that read it.
 *  @throws StoreRefused (folder) for the one that counts, and for what is not a store · Error of the file system */
export async function removeStore(dataDir: string, name: string): Promise<void> {
  await rm(setStoreAside(dataDir, name), { recursive: true, force: true });
}
