/** Making backups: a snapshot becomes a full one, a stretch of the log an increment. What is cut off has no head and does not exist.
 *
 *  Invariants: an increment ends at the end of a unit, with the digest that its last entry carries; a failure takes away what it stored, so
 *  that tries do not fill the target. Memory: about a block of the log.
 *  Must not know: when a backup is due, what is kept. */

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readEntryHead } from '../codec/entry.js';
import type { LineageRow, ReplicatedLog } from '../engine/engine.js';
import type { BuiltSnapshot } from '../engine/snapshot.js';
import { failpoint } from '../model/failpoint.js';
import { positionAt } from '../model/position.js';
import type { Archive } from './archive.js';
import {
  type BackupEnd,
  type BackupHead,
  ENTRIES_NAME,
  type FullHead,
  type HeadLineage,
  type IncrementHead,
  type PackedFile,
} from './head.js';
import { BACKUP_FORMAT, nameOf } from './names.js';
import { encodeBlock, segmentStart } from './segment.js';

type FeedLog = Pick<ReplicatedLog, 'state' | 'lineage' | 'read' | 'bytesAfter'>;
type LogRow = ReturnType<FeedLog['read']>[number];

export interface WritingOptions {
  readonly archive: Archive;
  readonly log: FeedLog;
  /** Of the backup, and no other one's. */
  readonly createdAtMs: number;
  readonly signal: AbortSignal;
}

export interface Stretch {
  readonly fromSeq: number;
  readonly toSeq: number;
}

const READ_BYTES = 1024 * 1024;
const ROWS_PER_READ = 4_096;
/** An increment larger than this ends, and another one follows. */
export const INCREMENT_BYTES_MAX = 256 * 1024 * 1024;
const FILE_BLOCK_BYTES = 256 * 1024;

/** Stores a snapshot as a full backup. @throws BackupTargetFailed · Error of the file system · the signal's reason */
export async function writeFull(built: BuiltSnapshot, { archive, log, createdAtMs, signal }: WritingOptions): Promise<FullHead> {
  const id = nameOf({ createdAtMs, range: null });
  const snapshot = built.head;
  const { historyId, epoch, baseSeq: seq, baseHash, digest } = snapshot;
  const at = { historyId, epoch, seq, timeMs: entryTimeMs(log, seq), chainHash: baseHash, digest };
  const lineage = headLineage(log.lineage(), historyId);
  const base = { format: BACKUP_FORMAT, id, clusterId: archive.clusterId, nodeId: log.state().nodeId, createdAtMs } as const;
  return wholeOrNothing(id, { archive, signal }, async () => {
    const files: PackedFile[] = [];
    for (const { name, sha256 } of snapshot.files) {
      signal.throwIfAborted();
      const file = await archive.put(id, name, () => fileBytes(join(built.folder, name), signal));
      if (file.sha256 !== sha256) throw new Error(`${name} of the snapshot is not what it was when it was built`);
      files.push(file);
    }
    const head: FullHead = { ...base, kind: 'full', end: at, lineage, files, snapshot };
    await finish(archive, head, signal);
    return head;
  });
}

/** Stores the log from a seq on, which begins a unit, up to one that ends one, the log's end or about INCREMENT_BYTES_MAX.
 *  @returns null when there is nothing
 *  @throws LogGone · CorruptData (of the log) · BackupTargetFailed · the signal's reason */
export async function writeIncrement({ fromSeq, toSeq }: Stretch, options: WritingOptions): Promise<IncrementHead | null> {
  const { archive, log, createdAtMs, signal } = options;
  const { seq, nodeId } = log.state();
  const lastSeq = Math.min(seq, toSeq);
  if (lastSeq < fromSeq) return null;
  const firstTimeMs = readEntryHead(rowAt(log, fromSeq).entry).timeMs;
  const end = await endOfStretch(log, fromSeq, lastSeq);
  signal.throwIfAborted();
  const id = nameOf({ createdAtMs, range: { fromSeq, toSeq: end.seq } });
  const lineage = headLineage(log.lineage(), end.historyId);
  const base = { format: BACKUP_FORMAT, id, clusterId: archive.clusterId, nodeId, createdAtMs } as const;
  return wholeOrNothing(id, { archive, signal }, async () => {
    const file = await archive.put(id, ENTRIES_NAME, () => segmentOf(log, fromSeq, end.seq, signal));
    const head: IncrementHead = { ...base, kind: 'incremental', fromSeq, firstTimeMs, end, lineage, files: [file] };
    await finish(archive, head, signal);
    return head;
  });
}

