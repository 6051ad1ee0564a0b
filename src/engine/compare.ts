/** What two nodes read to find where their data differs: digests of collections, buckets, heads of points, values. Runs in the scan thread.
 *
 *  A replica stands still at a seq P; its master goes on. So what the master has written behind P is no evidence: rows of a version beyond P are
 *  passed over, and what it has deleted since is found in its log. Every answer says the seq of the state it was read from.
 *  Must not know: links, who asks, repairs.
 *
 *    heads  = { u16 id length, id, u64 version, 16 bytes content hash }*
 *    values = { u16 id length, id, u64 version, u64 expires_at+1 (0: never), u32 length, vector set, u32 length, payload }* */

import { ByteReader, ByteWriter } from '../codec/bytes.js';
import { bucketOf, DIGEST_BYTES } from '../codec/digest.js';
import { decodeEntry } from '../codec/entry.js';
import { decodePointId, encodePointId } from '../codec/point-id.js';
import type { PointValue } from '../model/entry.js';
import { FIXED } from '../model/limits.js';
import { comparePointIds, type PointId } from '../model/point.js';
import type { PointHead, StoreReads } from '../storage/storage.js';

/** A page of heads looks at so many points, or ends when it has so many bytes. */
const HEADS_ROWS = 5_000;
const HEADS_BYTES = 512 * 1024;
const READ_ROWS = 1_000;
const VALUES_BYTES = 2 * 1024 * 1024;
const LOG_BYTES = 8 * 1024 * 1024;
const LOG_ROWS = 10_000;
const DIGEST_PAGES = FIXED.digestBuckets / FIXED.digestBucketsPerPage;

export type CompareRequest =
  | { readonly kind: 'catalogue' }
  | { readonly kind: 'buckets'; readonly uid: number }
  /** The own bucket sums against the other side's. */
  | { readonly kind: 'differing_buckets'; readonly uid: number; readonly sums: Uint8Array }
  /** Heads of the points in these buckets (one bit each), behind `after` in scroll order. */
  | { readonly kind: 'heads'; readonly uid: number; readonly buckets: Uint8Array; readonly after: PointId | null }
  /** The other side's heads of one page against the own rows behind `after` up to `through` (null: up to the end). */
  | {
      readonly kind: 'differing';
      readonly uid: number;
      readonly buckets: Uint8Array;
      readonly after: PointId | null;
      readonly through: PointId | null;
      readonly heads: Uint8Array;
    }
  /** Which of the ids the log deletes behind afterSeq. */
  | { readonly kind: 'deleted'; readonly uid: number; readonly ids: readonly PointId[]; readonly afterSeq: number }
  /** Rows that are not younger than throughSeq. */
  | { readonly kind: 'values'; readonly uid: number; readonly ids: readonly PointId[]; readonly throughSeq: number };

export interface CompareAnswers {
  catalogue: { readonly seq: number; readonly collections: readonly { uid: number; name: string; digest: string }[] };
  /** Null when there is no such collection (any more). */
  buckets: { readonly seq: number; readonly sums: Uint8Array | null };
  /** One bit each; null as above. */
  differing_buckets: { readonly seq: number; readonly buckets: Uint8Array | null };
  /** through: the last id that was looked at; null when all were. */
  heads: { readonly seq: number; readonly heads: Uint8Array; readonly through: PointId | null };
  /** wanting: absent here, or another content. surplus: here, and not there. */
  differing: { readonly seq: number; readonly wanting: readonly PointId[]; readonly surplus: readonly PointId[] };
  /** throughSeq: how far the log was read; null when it no longer has what comes behind afterSeq. */
  deleted: { readonly seq: number; readonly ids: readonly PointId[]; readonly throughSeq: number | null };
  /** done: how many of the ids were looked at. */
  values: { readonly seq: number; readonly values: Uint8Array; readonly count: number; readonly done: number };
}

export type CompareKind = CompareRequest['kind'];
export type CompareOf<K extends CompareKind> = CompareRequest & { readonly kind: K };

/** Answers one request from one state of the store. @throws CorruptData */
export function runCompare<K extends CompareKind>(reads: StoreReads, request: CompareOf<K>): CompareAnswers[K] {
  // The table ties every kind to its own answer; the compiler cannot follow that through the index.
  const run = COMPARERS[request.kind] as (reads: StoreReads, request: CompareOf<K>) => CompareAnswers[K];
  return reads.snapshot(() => run(reads, request));
}

const COMPARERS: { readonly [K in CompareKind]: (reads: StoreReads, request: CompareOf<K>) => CompareAnswers[K] } = {
  catalogue: (reads) => ({
    seq: reads.state().seq,
    collections: reads.collections().map(({ uid, name, digest }) => ({ uid, name, digest: Buffer.from(digest).toString('hex') })),
  }),
  buckets: (reads, { uid }) => ({ seq: reads.state().seq, sums: bucketSums(reads, uid) }),
  differing_buckets: (reads, { uid, sums }) => {
    const own = bucketSums(reads, uid);
    return { seq: reads.state().seq, buckets: own === null ? null : differingBits(own, sums) };
  },
  heads: readHeads,
  differing: findDiffering,
  deleted: findDeleted,
  values: readValues,
};

function bucketSums(reads: StoreReads, uid: number): Uint8Array | null {
  if (reads.collection(uid) === undefined) return null;
  const pages: Uint8Array[] = [];
  for (let page = 0; page < DIGEST_PAGES; page++) pages.push(reads.digestPage(uid, page));
  return Buffer.concat(pages);
}

