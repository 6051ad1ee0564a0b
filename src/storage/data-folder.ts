/** The data folder: its layout, what state it is in, and how a new one is made.
 *
 *    LOCK                      one process at a time (folder-lock.ts)
 *    MANIFEST                  what was acknowledged (manifest.ts)
 *    CURRENT                   the name of the store that counts, "store-1\n"
 *    store-<n>/skein.db        the store, with its -wal and -shm while it is open
 *    store-<n>/checkpoints/<uid>/<vector name, or default>/<seq>.{hnsw,json}
 *    store-<n>/MANIFEST        after a switch to a store that came ready-made (store-switch.ts), until it is moved out
 *    making-store-<n>/         a store that is being made
 *    restoring-<id>/           what a restore works in
 *    NODE, incoming-*, outgoing-*, removed-store-<n>, rollback/, quarantine/: not looked at here
 *
 *  A store is made under making-store-1, then MANIFEST, then CURRENT, and last the folder gets its name: so as long as no store-<n>
 *  is there, nothing was ever acknowledged, and leftovers of a making may go. Whatever else is unclear is refused: a server never
 *  starts empty over a folder that had data. Files of SQLite are looked at by stat only. */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../model/errors.js';
import { syncFolder, writeDurably } from './durable-files.js';
import { LOCK_FILE } from './folder-lock.js';
import { MANIFEST_FILE, type ManifestReading, readManifest, replaceManifest } from './manifest.js';
import { MANIFEST_FORMAT, type ManifestRole } from './manifest-slot.js';
import { createStore } from './open-store.js';
import { type NewStore, type StoreOptions, StoreRefused } from './storage.js';

export const CURRENT_FILE = 'CURRENT';
const DATABASE_FILE = 'skein.db';
const FIRST_STORE = 'store-1';
/** Notes of the node about itself; they are no data and do not make a folder other than fresh. */
const NODE_FILE = 'NODE';
export const STORE_NAME = /^store-[1-9][0-9]{0,8}$/;
/** What a restore into this folder works in. */
export const RESTORING_NAME = /^restoring-[0-9a-f]{32}$/;
const MAKING_NAME = /^making-store-[1-9][0-9]{0,8}$/;

/** Where the store that counts is. */
export interface StoreFolder {
  /** "store-1" */
  readonly name: string;
  readonly path: string;
  readonly databasePath: string;
  /** Holds <uid>/<vector name, or default>/ for the index's files. */
  readonly checkpointsPath: string;
}

export type FolderState =
  /** Nothing is there, or only LOCK. */
  | { readonly kind: 'fresh' }
  /** A making was cut off before anything could be acknowledged. */
  | { readonly kind: 'half_made'; readonly leftovers: readonly string[] }
  | { readonly kind: 'data'; readonly store: StoreFolder; readonly manifest: ManifestReading }
  /** The folder had data, or something that is not ours, and cannot be used as it is. */
  | { readonly kind: 'refused'; readonly reason: string; readonly manifest: ManifestReading };

/** Looks without changing anything. Cost: a few file system calls. */
export function inspectDataFolder(dataDir: string): FolderState {
  const found = listNames(dataDir);
  // What a node that knows itself has put away is no data that counts.
  const putAway = found.includes(NODE_FILE) ? ['quarantine', 'rollback'] : [];
  const notLookedAt = [LOCK_FILE, NODE_FILE, `${NODE_FILE}.new`, 'lost+found', ...putAway];
  const names = found.filter((name) => !notLookedAt.includes(name) && !name.startsWith('.'));
  if (names.length === 0) return { kind: 'fresh' };
  const manifest = readManifest(dataDir);
  const refused = (reason: string): FolderState => ({ kind: 'refused', reason: `${dataDir}: ${reason}`, manifest });
  const stores = names.filter((name) => STORE_NAME.test(name));
  if (stores.length === 0) return withoutStore(names, manifest, refused);
  const current = readCurrent(dataDir);
  if (current === null)
    return refused(`CURRENT is missing or damaged, and there is ${stores.join(', ')}; write the right name into it`);
  if (!stores.includes(current)) return refused(`CURRENT names ${current}, which is not there (there is ${stores.join(', ')})`);
  const store = storeFolder(dataDir, current);
  const file = statSync(store.databasePath, { throwIfNoEntry: false });
  if (file === undefined) return refused(`${current}/${DATABASE_FILE} is missing; its data is lost or was moved away`);
  if (!file.isFile() || file.size === 0) return refused(`${current}/${DATABASE_FILE} has 0 bytes; its data is lost`);
  const own = statSync(join(store.path, MANIFEST_FILE), { throwIfNoEntry: false }) !== undefined;
  return { kind: 'data', store, manifest: own ? readManifest(store.path) : manifest };
}