/** The log no longer has what follows the newest backup. */
export class LogGone extends Error {
  override readonly name = 'LogGone';
}

/** What a failure leaves is removed as far as the target takes it; a stop leaves it, and it goes when it is old. */
async function wholeOrNothing<Head>(
  id: string,
  { archive, signal }: Pick<WritingOptions, 'archive' | 'signal'>,
  store: () => Promise<Head>,
): Promise<Head> {
  try {
    return await store();
  } catch (error) {
    if (!signal.aborted) await archive.remove(id).catch(() => undefined);
    throw error;
  }
}

async function finish(archive: Archive, head: BackupHead, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  failpoint('backup.before_head');
  await archive.finish(head);
  failpoint('backup.after_head');
}

/** All of it, or as many whole units as an increment may hold. */
async function endOfStretch(log: FeedLog, fromSeq: number, lastSeq: number): Promise<BackupEnd> {
  if ((await log.bytesAfter(fromSeq - 1)) <= INCREMENT_BYTES_MAX) return endAt(log, lastSeq);
  let bytes = 0;
  let end = 0;
  for await (const rows of rowsFrom(log, fromSeq, lastSeq)) {
    for (const { seq, entry } of rows) {
      bytes += entry.length;
      if (end > 0 && bytes > INCREMENT_BYTES_MAX) return endAt(log, end);
      if (readEntryHead(entry).last) end = seq;
    }
  }
  return endAt(log, end);
}

function endAt(log: FeedLog, seq: number): BackupEnd {
  const { entry, chainHash } = rowAt(log, seq);
  const { timeMs, digest } = readEntryHead(entry);
  if (digest === null) throw new Error(`entry ${seq} is not the end of a unit`);
  const { historyId, epoch } = positionAt(log.lineage(), seq, log.state());
  return { historyId, epoch, seq, timeMs, chainHash: hexOf(chainHash), digest: hexOf(digest) };
}

function rowAt(log: FeedLog, seq: number): LogRow {
  const row = log.read(seq, 1, 1)[0];
  if (row?.seq !== seq) throw new LogGone(`the log no longer has entry ${seq}`);
  return row;
}

/** The time of an entry that may be older than the log. */
function entryTimeMs(log: FeedLog, seq: number): number | null {
  const row = log.read(seq, 1, 1)[0];
  return row?.seq === seq ? readEntryHead(row.entry).timeMs : null;
}

async function* segmentOf(log: FeedLog, fromSeq: number, toSeq: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield segmentStart();
  for await (const rows of rowsFrom(log, fromSeq, toSeq)) {
    signal.throwIfAborted();
    yield encodeBlock(rows);
  }
}

/** In blocks of about 1 MiB; between two of them the thread is free. */
async function* rowsFrom(log: FeedLog, fromSeq: number, toSeq: number): AsyncGenerator<readonly LogRow[]> {
  for (let next = fromSeq; next <= toSeq; ) {
    const rows = log.read(next, Math.min(ROWS_PER_READ, toSeq - next + 1), READ_BYTES);
    const last = rows.at(-1);
    if (last === undefined || rows[0]?.seq !== next) throw new LogGone(`the log no longer has entry ${next}`);
    yield rows;
    next = last.seq + 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Up to the history that the backup ends in. */
function headLineage(lineage: readonly LineageRow[], historyId: string): HeadLineage[] {
  const end = lineage.findIndex((row) => row.historyId === historyId);
  return lineage.slice(0, end + 1).map(({ startHash, ...row }) => ({ ...row, startHash: hexOf(startHash) }));
}

async function* fileBytes(path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for await (const piece of file.createReadStream({ highWaterMark: FILE_BLOCK_BYTES })) {
      signal.throwIfAborted();
      yield piece as Buffer;
    }
  } finally {
    await file.close().catch(() => undefined);
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
