/** A folder of text checkpoints: how one comes into being, which is the newest, and what is left over.
 *
 *    <seq>.text.tmp ─write, fsync─► <seq>.text, fsync of the folder, removal of those before
 *
 *  The temporary file is <seq>-2.text.tmp, <seq>-3.text.tmp … while another save has the name. The rename is the commit point.
 *  Invariant: at any moment, also after a crash, the checkpoint committed last is there whole. Other files of the folder are left alone.
 *  Must not know: what the files hold. */

import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTextFile } from './checkpoint-file.js';
import { storedHead } from './checkpoint-head.js';
import type { CorpusSnapshot } from './corpus.js';
import type { TextCheckpointHead } from './text-index.js';

const COMMITTED = /^\d+\.text$/;
const TEMPORARY = /^\d+(?:-\d+)?\.text\.tmp$/;
/** Another save may be running: a temporary file is left alone until nobody can be at it any more. */
const STRAY_AGE_NS = 600_000_000_000n;
const NAMES_PER_SEQ_MAX = 100;

/** Names of checkpoints, newest first. A folder that is not there has none. @throws Error of the file system */
export async function committedTexts(folder: string): Promise<string[]> {
  const names = (await entries(folder)).filter((entry) => COMMITTED.test(entry));
  return names.sort((a, b) => seqOf(b) - seqOf(a));
}

/** Writes and commits a checkpoint, then removes those committed before it and old leftovers.
 *  @returns bytes written  @throws Error when it could not be written whole; what was there before is still there */
export async function writeTextCheckpoint(
  folder: string,
  head: TextCheckpointHead,
  segmented: boolean,
  content: CorpusSnapshot,
): Promise<number> {
  await mkdir(folder, { recursive: true });
  const temporary = await reserve(folder, head.seq);
  const name = `${head.seq}.text`;
  try {
    const { documents, terms } = content;
    const stored = storedHead(head, segmented, { documents, terms: terms.length });
    const bytes = await writeTextFile(temporary, stored, content);
    await rename(temporary, join(folder, name));
    await syncFolder(folder);
    await removeOthers(folder, name);
    return bytes;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a temporary file that nobody else has. @returns its path */
async function reserve(folder: string, seq: number): Promise<string> {
  for (let turn = 1; turn <= NAMES_PER_SEQ_MAX; turn++) {
    const path = join(folder, turn === 1 ? `${seq}.text.tmp` : `${seq}-${turn}.text.tmp`);
    try {
      await (await open(path, 'wx')).close();
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(`${NAMES_PER_SEQ_MAX} checkpoint names of seq ${seq} are taken`);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** One that was written later, by another save, stays; that save cleans up itself. Of two written at the same time only one comes before
 *  the other, so they never remove each other's. */
async function removeOthers(folder: string, kept: string): Promise<void> {
  const keptNs = await modifiedNs(join(folder, kept));
  if (keptNs === null) return;
  for (const entry of await entries(folder)) {
    const ns = await modifiedNs(join(folder, entry));
    if (ns === null) continue;
    const older = ns < keptNs || (ns === keptNs && seqOf(entry) < seqOf(kept));
    const stray = keptNs - ns > STRAY_AGE_NS;
    if (COMMITTED.test(entry) ? older : TEMPORARY.test(entry) && stray) await rm(join(folder, entry), { force: true });
  }
}

function seqOf(name: string): number {
  return Number.parseInt(name, 10);
}

/** Null for a file that is gone. */
async function modifiedNs(path: string): Promise<bigint | null> {
  try {
    return (await stat(path, { bigint: true })).mtimeNs;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function entries(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
