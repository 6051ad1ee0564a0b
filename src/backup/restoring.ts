/** The making of a restored store in a scratch folder: everything is fetched and checked before anything of it is used.
 *
 *    scratch/store/…          the files of the full backup          scratch/increments/<n>.gz     the increments, packed as they were
 *    room on the disk ─► all fetched, every sum checked ─► rows verified ─► log replayed up to the target, digest by digest ─► prepared
 *
 *  Invariant: what is damaged is named and ends the restore; nothing else is tried in its place.
 *  Must not know: what becomes of the store, who asked. */

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openReplay, type Replay, type ReplayEnding, ReplayRefused, type ReplayState } from '../engine/replay.js';
import { restoredPath, verifyRestored } from '../engine/restored-store.js';
import { SnapshotDamaged } from '../engine/snapshot.js';
import { SkeinError } from '../model/errors.js';
import { failpoint } from '../model/failpoint.js';
import type { Limits } from '../model/limits.js';
import type { Archive } from './archive.js';
import { backupDamaged } from './damaged.js';
import { type BackupHead, ENTRIES_NAME, type IncrementHead, type PackedFile, plainBytesOf, storedBytesOf } from './head.js';
import { asNoRoom } from './no-room.js';
import { Unsound, unpack } from './packing.js';
import type { RestorePlan } from './plan.js';
import { readSegment } from './segment.js';

export type RestoreStep = 'fetch' | 'verify' | 'replay';

export interface RestoringOptions {
  readonly archive: Archive;
  /** Where it is made: it is not there yet, on the disk where the store is to stay. */
  readonly scratch: string;
  readonly cacheBytes: number;
  readonly limits: Limits;
  readonly signal: AbortSignal;
  /** @param fraction 0 … 1 of the step */
  onStep(step: RestoreStep, fraction: number): void;
}

export interface PreparedRestore {
  /** Holds the database and checkpoints. */
  readonly storePath: string;
  /** The state that was asked for, as it was live. */
  readonly reached: ReplayState;
  /** Closes the database, durable. @param ending null: it stays what it is (for a look at it only) */
  finish(ending: ReplayEnding | null): Promise<ReplayState>;
  /** Removes the scratch folder; harmless when the store was moved out of it. */
  discard(): Promise<void>;
}

const LANES = 4;
/** A log row, a point row, a vector row, their indexes: what a byte of the log becomes in a store. */
const REPLAYED_BYTES_PER_LOG_BYTE = 3;

/** @throws BackupDamaged · BackupTargetFailed · DiskLimitExceeded · the signal's reason · Error; nothing is left of it */
export async function prepareRestore(plan: RestorePlan, options: RestoringOptions): Promise<PreparedRestore> {
  const { scratch, archive, signal } = options;
  const discard = (): Promise<void> => rm(scratch, { recursive: true, force: true });
  try {
    await mkdir(join(scratch, 'increments'), { recursive: true });
    await mustFit(plan, scratch, options.limits.diskFreeBytesMin);
    const storePath = join(scratch, 'store');
    await fetchAll(plan, storePath, options);
    failpoint('restore.fetched');
    options.onStep('verify', 0);
    await verifyRestored(storePath, plan.full.snapshot, signal).catch((error: unknown) => {
      if (!(error instanceof SnapshotDamaged)) throw error;
      throw backupDamaged({ id: plan.full.id, object: `${archive.clusterId}/${plan.full.id}`, problem: error.message });
    });
    const replay = await replayAll(plan, storePath, options);
    failpoint('restore.replayed');
    const finish = async (ending: ReplayEnding | null): Promise<ReplayState> => {
      const state = await replay.finish(ending);
      await rm(join(scratch, 'increments'), { recursive: true, force: true });
      return state;
    };
    return { storePath, reached: replay.at, finish, discard: () => replay.abort().then(discard) };
  } catch (error) {
    await discard();
    throw asNoRoom(error);
  }
}

