/** The thread that makes one snapshot and ends: checkpoints first, then the cut, then what is left out, then the sums.
 *
 *    newest checkpoint of each collection, linked ─► cut of the store ─► those that fit the cut ─► SHA-256 of each file, synced ─► head
 *
 *  Checkpoints come before the cut, so that none is ever ahead of it. What does not fit is left out, and the receiver builds that graph.
 *  Must not know: who asked, networks. */

import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorRecord, messageOf, SkeinError } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import { FIXED } from '../model/limits.js';
import { armTestHooks } from '../model/test-hooks.js';
import { asDiskError, syncFile, syncFolder } from '../storage/durable-files.js';
import { type CollectionRow, StorageFull } from '../storage/storage.js';
import { cutStore } from '../storage/store-cut.js';
import { type TakenCheckpoint, takeCheckpoint } from '../vector-index/open-index.js';
import { hashFile } from './snapshot-hash.js';
import { CHUNK_BYTES_MAX, DATABASE_NAME, FILES_MAX, pathOf, type SnapshotFile, type SnapshotHead } from './snapshot-head.js';

export interface SnapshotThreadData {
  readonly id: string;
  /** Where the files go: there, and empty. */
  readonly folder: string;
  readonly storePath: string;
  readonly checkpointsDir: string;
  readonly cacheBytes: number;
}

export type FromSnapshotThread =
  | { readonly kind: 'progress'; readonly fraction: number }
  | { readonly kind: 'built'; readonly head: SnapshotHead; readonly unindexed: readonly number[] }
  /** full: for want of room on the disk; record: a refusal that is known. */
  | { readonly kind: 'failed'; readonly full: boolean; readonly record: ErrorRecord | null; readonly message: string };

interface Taken {
  readonly uid: number;
  readonly name: string;
  readonly checkpoint: TakenCheckpoint;
}

const CUT_SHARE = 0.7;
const PROGRESS_STEP = 0.01;
/** Head and two data files. */
const FILES_PER_CHECKPOINT = 3;

if (parentPort === null) throw new Error('snapshot-thread.js runs as a worker only');
const port = parentPort;
const { id, folder, storePath, checkpointsDir, cacheBytes } = workerData as SnapshotThreadData;
let told = 0;
armTestHooks(process.env, () => process.kill(process.pid, 'SIGKILL'));

function post(message: FromSnapshotThread): void {
  port.postMessage(message);
}

function tell(fraction: number): void {
  if (fraction < told + PROGRESS_STEP) return;
  told = fraction;
  post({ kind: 'progress', fraction });
}

async function build(): Promise<void> {
  const taken = await takeCheckpoints();
  failpoint('snapshot.before_cut');
  const cut = cutStore(storePath, join(folder, DATABASE_NAME), { cacheBytes }, (part) => tell(part * CUT_SHARE));
  failpoint('snapshot.after_cut');
  const files = [await sum({ name: DATABASE_NAME, sha256: null })];
  const indexed = new Set<number>();
  const rows = new Map(cut.collections.map((row) => [row.uid, row]));
  for (const [i, one] of taken.entries()) {
    const sums = fits(one, rows.get(one.uid), cut.state.seq) ? await sumAll(one) : null;
    if (sums === null) await rm(join(folder, one.name), { recursive: true, force: true });
    else {
      files.push(...sums);
      indexed.add(one.uid);
    }
    tell(CUT_SHARE + (1 - CUT_SHARE) * ((i + 1) / taken.length));
  }
  for (const path of new Set(files.map(({ name }) => dirname(pathOf(folder, name))))) syncFolder(path);
  const unindexed = cut.collections.filter(({ uid, pointsCount }) => pointsCount > FIXED.flatPointsMax && !indexed.has(uid));
  failpoint('snapshot.before_head');
  post({ kind: 'built', head: headOf(cut, files), unindexed: unindexed.map(({ uid }) => uid) });
}

async function takeCheckpoints(): Promise<Taken[]> {
  const taken: Taken[] = [];
  const names = await readdir(checkpointsDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const uid of names.filter((entry) => /^[1-9][0-9]*$/.test(entry))) {
    if (taken.length * FILES_PER_CHECKPOINT >= FILES_MAX - FILES_PER_CHECKPOINT) break;
    const name = `checkpoints/${uid}/default`;
    const checkpoint = await takeCheckpoint(join(checkpointsDir, uid, 'default'), pathOf(folder, name));
    if (checkpoint !== null) taken.push({ uid: Number(uid), name, checkpoint });
  }
  return taken;
}

/** Whether the receiver's index will take it: the same conditions as at a start. */
function fits({ checkpoint: { head } }: Taken, row: CollectionRow | undefined, seq: number): boolean {
  if (row === undefined || head.uid !== row.uid || head.labelGeneration !== row.labelGeneration) return false;
  const { dimension, distance, hnsw } = row.spec;
  const { parameters } = head;
  const same = parameters.dimension === dimension && parameters.distance === distance;
  if (!same || parameters.m !== hnsw.m || parameters.efConstruct !== hnsw.efConstruct) return false;
  return head.seq <= seq && head.nextLabel <= row.nextLabel;
}

/** Null when the data are not those of their head. */
async function sumAll({ name, checkpoint }: Taken): Promise<SnapshotFile[] | null> {
  const sums: SnapshotFile[] = [];
  for (const file of checkpoint.files) {
    const found = await sum({ name: `${name}/${file.name}`, sha256: file.sha256 });
    if (found.bytes !== file.bytes || (file.sha256 !== null && found.sha256 !== file.sha256)) return null;
    sums.push(found);
  }
  return sums;
}

/** @param sha256 known already when the file was synced by who wrote it */
async function sum({ name, sha256 }: { name: string; sha256: string | null }): Promise<SnapshotFile> {
  const path = pathOf(folder, name);
  const found = await hashFile(path);
  if (sha256 === null) await syncFile(path);
  return { name, ...found };
}

function headOf({ state, collections }: ReturnType<typeof cutStore>, files: readonly SnapshotFile[]): SnapshotHead {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const { clusterId, historyId, epoch, seq, chainHash, digest } = state;
  const at = { clusterId, historyId, epoch, baseSeq: seq, baseHash: hex(chainHash), digest: hex(digest) };
  const points = collections.reduce((count, { pointsCount }) => count + pointsCount, 0);
  const bytes = files.reduce((count, file) => count + file.bytes, 0);
  const chunks = Math.ceil(bytes / CHUNK_BYTES_MAX);
  return { format: 1, id, ...at, collections: collections.length, points, files, bytes, chunkBytes: CHUNK_BYTES_MAX, chunks };
}

build()
  .catch((thrown: unknown) => {
    const error = asDiskError(thrown);
    const record = error instanceof SkeinError ? error.toRecord() : null;
    const message = messageOf(error);
    post({ kind: 'failed', full: error instanceof StorageFull, record, message });
  })
  .finally(() => port.close());