function withoutStore(
  names: readonly string[],
  manifest: ManifestReading,
  refused: (reason: string) => FolderState,
): FolderState {
  const making = names.filter((name) => MAKING_NAME.test(name));
  const ours = [CURRENT_FILE, MANIFEST_FILE, `${CURRENT_FILE}.new`, `${MANIFEST_FILE}.new`];
  const cutOff = names.find((name) => RESTORING_NAME.test(name));
  if (cutOff !== undefined)
    return refused(
      `there is no store, but ${cutOff}, which a restore leaves that was cut off: if it was to make this folder, run 'skein restore' again`,
    );
  const rest = names.filter((name) => !making.includes(name) && !ours.includes(name));
  if (manifest.record !== null && manifest.record.lastSeq > 0) {
    return refused(`MANIFEST says that seq ${manifest.record.lastSeq} was stored, but there is no store`);
  }
  if (rest.length > 0) return refused(`it is not empty and not a data folder of Skein (it holds ${rest.slice(0, 5).join(', ')})`);
  if (making.length === 0) return refused(`there is ${names.join(', ')} but no store; its data is lost or was moved away`);
  return { kind: 'half_made', leftovers: names };
}

/** Makes a new store in a fresh or half-made folder; everything is durable on return. The caller holds the folder's lock.
 *  @throws StoreRefused (folder) when the folder is in any other state */
export function createDataFolder(
  dataDir: string,
  store: NewStore,
  about: { readonly role: ManifestRole; readonly bootId: string },
  options: StoreOptions,
): StoreFolder {
  const state = inspectDataFolder(dataDir);
  if (state.kind === 'refused') throw new StoreRefused('folder', state.reason);
  if (state.kind === 'data') throw new StoreRefused('folder', `${dataDir} holds a store already`);
  // In order of names the making folder goes last, so a crash in between leaves a half-made folder again.
  if (state.kind === 'half_made')
    for (const name of state.leftovers) rmSync(join(dataDir, name), { recursive: true, force: true });
  const making = join(dataDir, `making-${FIRST_STORE}`);
  mkdirSync(making, { recursive: true });
  syncFolder(dataDir);
  createStore(join(making, DATABASE_FILE), store, options);
  const { clusterId, nodeId, historyId, epoch } = store;
  const counts = { collections: 0, points: 0 };
  const base = { format: MANIFEST_FORMAT, clusterId, nodeId, historyId, epoch, lastSeq: 0, counts } as const;
  replaceManifest(dataDir, { ...base, ...about, cleanShutdown: true });
  writeDurably(join(dataDir, CURRENT_FILE), Buffer.from(`${FIRST_STORE}\n`));
  renameSync(making, join(dataDir, FIRST_STORE));
  syncFolder(dataDir);
  return storeFolder(dataDir, FIRST_STORE);
}

export function storeFolder(dataDir: string, name: string): StoreFolder {
  const path = join(dataDir, name);
  return { name, path, databasePath: join(path, DATABASE_FILE), checkpointsPath: join(path, 'checkpoints') };
}

function listNames(dataDir: string): string[] {
  try {
    return readdirSync(dataDir).sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    const message = messageOf(error);
    throw new StoreRefused('folder', `${dataDir} cannot be read (${message})`, { cause: error });
  }
}

function readCurrent(dataDir: string): string | null {
  try {
    const text = readFileSync(join(dataDir, CURRENT_FILE), 'utf8');
    const name = text.slice(0, -1);
    return text.endsWith('\n') && STORE_NAME.test(name) ? name : null;
  } catch {
    return null;
  }
}
