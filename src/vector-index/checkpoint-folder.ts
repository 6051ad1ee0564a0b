/** A folder of checkpoints: how one comes into being, which is the newest, and what is left over.
 *
 *    <name>.hnsw.tmp ─write, fsync, check─► <name>.hnsw        <name>.json.tmp ─write, fsync─► <name>.json, fsync of the folder
 *    the same for <name>.2.hnsw, where there are two parts
 *
 *  <name> is the seq, or <seq>-2, <seq>-3 … while a file of that name is there. The head (.json) is the commit point: data without a
 *  head is nothing. Invariant: at any moment, also after a crash, the checkpoint committed last is there, untouched.
 *  Must not know: what the data mean. */

import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeHead, type StoredPart } from './checkpoint-head.js';
import { type FileCheck, readHashed } from './hashed-file.js';
import type { GraphMarks } from './hnsw-graph.js';
import type { CheckpointHead } from './vector-index.js';

/** One data file to be written. */
export interface CheckpointSource extends GraphMarks {
  readonly live: number;
  write(path: string): Promise<void>;
  /** Must accept every whole file that write() makes. @param bytes the file's size */
  check(bytes: number): FileCheck;
}

const NAME = /^(\d+)(?:-(\d+))?\.(?:json|hnsw|2\.hnsw)(?:\.tmp)?$/;
const DATA_ENDINGS = ['hnsw', '2.hnsw'];
const ENDINGS = ['json', ...DATA_ENDINGS];
/** Another save may be running: what has no head is left alone until nobody can be at it any more. */
const STRAY_AGE_NS = 600_000_000_000n;
const NAMES_PER_SEQ_MAX = 1_000;

/** Names that have a head, newest first. A folder that is not there has none. @throws Error of the file system */
export async function committedNames(folder: string): Promise<string[]> {
  const order = (name: string): number[] => name.split('-').map(Number);
  return (await entries(folder))
    .filter((entry) => entry.endsWith('.json'))
    .map((entry) => entry.slice(0, -'.json'.length))
    .sort((a, b) => {
      const [seqA = 0, turnA = 1] = order(a);
      const [seqB = 0, turnB = 1] = order(b);
      return seqB - seqA || turnB - turnA;
    });
}

/** Where the data of a part is. @param part 0 or 1 */
export function dataPath(folder: string, name: string, part: number): string {
  return join(folder, `${name}.${DATA_ENDINGS[part]}`);
}

/** Writes, checks and commits a checkpoint, then removes those committed before it and old leftovers.
 *  @returns bytes of data and head  @throws Error when it could not be written whole; what was there before is still there */
export async function writeCheckpoint(
  folder: string,
  head: CheckpointHead,
  sources: readonly CheckpointSource[],
): Promise<number> {
  await mkdir(folder, { recursive: true });
  const name = await reserveName(folder, head.seq);
  const headPath = join(folder, `${name}.json`);
  try {
    const parts: StoredPart[] = [];
    for (const [part, source] of sources.entries()) parts.push(await writePart(dataPath(folder, name, part), source));
    const text = encodeHead({ ...head, parts });
    await writeFile(`${headPath}.tmp`, text);
    await syncPath(`${headPath}.tmp`, 'r+');
    await rename(`${headPath}.tmp`, headPath);
    await syncPath(folder, 'r');
    await removeOthers(folder, name);
    return parts.reduce((sum, { dataBytes }) => sum + dataBytes, Buffer.byteLength(text));
  } catch (error) {
    if (!(await committedNames(folder)).includes(name)) {
      const endings = [...DATA_ENDINGS, ...ENDINGS.map((ending) => `${ending}.tmp`)];
      for (const ending of endings) await rm(join(folder, `${name}.${ending}`), { force: true });
    }
    throw error;
  }
}

async function writePart(path: string, source: CheckpointSource): Promise<StoredPart> {
  await source.write(`${path}.tmp`);
  await syncPath(`${path}.tmp`, 'r+');
  const { size } = await stat(`${path}.tmp`);
  const { bytes: dataBytes, sha256: dataSha256 } = await readHashed(`${path}.tmp`, source.check(size));
  await rename(`${path}.tmp`, path);
  const { live, removed, unranked, twins } = source;
  return { live, removed, unranked, twins, dataBytes, dataSha256 };
}

/** Removes what a crash left: files that belong to no head. The caller knows that nobody writes into the folder at the time.
 *  @throws Error of the file system */
export async function removeLeftovers(folder: string): Promise<void> {
  const kept = new Set((await committedNames(folder)).flatMap(filesOf));
  for (const entry of await entries(folder)) if (!kept.has(entry)) await rm(join(folder, entry), { force: true });
}

/** Takes a name that nobody has, by making its data file, empty. */
async function reserveName(folder: string, seq: number): Promise<string> {
  for (let turn = 1; turn <= NAMES_PER_SEQ_MAX; turn++) {
    const name = turn === 1 ? String(seq) : `${seq}-${turn}`;
    try {
      await (await open(join(folder, `${name}.hnsw`), 'wx')).close();
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(`${NAMES_PER_SEQ_MAX} checkpoint names of seq ${seq} are taken`);
}

/** Heads go before their data, so that no head is ever without its data. */
function filesOf(name: string): string[] {
  return ENDINGS.map((ending) => `${name}.${ending}`);
}

async function syncPath(path: string, flags: 'r' | 'r+'): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes what was committed before `kept`, and old leftovers. Of two savers that end at the same time only one comes first by this order,
 *  so they never remove each other's. */
async function removeOthers(folder: string, kept: string): Promise<void> {
  const committed = await committedNames(folder);
  const keptNs = await modifiedNs(join(folder, `${kept}.json`));
  // Null: a later save has removed this one already, and cleans up itself.
  if (keptNs === null) return;
  const spared = new Set<string>();
  for (const name of committed) {
    const ns = await modifiedNs(join(folder, `${name}.json`));
    const older = ns !== null && (ns < keptNs || (ns === keptNs && committed.indexOf(name) > committed.indexOf(kept)));
    if (older) for (const file of filesOf(name)) await rm(join(folder, file), { force: true });
    else for (const file of filesOf(name)) spared.add(file);
  }
  for (const entry of await entries(folder)) {
    const ns = await modifiedNs(join(folder, entry));
    const stray = !spared.has(entry) && ns !== null && keptNs - ns > STRAY_AGE_NS;
    if (stray) await rm(join(folder, entry), { force: true });
  }
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

/** Files of ours, whatever their state; others are nobody's business here. */
async function entries(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((entry) => NAME.test(entry));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