function differingBits(sums: Uint8Array, others: Uint8Array): Uint8Array {
  const bits = new Uint8Array(FIXED.digestBuckets / 8);
  for (let bucket = 0; bucket < FIXED.digestBuckets; bucket++) {
    const at = bucket * DIGEST_BYTES;
    if (Buffer.compare(sums.subarray(at, at + DIGEST_BYTES), others.subarray(at, at + DIGEST_BYTES)) !== 0)
      bits[bucket >> 3] = (bits[bucket >> 3] as number) | (1 << (bucket & 7));
  }
  return bits;
}

function hasBucket(bits: Uint8Array, bucket: number): boolean {
  return ((bits[bucket >> 3] ?? 0) & (1 << (bucket & 7))) !== 0;
}

/** Live points behind `after` in scroll order, a few at a time. */
function* headsBehind(reads: StoreReads, uid: number, after: PointId | null): Generator<PointHead> {
  let from = after;
  for (;;) {
    const page = reads.headsAfter(uid, from, READ_ROWS);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    from = last.id;
  }
}

function readHeads(reads: StoreReads, { uid, buckets, after }: CompareOf<'heads'>): CompareAnswers['heads'] {
  const { seq } = reads.state();
  const out = new ByteWriter();
  let rows = 0;
  if (reads.collection(uid) === undefined) return { seq, heads: out.finish(), through: null };
  for (const { id, version, contentHash } of headsBehind(reads, uid, after)) {
    rows += 1;
    const idBytes = encodePointId(id);
    if (hasBucket(buckets, bucketOf(idBytes))) {
      out.sized16(idBytes);
      out.uint64(version);
      out.bytes(contentHash);
    }
    if (rows === HEADS_ROWS || out.length >= HEADS_BYTES) return { seq, heads: out.finish(), through: id };
  }
  return { seq, heads: out.finish(), through: null };
}

function findDiffering(reads: StoreReads, request: CompareOf<'differing'>): CompareAnswers['differing'] {
  const { uid, buckets, after, through } = request;
  const { seq } = reads.state();
  const theirs = decodeHeads(request.heads);
  const wanting: PointId[] = [];
  const surplus: PointId[] = [];
  for (const { id, contentHash } of headsBehind(reads, uid, after)) {
    if (through !== null && comparePointIds(id, through) > 0) break;
    if (!hasBucket(buckets, bucketOf(encodePointId(id)))) continue;
    const their = theirs.get(id);
    theirs.delete(id);
    if (their === undefined) surplus.push(id);
    else if (their.version <= seq && Buffer.compare(their.hash, contentHash) !== 0) wanting.push(id);
  }
  for (const [id, { version }] of theirs) if (version <= seq) wanting.push(id);
  return { seq, wanting, surplus };
}

function decodeHeads(bytes: Uint8Array): Map<PointId, { readonly version: number; readonly hash: Uint8Array }> {
  const reader = new ByteReader(bytes);
  const heads = new Map<PointId, { version: number; hash: Uint8Array }>();
  while (reader.remaining > 0)
    heads.set(decodePointId(reader.sized16()), { version: reader.uint64(), hash: reader.bytes(DIGEST_BYTES) });
  return heads;
}

function findDeleted(reads: StoreReads, { uid, ids, afterSeq }: CompareOf<'deleted'>): CompareAnswers['deleted'] {
  const { seq, logMinSeq } = reads.state();
  if (logMinSeq > afterSeq + 1) return { seq, ids: [], throughSeq: null };
  const wanted = new Set(ids);
  const deleted = new Set<PointId>();
  let throughSeq = afterSeq;
  for (const row of reads.logFrom(afterSeq + 1, LOG_ROWS, LOG_BYTES)) {
    throughSeq = row.seq;
    const { effect } = decodeEntry(row.entry);
    if (effect.kind === 'drop_collection' && effect.uid === uid) for (const id of ids) deleted.add(id);
    if (effect.kind !== 'delete_points' || effect.uid !== uid) continue;
    for (const id of effect.ids) if (wanted.has(id)) deleted.add(id);
  }
  return { seq, ids: [...deleted], throughSeq };
}

function readValues(reads: StoreReads, { uid, ids, throughSeq }: CompareOf<'values'>): CompareAnswers['values'] {
  const { seq } = reads.state();
  const out = new ByteWriter();
  let count = 0;
  let done = 0;
  for (const id of ids) {
    if (out.length >= VALUES_BYTES) break;
    done += 1;
    const row = reads.pointById(uid, id);
    const vectorSet = row === undefined || row.version > throughSeq ? undefined : reads.vectorSet(uid, row.label);
    if (row === undefined || vectorSet === undefined) continue;
    count += 1;
    encodeValue(out, { ...row, vectorSet });
  }
  return { seq, values: out.finish(), count, done };
}

export function encodeValue(out: ByteWriter, { id, version, expiresAtMs, vectorSet, payload }: StoredValue): void {
  out.sized16(encodePointId(id));
  out.uint64(version);
  out.uint64(expiresAtMs === null ? 0 : expiresAtMs + 1);
  out.sized32(vectorSet);
  out.sized32(payload);
}

/** A point as a node has it. */
export type StoredValue = PointValue & { readonly version: number };

/** @throws RangeError when the bytes are no values */
export function* decodeValues(bytes: Uint8Array): Generator<StoredValue> {
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) {
    const id = decodePointId(reader.sized16());
    const version = reader.uint64();
    const expires = reader.uint64();
    const expiresAtMs = expires === 0 ? null : expires - 1;
    yield { id, version, expiresAtMs, vectorSet: reader.sized32(), payload: reader.sized32() };
  }
}
