/** Reads that help to mend a point from what this node has itself: its value as the own log has it, and the content hash that the digest asks for.
 *  Run in the scan thread, a page at a time. Must not know: what is written, other nodes. */

import { ByteWriter } from '../codec/bytes.js';
import { bucketOf, Sum128 } from '../codec/digest.js';
import { decodeEntry } from '../codec/entry.js';
import { encodePointId } from '../codec/point-id.js';
import type { PointVersion } from '../model/point.js';
import type { StoreReads } from '../storage/storage.js';
import { encodeValue } from './compare.js';

/** A point as the entry brought it that wrote it last. */
export interface LoggedRequest extends PointVersion {
  readonly kind: 'logged';
}

export interface LoggedAnswer {
  /** In the form of compare.ts; null: the log does not go back so far, or the entry is of other points. */
  readonly value: Uint8Array | null;
}

/** The sum of the content hashes of all live points of a bucket but one. */
export interface OthersRequest {
  readonly kind: 'others';
  readonly uid: number;
  readonly bucket: number;
  readonly exceptLabel: number;
  readonly fromLabel: number;
}

export interface OthersPage {
  readonly sum: Uint8Array;
  /** Null: there are no more labels. */
  readonly nextLabel: number | null;
}

const PAGE_ROWS = 10_000;

/** @throws CorruptData when the entry is damaged too */
export function readLogged(reads: StoreReads, { uid, id, version }: LoggedRequest): LoggedAnswer {
  const [row] = reads.logFrom(version, 1, 1);
  if (row?.seq !== version) return { value: null };
  const { effect } = decodeEntry(row.entry);
  const point = effect.kind === 'put_points' && effect.uid === uid ? effect.points.findLast((put) => put.id === id) : undefined;
  if (point === undefined) return { value: null };
  const out = new ByteWriter();
  encodeValue(out, { ...point, version });
  return { value: out.finish() };
}

export function sumOthers(reads: StoreReads, { uid, bucket, exceptLabel, fromLabel }: OthersRequest): OthersPage {
  const sum = new Sum128();
  const page = reads.lookAtHeads(uid, fromLabel, PAGE_ROWS);
  for (const { label, head } of page) {
    if (head === null || head.deadSeq !== null || label === exceptLabel) continue;
    if (bucketOf(encodePointId(head.id)) === bucket) sum.add(head.contentHash);
  }
  const last = page.at(-1);
  return { sum: sum.toBytes(), nextLabel: last === undefined || page.length < PAGE_ROWS ? null : last.label + 1 };
}
