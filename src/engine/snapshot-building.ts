/** Building a snapshot beside a running store, and reading what was built. The work is done by a thread of its own (snapshot-thread.ts).
 *
 *    building ─► built ─► removed          (aborted or failed: nothing of it is left)
 *
 *  Invariant: what was built never changes, so any number of readers can take chunks of it in any order.
 *  Must not know: who reads, networks. */

import { randomBytes } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SkeinError } from '../model/errors.js';
import { asDiskError } from '../storage/durable-files.js';
import { StorageFull } from '../storage/storage.js';
import { watchRoom } from './room-watch.js';
import { chunkMap, type Piece, pathOf, type SnapshotHead } from './snapshot-head.js';
import type { FromSnapshotThread, SnapshotThreadData } from './snapshot-thread.js';
import { startThread } from './start-thread.js';

const OUTGOING = 'outgoing-';
export const OUTGOING_NAME = /^outgoing-[0-9a-f]{32}$/;

interface BuildOptions {
  readonly dataDir: string;
  readonly storePath: string;
  readonly checkpointsDir: string;
  readonly cacheBytes: number;
  /** It is given up before less than this is free, because writes are refused below it; by default 0. */
  readonly diskFreeBytesMin?: number;
  /** Ends the thread and removes what it made; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** 0 … 1 */
  onProgress?(fraction: number): void;
}

export interface BuiltSnapshot {
  readonly head: SnapshotHead;
  /** Where the files of the head lie, by their names. */
  readonly folder: string;
  /** Uids of collections whose graph is not inside, so that the receiver builds it; those searched without a graph do not count. */
  readonly unindexed: readonly number[];
  /** The bytes of a chunk, the caller's own. @throws RangeError when there is no such chunk · Error when the files are gone or cut off */
  read(chunk: number): Promise<Buffer>;
  /** Removes the files. */
  remove(): Promise<void>;
}

/** Builds in <dataDir>/outgoing-<id>/. Cost: reads the store once and writes it once, at the side of the write thread, whose WAL is not
 *  cut meanwhile; needs room for the live data (not for checkpoints: they are linked). The caller lets one be built at a time.
 *  @throws StorageFull (no room; nothing is left of it) · SkeinError CorruptData (rows of the store are missing) · Error */
export async function buildSnapshot(options: BuildOptions): Promise<BuiltSnapshot> {
  options.signal?.throwIfAborted();
  const id = randomBytes(16).toString('hex');
  const folder = join(options.dataDir, `${OUTGOING}${id}`);
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await mkdir(folder);
    const { head, unindexed } = await runThread(id, folder, options);
    const piecesOf = chunkMap(head);
    return { head, folder, unindexed, read: async (chunk) => readPieces(folder, piecesOf(chunk)), remove };
  } catch (error) {
    await remove();
    throw asDiskError(error);
  }
}

async function runThread(id: string, folder: string, options: BuildOptions): Promise<FromSnapshotThread & { kind: 'built' }> {
  const { storePath, checkpointsDir, cacheBytes, signal, diskFreeBytesMin: freeBytesMin = 0 } = options;
  const short = new AbortController();
  const unwatch = await watchRoom({ folder, freeBytesMin, onShort: (error) => short.abort(error) });
  let last: FromSnapshotThread | null;
  try {
    last = await lastMessage({ id, folder, storePath, checkpointsDir, cacheBytes }, options, short.signal);
  } finally {
    unwatch();
  }
  signal?.throwIfAborted();
  if (last?.kind === 'built') return last;
  if (last?.kind !== 'failed') throw new Error('the thread that builds a snapshot ended before it was done');
  if (last.full) throw new StorageFull(last.message);
  throw last.record === null ? new Error(`a snapshot could not be built: ${last.message}`) : SkeinError.fromRecord(last.record);
}

/** What the thread said last, whether it ended by itself or by the signal; null: nothing.
 *  @param short when there is no room for it any more  @throws the reason of `short` · Error when the thread fails */
async function lastMessage(
  data: SnapshotThreadData,
  { signal, onProgress }: BuildOptions,
  short: AbortSignal,
): Promise<FromSnapshotThread | null> {
  let last: FromSnapshotThread | null = null;
  const thread = startThread('snapshot-thread.js', 'skein-snapshot', data);
  const stop = (): void => void thread.terminate();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  try {
    await new Promise<void>((resolve, reject) => {
      short.addEventListener('abort', () => reject(short.reason as Error));
      thread.on('message', (message: FromSnapshotThread) => {
        if (message.kind === 'progress') onProgress?.(message.fraction);
        else last = message;
      });
      thread.once('error', reject);
      thread.once('exit', () => resolve());
    });
    return last;
  } finally {
    signal?.removeEventListener('abort', stop);
    await thread.terminate();
  }
}

async function readPieces(folder: string, pieces: readonly Piece[]): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(pieces.reduce((sum, { bytes }) => sum + bytes, 0));
  for (const { file, offset, at, bytes } of pieces) {
    const handle = await open(pathOf(folder, file.name), 'r');
    try {
      for (let done = 0; done < bytes; ) {
        const { bytesRead } = await handle.read(chunk, at + done, bytes - done, offset + done);
        if (bytesRead === 0) throw new Error(`${file.name} of the snapshot is cut off`);
        done += bytesRead;
      }
    } finally {
      await handle.close();
    }
  }
  return chunk;
}
