/** The change from one store of a data folder to another that came ready-made, and the removal of what no longer counts.
 *
 *    made/{MANIFEST, REPLACES} ─► made becomes store-<n+1> ─► CURRENT names it ─► its MANIFEST becomes the folder's ─► the old one may go
 *
 *  Invariant: at any moment, also after a kill, the folder is the complete old state or the complete new one. CURRENT is the border:
 *  the store that it names brings its own MANIFEST until that is moved out (data-folder.ts reads it there), so a manifest is never compared
 *  with a store that it does not belong to.
 *  Only stores that the counting one names in REPLACES, and those that never came to count (a MANIFEST is still inside), are ever removed:
 *  a folder that a person put beside them stays. Files of SQLite are moved and removed only while no connection is open on them.
 *  Must not know: what is in a store. */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failpoint } from '../model/failpoint.js';
import { CURRENT_FILE, inspectDataFolder, STORE_NAME, type StoreFolder, storeFolder } from './data-folder.js';
import { syncFolder, writeDurably } from './durable-files.js';
import { MANIFEST_FILE, replaceManifest } from './manifest.js';
import type { ManifestRecord } from './manifest-slot.js';
import { StoreRefused } from './storage.js';

const REPLACES_FILE = 'REPLACES';
const SET_ASIDE = 'removed-';

/** Makes a store the one that counts; durable on return. The caller holds the folder's lock and has closed the old store's writer.
 *  @param madePath a folder on the same file system, with everything in it durable but what is added here
 *  @throws StoreRefused (folder) when the folder has no store now · Error of the file system; which store counts is then to be looked up anew */
export function adoptStore(dataDir: string, madePath: string, record: ManifestRecord): StoreFolder {
  const old = countingStore(dataDir);
  const next = storeFolder(dataDir, `store-${Math.max(...storeNames(dataDir).map(numberOf)) + 1}`);
  writeDurably(join(madePath, REPLACES_FILE), Buffer.from([...replacedBy(old), old.name].map((name) => `${name}\n`).join('')));
  replaceManifest(madePath, record);
  failpoint('switch.before_rename');
  renameSync(madePath, next.path);
  syncFolder(dirname(madePath));
  syncFolder(dataDir);
  failpoint('switch.after_rename');
  try {
    writeDurably(join(dataDir, CURRENT_FILE), Buffer.from(`${next.name}\n`));
  } catch (error) {
    if (countingStore(dataDir).name === old.name) renameSync(next.path, madePath);
    throw error;
  }
  failpoint('switch.after_current');
  moveManifest(dataDir, next);
  failpoint('switch.after_manifest');
  return next;
}

/** Ends a switch that was cut off. Before anything is opened; harmless when there is nothing to do.
 *  @returns names of stores that may be removed; none when the folder's state is unclear */
export function finishSwitch(dataDir: string): string[] {
  const state = inspectDataFolder(dataDir);
  if (state.kind !== 'data') return [];
  const { store } = state;
  moveManifest(dataDir, store);
  const replaced = replacedBy(store);
  return storeNames(dataDir).filter((name) => {
    if (name === store.name) return false;
    return replaced.includes(name) || existsSync(join(dataDir, name, MANIFEST_FILE));
  });
}

/** Takes a store's name away at once, so that a removal that is cut off leaves no half of a store.
 *  @returns the path of what is to be removed  @throws StoreRefused (folder) for the store that counts, and for what is not a store */
export function setStoreAside(dataDir: string, name: string): string {
  if (!STORE_NAME.test(name)) throw new StoreRefused('folder', `'${name}' is not the name of a store`);
  if (countingStore(dataDir).name === name) throw new StoreRefused('folder', `${name} is the store that counts in ${dataDir}`);
  const aside = join(dataDir, `${SET_ASIDE}${name}`);
  rmSync(aside, { recursive: true, force: true });
  renameSync(join(dataDir, name), aside);
  syncFolder(dataDir);
  return aside;
}

/** Removals that were cut off. */
export function setAside(dataDir: string): string[] {
  return readdirSync(dataDir)
    .filter((name) => name.startsWith(SET_ASIDE) && STORE_NAME.test(name.slice(SET_ASIDE.length)))
    .map((name) => join(dataDir, name));
}

function countingStore(dataDir: string): StoreFolder {
  const state = inspectDataFolder(dataDir);
  if (state.kind === 'data') return state.store;
  throw new StoreRefused('folder', state.kind === 'refused' ? state.reason : `${dataDir} holds no store`);
}

function moveManifest(dataDir: string, store: StoreFolder): void {
  const inside = join(store.path, MANIFEST_FILE);
  if (!existsSync(inside)) return;
  renameSync(inside, join(dataDir, MANIFEST_FILE));
  syncFolder(dataDir);
  syncFolder(store.path);
}

function replacedBy(store: StoreFolder): string[] {
  const path = join(store.path, REPLACES_FILE);
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((name) => STORE_NAME.test(name))
    : [];
}

function storeNames(dataDir: string): string[] {
  return readdirSync(dataDir).filter((name) => STORE_NAME.test(name));
}

function numberOf(storeName: string): number {
  return Number(storeName.slice('store-'.length));
}
