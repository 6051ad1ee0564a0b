/** Files and folders below one root: durable creation, a walk in the order of keys, and no way out through links.
 *
 *  Source of the order of steps: a new name is durable only when its folder was synced (fsync(2)). Must not know: objects, targets. */

import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, realpath, rename, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

/** A path leads out of the root, by a link that somebody placed in it. */
export class OutsideRoot extends Error {
  override readonly name = 'OutsideRoot';

  constructor(path: string) {
    super(`${path} leads outside the folder`);
  }
}

export interface FoundFile {
  /** Below the root, with slashes. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

/** A folder that was emptied while a file was moved into it is made again so often. */
const PLACE_ATTEMPTS_MAX = 4;

export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** @returns true when the error says that there is no such file */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Moves a synced file to its place below `root`, durably; missing folders are made. @throws OutsideRoot */
export async function placeFile(from: string, root: string, path: string): Promise<void> {
  const to = join(root, path);
  for (let attempt = 1; ; attempt++) {
    const made = await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await checkInside(root, to);
    try {
      await rename(from, to);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || attempt === PLACE_ATTEMPTS_MAX) throw error;
      continue;
    }
    const end = made === undefined ? dirname(to) : root;
    for (let folder = dirname(to); ; folder = dirname(folder)) {
      await syncFolder(folder);
      if (folder === end) return;
    }
  }
}

/** Removes a file durably, and the folders below `root` that it leaves empty. A file that is not there is no error. @throws OutsideRoot */
export async function removeFile(root: string, path: string): Promise<void> {
  const file = join(root, path);
  try {
    await checkInside(root, file);
    await unlink(file);
    await syncFolder(dirname(file));
  } catch (error) {
    if (!isMissing(error) && codeOf(error) !== 'EISDIR') throw error;
    return;
  }
  for (let folder = dirname(file); folder !== root; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch {
      // Not empty, or gone: either way there is nothing to tidy up.
      return;
    }
  }
}

/** Opens a plain file below `root` for reading. @throws OutsideRoot · Error of the file system; ENOENT where it is no plain file */
export async function openBelow(root: string, path: string): Promise<{ file: FileHandle; bytes: number }> {
  await checkInside(root, join(root, path));
  const file = await open(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW);
  const stats = await file.stat();
  if (stats.isFile()) return { file, bytes: stats.size };
  await file.close();
  throw Object.assign(new Error(`${path} is no plain file`), { code: 'ENOENT' });
}

/** Plain files below `root` whose paths begin with `prefix`, in bytewise order of the paths; names that begin with a dot are passed over.
 *  Cost: reads only the folders that can hold such paths; one folder's names are in memory for each level. */
export async function* walkFiles(root: string, prefix: string, folder = ''): AsyncGenerator<FoundFile> {
  for (const name of await namesOf(root, folder)) {
    const path = folder + name;
    if (name.endsWith('/')) {
      if (path.startsWith(prefix) || prefix.startsWith(path)) yield* walkFiles(root, prefix, path);
    } else if (path.startsWith(prefix)) {
      const stats = await unlessMissing(stat(join(root, path)));
      if (stats !== null) yield { path, bytes: stats.size, modifiedAtMs: Math.floor(stats.mtimeMs) };
    }
  }
}

/** A folder sorts as what it is in a path: its name with the slash, which stands behind `-` and `.` and before letters. */
async function namesOf(root: string, folder: string): Promise<string[]> {
  const entries = (await unlessMissing(readdir(join(root, folder), { withFileTypes: true }))) ?? [];
  return entries
    .filter((entry) => !entry.name.startsWith('.') && (entry.isFile() || entry.isDirectory()))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function checkInside(root: string, path: string): Promise<void> {
  const folder = await realpath(dirname(path));
  if (folder !== root && !folder.startsWith(root === sep ? sep : root + sep)) throw new OutsideRoot(path);
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
