/** The head of a backup: what it holds, of which line of data, and the sums of everything. Pure.
 *
 *    object = JSON {head: {…}, sha256 of the head's JSON}
 *
 *  A backup without its head does not exist. A head comes from a place that others can write to, and its names become keys and paths:
 *  nothing in it is believed before readHead. Must not know: targets, how files are packed. */

import { createHash } from 'node:crypto';
import { checkSnapshotHead, type SnapshotHead } from '../engine/snapshot.js';
import { countOf, fieldsOf, hexOf, listOf } from '../model/foreign-fields.js';
import { BACKUP_FORMAT, nameOf, readName } from './names.js';

/** One object of a backup, gzip of the bytes that it stands for. */
export interface PackedFile {
  /** Of the plain bytes: a file of the snapshot, or `entries`. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly storedBytes: number;
  readonly storedSha256: string;
}

/** A history that the data went through: as LineageRow, with the hash in hexadecimal. */
export interface HeadLineage {
  readonly epoch: number;
  readonly historyId: string;
  readonly startSeq: number;
  readonly startHash: string;
}

/** Where the data stands at the end of a backup. */
export interface BackupEnd {
  readonly historyId: string;
  readonly epoch: number;
  readonly seq: number;
  /** Of the last entry; null when nobody knew it. */
  readonly timeMs: number | null;
  readonly chainHash: string;
  readonly digest: string;
}

interface HeadBase {
  readonly format: typeof BACKUP_FORMAT;
  /** Its name. */
  readonly id: string;
  readonly clusterId: string;
  /** Of the node that made it. */
  readonly nodeId: string;
  readonly createdAtMs: number;
  readonly end: BackupEnd;
  /** Oldest first, up to the end. */
  readonly lineage: readonly HeadLineage[];
  readonly files: readonly PackedFile[];
}

export interface FullHead extends HeadBase {
  readonly kind: 'full';
  readonly snapshot: SnapshotHead;
}

export interface IncrementHead extends HeadBase {
  readonly kind: 'incremental';
  readonly fromSeq: number;
  readonly firstTimeMs: number;
}

export type BackupHead = FullHead | IncrementHead;

export const ENTRIES_NAME = 'entries';
/** A snapshot of the most files that one may have. */
export const BACKUP_HEAD_BYTES_MAX = 24 * 1024 * 1024;
const LINEAGE_MAX = 100_000;
const FILES_MAX = 40_000;

/** Of all files together. */
export function storedBytesOf({ files }: Pick<BackupHead, 'files'>): number {
  return files.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
}

/** Of all files together, unpacked. */
export function plainBytesOf({ files }: Pick<BackupHead, 'files'>): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

export function encodeHead(head: BackupHead): Buffer {
  return Buffer.from(`${JSON.stringify({ head, sha256: sumOf(head) })}\n`);
}

/** The object is not one that holds a head, of whatever format. The message says how. */
export class Unreadable extends RangeError {
  override readonly name = 'Unreadable';
}

/** What the object holds, when its sum is right: so much is common to all formats. @throws Unreadable */
export function openHead(bytes: Uint8Array): unknown {
  try {
    const { head, sha256 } = fieldsOf(JSON.parse(Buffer.from(bytes).toString()), 'the object');
    if (sumOf(head) === hexOf(sha256, 'sha256', 64)) return head;
  } catch (error) {
    throw new Unreadable(error instanceof RangeError ? error.message : 'it is not JSON');
  }
  throw new Unreadable('it has another SHA-256 than it says');
}

/** @param id by which it was asked for, @param clusterId under which it lies  @throws RangeError naming what is wrong */
export function readHead(bytes: Uint8Array, id: string, clusterId: string): BackupHead {
  const found = checkHead(openHead(bytes));
  if (found.id !== id) throw new RangeError(`it is the head of ${found.id}`);
  if (found.clusterId !== clusterId) throw new RangeError(`it belongs to the cluster ${found.clusterId}`);
  return found;
}

function sumOf(head: unknown): string {
  return createHash('sha256').update(JSON.stringify(head)).digest('hex');
}

function checkHead(value: unknown): BackupHead {
  const head = fieldsOf(value, 'head');
  const format = countOf(head['format'], 'format', BACKUP_FORMAT, BACKUP_FORMAT) as typeof BACKUP_FORMAT;
  const id = typeof head['id'] === 'string' ? head['id'] : '';
  const name = readName(id);
  if (name === null) throw new RangeError('id is not the name of a backup');
  const createdAtMs = countOf(head['createdAtMs'], 'createdAtMs');
  if (nameOf({ ...name, createdAtMs }) !== id) throw new RangeError('createdAtMs is another instant than id says');
  const ids = { clusterId: hexOf(head['clusterId'], 'clusterId', 32), nodeId: hexOf(head['nodeId'], 'nodeId', 32) };
  const end = endOf(head['end']);
  const lineage = listOf(head['lineage'], 'lineage', LINEAGE_MAX).map(lineageOf);
  const files = listOf(head['files'], 'files', FILES_MAX).map(fileOf);
  const base = { format, id, ...ids, createdAtMs, end, lineage, files };
  if (name.range === null) return { ...base, kind: 'full', snapshot: snapshotOf(head['snapshot'], base) };
  const { fromSeq, toSeq } = name.range;
  if (toSeq !== end.seq) throw new RangeError(`end.seq is ${end.seq}, and the name says ${toSeq}`);
  if (files.length !== 1 || files[0]?.name !== ENTRIES_NAME) throw new RangeError(`files is not one file, ${ENTRIES_NAME}`);
  return { ...base, kind: 'incremental', fromSeq, firstTimeMs: countOf(head['firstTimeMs'], 'firstTimeMs') };
}

/** The head of the snapshot inside, which says the same as the head around it. */
function snapshotOf(value: unknown, { clusterId, end, files }: Omit<HeadBase, 'kind'>): SnapshotHead {
  const snapshot = checkSnapshotHead(value);
  const { historyId, epoch, seq, chainHash, digest } = end;
  const said = { clusterId, historyId, epoch, baseSeq: seq, baseHash: chainHash, digest };
  for (const [name, expected] of Object.entries(said)) {
    const found = snapshot[name as keyof typeof said];
    if (found !== expected) throw new RangeError(`snapshot.${name} is ${found}, and the head says ${expected}`);
  }
  const same = snapshot.files.length === files.length && snapshot.files.every((file, i) => isSame(file, files[i]));
  if (!same) throw new RangeError('files are others than snapshot.files');
  return snapshot;
}

function isSame(file: Pick<PackedFile, 'name' | 'bytes' | 'sha256'>, packed: PackedFile | undefined): boolean {
  return packed?.name === file.name && packed.bytes === file.bytes && packed.sha256 === file.sha256;
}

function endOf(value: unknown): BackupEnd {
  const end = fieldsOf(value, 'end');
  const { timeMs } = end;
  return {
    historyId: hexOf(end['historyId'], 'end.historyId', 32),
    epoch: countOf(end['epoch'], 'end.epoch'),
    seq: countOf(end['seq'], 'end.seq'),
    timeMs: timeMs === null ? null : countOf(timeMs, 'end.timeMs'),
    chainHash: hexOf(end['chainHash'], 'end.chainHash', 64),
    digest: hexOf(end['digest'], 'end.digest', 32),
  };
}

function lineageOf(value: unknown, i: number): HeadLineage {
  const row = fieldsOf(value, `lineage[${i}]`);
  return {
    epoch: countOf(row['epoch'], `lineage[${i}].epoch`),
    historyId: hexOf(row['historyId'], `lineage[${i}].historyId`, 32),
    startSeq: countOf(row['startSeq'], `lineage[${i}].startSeq`),
    startHash: hexOf(row['startHash'], `lineage[${i}].startHash`, 64),
  };
}

function fileOf(value: unknown, i: number): PackedFile {
  const file = fieldsOf(value, `files[${i}]`);
  const { name } = file;
  if (typeof name !== 'string') throw new RangeError(`files[${i}].name is not a text`);
  return {
    name,
    bytes: countOf(file['bytes'], `files[${i}].bytes`),
    sha256: hexOf(file['sha256'], `files[${i}].sha256`, 64),
    storedBytes: countOf(file['storedBytes'], `files[${i}].storedBytes`),
    storedSha256: hexOf(file['storedSha256'], `files[${i}].storedSha256`, 64),
  };
}
