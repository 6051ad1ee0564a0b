/** Moves a store that cannot be served out of the way, whole, for a copy that takes its place: nothing of it is removed.
 *
 *    quarantine/store-<time>/{store-<n>/, MANIFEST, CURRENT, incoming-*}      MOVING: the names that are on their way
 *
 *  MOVING stays until the new store is made, so whenever the process ends, the next start goes on where it was, as the same node.
 *  Must not know: why, what comes instead. */

import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../../resilience/make-folder.js';
import { syncFolder, writeDurably } from '../../storage/durable-files.js';
import { QUARANTINE_FOLDER, timeName } from './quarantine-list.js';

const MOVING_FILE = 'MOVING';
const PARTS = /^(store-\d+|MANIFEST|CURRENT|incoming-.+)$/;
const MOVED_NAME = /^store-(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d\.\d{3}Z)$/;

/** The caller holds the folder's lock and has nothing of the store open; durable on return.
 *  @returns where it lies now  @throws Error of the file system */
export function moveStoreAside(dataDir: string, atMs: number): string {
  const target = join(dataDir, QUARANTINE_FOLDER, `store-${timeName(atMs)}`);
  makeFolder(target);
  for (const path of [join(dataDir, QUARANTINE_FOLDER), dataDir]) syncFolder(path);
  const names = readdirSync(dataDir).filter((name) => PARTS.test(name));
  writeDurably(join(target, MOVING_FILE), Buffer.from(names.map((name) => `${name}\n`).join('')));
  goOn(dataDir, target);
  return target;
}

/** Goes on with a move that was cut off. @returns where the store lies whose place is still empty, or null  @throws Error of the file system */
export function resumeMove(dataDir: string): string | null {
  const open = movedStores(dataDir).filter(({ path }) => existsSync(join(path, MOVING_FILE)));
  for (const { path } of open) goOn(dataDir, path);
  return open.at(-1)?.path ?? null;
}

/** The new store is there. @throws Error of the file system */
export function endMove(target: string): void {
  rmSync(join(target, MOVING_FILE));
  syncFolder(target);
}

/** What has come through is not moved again: a thing of that name is the new store's. */
function goOn(dataDir: string, target: string): void {
  const names = readFileSync(join(target, MOVING_FILE), 'utf8').split('\n');
  for (const name of names) {
    const isOnItsWay = PARTS.test(name) && existsSync(join(dataDir, name)) && !existsSync(join(target, name));
    if (isOnItsWay) renameSync(join(dataDir, name), join(target, name));
  }
  for (const path of [target, dataDir]) syncFolder(path);
}

/** Stores in quarantine, with the times at which they were moved, oldest first. */
export function movedStores(dataDir: string): { readonly path: string; readonly atMs: number }[] {
  const folder = join(dataDir, QUARANTINE_FOLDER);
  if (!existsSync(folder)) return [];
  const found = readdirSync(folder).flatMap((name) => {
    const [, day, minutes, seconds] = MOVED_NAME.exec(name) ?? [];
    if (day === undefined) return [];
    return [{ path: join(folder, name), atMs: Date.parse(`${day}:${minutes}:${seconds}`) }];
  });
  return found.sort((a, b) => a.atMs - b.atMs);
}
