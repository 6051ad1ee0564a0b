/** Takes a checkpoint out of a folder in which another thread goes on saving, for a node that is to load the graph instead of building it.
 *
 *  Files of a committed checkpoint are never changed, only removed; so each is linked (copied where links are not possible), and what was
 *  removed halfway is tried again with what came in its place. The data are not read here: their SHA-256 are those of the head.
 *  Must not know: what the data mean, which collections there are. */

import { constants, copyFile, link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { committedNames, dataPath } from './checkpoint-folder.js';
import { decodeHead } from './checkpoint-head.js';
import type { CheckpointHead } from './vector-index.js';

export interface TakenCheckpoint {
  readonly head: CheckpointHead;
  readonly files: readonly TakenFile[];
}

export interface TakenFile {
  readonly name: string;
  readonly bytes: number;
  /** What the data must have; null for the head, which carries its own checksum. */
  readonly sha256: string | null;
}

/** A save removes what was committed before it; twice while one is taken is much already. */
const TRIES = 4;

/** Puts the newest checkpoint of `folder` whose head is sound into `target`, a folder that is made for it.
 *  @returns null when there is none; then `target` is not there either
 *  @throws Error of the file system (a full disk) */
export async function takeCheckpoint(folder: string, target: string): Promise<TakenCheckpoint | null> {
  for (let tries = 0; tries < TRIES; tries++) {
    const names = await committedNames(folder);
    for (const name of names) {
      await mkdir(target, { recursive: true });
      const taken = await takeOne(folder, name, target);
      if (taken !== null) return taken;
      await rm(target, { recursive: true, force: true });
    }
    if (names.length === 0) return null;
  }
  return null;
}

/** Null for one that is gone by now, or whose head is not sound. */
async function takeOne(folder: string, name: string, target: string): Promise<TakenCheckpoint | null> {
  try {
    const headName = `${name}.json`;
    await take(join(folder, headName), join(target, headName));
    const text = await readFile(join(target, headName), 'utf8');
    const head = readHead(text);
    if (head === null) return null;
    const files: TakenFile[] = [{ name: headName, bytes: Buffer.byteLength(text), sha256: null }];
    for (const [part, { dataBytes, dataSha256 }] of head.parts.entries()) {
      const from = dataPath(folder, name, part);
      const to = join(target, basename(from));
      await take(from, to);
      if ((await stat(to)).size !== dataBytes) return null;
      files.push({ name: basename(from), bytes: dataBytes, sha256: dataSha256 });
    }
    return { head, files };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function readHead(text: string): ReturnType<typeof decodeHead> | null {
  try {
    return decodeHead(text);
  } catch {
    return null;
  }
}

/** By a link where the file system can; else by a copy, on the disk when this resolves. */
async function take(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const copy = await open(to, 'r+');
    try {
      await copy.sync();
    } finally {
      await copy.close();
    }
  }
}