/** @param leftBytesMin what must stay free: writes are refused below it, and a restore beside a running server must not bring that about */
async function mustFit({ full, increments }: RestorePlan, scratch: string, leftBytesMin: number): Promise<void> {
  const packed = increments.reduce((sum, head) => sum + storedBytesOf(head), 0);
  const replayed = increments.reduce((sum, head) => sum + plainBytesOf(head), 0) * REPLAYED_BYTES_PER_LOG_BYTE;
  const needed = plainBytesOf(full) + packed + replayed + leftBytesMin;
  const { bavail, bsize } = await statfs(scratch);
  if (bavail * bsize >= needed) return;
  const message = `A restore needs ${needed} bytes, and the disk of ${scratch} has ${bavail * bsize} free`;
  throw new SkeinError('DiskLimitExceeded', message, { needed_bytes: needed, free_bytes: bavail * bsize });
}

interface Fetched {
  readonly head: BackupHead;
  readonly file: PackedFile;
  readonly path: string;
  readonly unpacked: boolean;
}

async function fetchAll(plan: RestorePlan, storePath: string, options: RestoringOptions): Promise<void> {
  const { full, increments } = plan;
  const wanted: Fetched[] = full.files.map((file) => ({
    head: full,
    file,
    path: restoredPath(storePath, file),
    unpacked: true,
  }));
  for (const [i, head] of increments.entries()) {
    const path = incrementPath(options.scratch, i);
    for (const file of head.files) wanted.push({ head, file, path, unpacked: false });
  }
  const bytes = wanted.reduce((sum, { file }) => sum + file.storedBytes, 0);
  let done = 0;
  const lane = async (): Promise<void> => {
    for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
      await fetchOne(next, options);
      done += next.file.storedBytes;
      options.onStep('fetch', bytes === 0 ? 1 : done / bytes);
    }
  };
  // One that fails takes the others' work away, and all have ended before its error is told.
  const lanes = await Promise.allSettled(
    Array.from({ length: LANES }, () =>
      lane().catch((error: unknown) => {
        wanted.length = 0;
        throw error;
      }),
    ),
  );
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
}

/** Durable on return. */
async function fetchOne({ head, file, path, unpacked }: Fetched, { archive, signal }: RestoringOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await archive.fetch(async () => {
    signal.throwIfAborted();
    const bytes = unpacked ? archive.plain(head.id, file) : archive.packed(head.id, file);
    await pipeline(bytes, createWriteStream(path), { signal });
  });
  const made = await open(path, 'r+');
  try {
    await made.sync();
  } finally {
    await made.close();
  }
}

async function replayAll(plan: RestorePlan, storePath: string, options: RestoringOptions): Promise<Replay> {
  const { full, increments, seq, timeMs } = plan;
  const { cacheBytes, limits, signal } = options;
  const databasePath = join(storePath, 'skein.db');
  const replay = await openReplay({ databasePath, cacheBytes, limits, target: { seq, timeMs }, timeMs: full.end.timeMs });
  const stop = (): void => void replay.abort();
  signal.addEventListener('abort', stop);
  try {
    for (const [i, head] of increments.entries()) {
      options.onStep('replay', i / increments.length);
      await replayOne(replay, head, incrementPath(options.scratch, i), options);
      if (replay.at.reached) break;
    }
    options.onStep('replay', 1);
    signal.throwIfAborted();
    return replay;
  } catch (error) {
    await replay.abort();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function replayOne(replay: Replay, head: IncrementHead, path: string, { archive }: RestoringOptions): Promise<void> {
  const damaged = (problem: string): SkeinError =>
    backupDamaged({ id: head.id, object: `${archive.clusterId}/${head.id}/${ENTRIES_NAME}.gz`, problem });
  try {
    for await (const batch of readSegment(unpack(createReadStream(path), entriesOf(head)))) {
      const { reached } = await replay.apply(batch);
      if (reached) return;
    }
  } catch (error) {
    if (error instanceof ReplayRefused || error instanceof RangeError || error instanceof Unsound) throw damaged(error.message);
    throw error;
  }
  const { seq, chainHash } = replay.at.state;
  if (seq !== head.end.seq) throw damaged(`it ends at seq ${seq}, and its head says ${head.end.seq}`);
  if (Buffer.from(chainHash).toString('hex') !== head.end.chainHash)
    throw damaged('it ends with another chain hash than its head says');
}

export function entriesOf(head: IncrementHead): PackedFile {
  const [file] = head.files;
  if (file === undefined) throw new RangeError('an increment has one file');
  return file;
}

function incrementPath(scratch: string, number: number): string {
  return join(scratch, 'increments', `${number}.gz`);
}
