/** The head of a snapshot: what it is of, which files it has, and how they are cut into chunks. Pure.
 *
 *    chunk k = bytes [k · chunkBytes, (k + 1) · chunkBytes) of the files, one after the other
 *
 *  A head comes over the network, and its file names become paths: nothing in it is believed before checkSnapshotHead.
 *  Must not know: files, threads. */

import { join } from 'node:path';
import { countOf, fieldsOf, hexOf } from '../model/foreign-fields.js';

export interface SnapshotFile {
  /** 'skein.db' or 'checkpoints/<uid>/default/<file>' */
  readonly name: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export interface SnapshotHead {
  readonly format: 1;
  /** 32 hex digits, new for every snapshot. */
  readonly id: string;
  readonly clusterId: string;
  readonly historyId: string;
  readonly epoch: number;
  /** Everything up to this seq is inside; the log goes on with the next one. */
  readonly baseSeq: number;
  /** Chain hash at baseSeq, hexadecimal. */
  readonly baseHash: string;
  /** State digest at baseSeq, hexadecimal. */
  readonly digest: string;
  readonly collections: number;
  readonly points: number;
  /** The database first. */
  readonly files: readonly SnapshotFile[];
  /** Of all files. */
  readonly bytes: number;
  readonly chunkBytes: number;
  readonly chunks: number;
}

/** A part of a chunk that lies in one file. */
export interface Piece {
  readonly file: SnapshotFile;
  /** Where it is in the file, and where in the chunk. */
  readonly offset: number;
  readonly at: number;
  readonly bytes: number;
}

export const DATABASE_NAME = 'skein.db';
export const CHUNK_BYTES_MAX = 1024 * 1024;
/** 10,000 collections with a head and two data files each, and room; so many of the longest names stay below HEAD_BYTES_MAX. */
export const FILES_MAX = 40_000;
export const HEAD_BYTES_MAX = 8 * 1024 * 1024;

const CHECKPOINT_NAME = /^checkpoints\/[1-9][0-9]{0,6}\/default\/[0-9]{1,16}(-[0-9]{1,4})?\.(json|hnsw|2\.hnsw)$/;

/** Checks a head that came over the network: every field, its bounds, names of files, and that the sums agree.
 *  @returns a copy without anything that does not belong to it  @throws RangeError naming the field */
export function checkSnapshotHead(value: unknown): SnapshotHead {
  const head = fieldsOf(value, 'the head');
  const hex = (name: string, digits: number): string => hexOf(head[name], name, digits);
  const count = (name: string, least = 0, most = Number.MAX_SAFE_INTEGER): number => countOf(head[name], name, least, most);
  const format = count('format', 1, 1) as 1;
  const base = { id: hex('id', 32), clusterId: hex('clusterId', 32), historyId: hex('historyId', 32), epoch: count('epoch') };
  const at = { baseSeq: count('baseSeq'), baseHash: hex('baseHash', 64), digest: hex('digest', 32) };
  const counts = { collections: count('collections'), points: count('points') };
  const files = filesOf(head['files']);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const size = { files, bytes: count('bytes', bytes, bytes), chunkBytes: count('chunkBytes', 1, CHUNK_BYTES_MAX) };
  const chunks = Math.ceil(bytes / size.chunkBytes);
  return { format, ...base, ...at, ...counts, ...size, chunks: count('chunks', chunks, chunks) };
}

/** Where the bytes of a chunk are. Cost: a binary search. @throws RangeError when there is no such chunk */
export function chunkMap(head: SnapshotHead): (chunk: number) => Piece[] {
  const starts: number[] = [];
  let end = 0;
  for (const { bytes } of head.files) {
    starts.push(end);
    end += bytes;
  }
  return (chunk) => {
    const pieces: Piece[] = [];
    const from = countOf(chunk, 'chunk', 0, head.chunks - 1) * head.chunkBytes;
    const to = Math.min(head.bytes, from + head.chunkBytes);
    for (let place = from, number = lastAtMost(starts, from); place < to; number++) {
      const file = head.files[number] as SnapshotFile;
      const offset = place - (starts[number] as number);
      const bytes = Math.min(file.bytes - offset, to - place);
      pieces.push({ file, offset, at: place - from, bytes });
      place += bytes;
    }
    return pieces;
  };
}

/** @param folder that holds the files  @param name of a checked head */
export function pathOf(folder: string, name: string): string {
  return join(folder, ...name.split('/'));
}

function lastAtMost(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((ascending[middle] as number) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

function filesOf(value: unknown): SnapshotFile[] {
  if (!Array.isArray(value) || value.length > FILES_MAX) throw new RangeError(`files is not a list of up to ${FILES_MAX}`);
  const names = new Set<string>();
  const files = (value as unknown[]).map((file, i) => {
    const { name, bytes, sha256 } = fieldsOf(file, `files[${i}]`);
    const known = typeof name === 'string' && (i === 0 ? name === DATABASE_NAME : CHECKPOINT_NAME.test(name));
    if (!known || names.has(name)) throw new RangeError(`files[${i}].name is not one that a snapshot has there`);
    names.add(name);
    return { name, bytes: countOf(bytes, `files[${i}].bytes`, 1), sha256: hexOf(sha256, `files[${i}].sha256`, 64) };
  });
  if (files.length === 0) throw new RangeError(`files has no ${DATABASE_NAME}`);
  return files;
}
