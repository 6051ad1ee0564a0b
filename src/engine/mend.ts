/** Writes over damaged rows in the write thread, on a master as on a replica: no entry of the log, the seq stays, digests and labels stay.
 *
 *  What came from elsewhere is believed only when it is proven here: a point by its content hash, an entry of the log by the chain of hashes to both
 *  sides, digest pages by the collection's digest. Must not know: where it came from, links, threads. */

import { chainHash, contentHash, DIGEST_BYTES, Sum128 } from '../codec/digest.js';
import { readEntryHead } from '../codec/entry.js';
import { encodePointId } from '../codec/point-id.js';
import { messageOf, SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { StoreWriter } from '../storage/storage.js';
import { decodeValues, type StoredValue } from './compare.js';
import { vectorSetFits } from './point-vectors.js';
import type { WriterState } from './writer-state.js';

export type Mending =
  /** value: one point as compare.ts writes values. digestHash: what the digest asks for there, where the head of the row does not say it. */
  | {
      readonly kind: 'point';
      readonly uid: number;
      readonly label: number;
      readonly value: Uint8Array;
      readonly digestHash: Uint8Array | null;
    }
  /** Consecutive entries. */
  | { readonly kind: 'log'; readonly fromSeq: number; readonly entries: readonly Uint8Array[] }
  /** sums: of all buckets, counted from the points. Pages that can be read stay as they are. */
  | { readonly kind: 'digest_pages'; readonly uid: number; readonly sums: Uint8Array };

const PAGE_BYTES = DIGEST_BYTES * FIXED.digestBucketsPerPage;

/** Makes the change inside the open transaction.
 *  @throws NotRepairable, CorruptData: the transaction must be rolled back · StorageFull, StorageFailure */
export function applyMending(store: StoreWriter, state: WriterState, mending: Mending): void {
  switch (mending.kind) {
    case 'point':
      return mendPoint(store, state, mending);
    case 'log':
      return mendLog(store, state, mending);
    case 'digest_pages':
      return mendDigestPages(store, state, mending);
  }
}

function notMended(reason: string, message: string): SkeinError {
  return new SkeinError('NotRepairable', `${message}; nothing was changed`, { reason });
}

function mendPoint(store: StoreWriter, state: WriterState, mending: Mending & { kind: 'point' }): void {
  const { uid, label, digestHash } = mending;
  const collection = state.byUid(uid);
  if (collection === undefined) throw notMended('catalogue', `There is no collection of uid ${uid} here`);
  const value = onlyValue(mending.value);
  const { id, version, expiresAtMs, vectorSet, payload } = value;
  if (!vectorSetFits(collection.spec, vectorSet))
    throw notMended('values', `Point ${JSON.stringify(id)} came in a form that does not belong here`);
  const hash = contentHash({ uid, idBytes: encodePointId(id), version, expiresAtMs, vectorSet, payload });
  if (!store.mendPoint(uid, label, { id, version, expiresAtMs, vectorSet, payload, contentHash: hash }, digestHash))
    throw notMended('unproven', `What came as point ${JSON.stringify(id)} cannot be proven to be what label ${label} held`);
}

function onlyValue(bytes: Uint8Array): StoredValue {
  let values: StoredValue[];
  try {
    values = [...decodeValues(bytes)];
  } catch (error) {
    throw notMended('values', `The value cannot be read (${messageOf(error)})`);
  }
  const [value] = values;
  if (value === undefined || values.length > 1) throw notMended('values', `${values.length} values came where one was asked for`);
  return value;
}

function mendLog(store: StoreWriter, { state }: WriterState, { fromSeq, entries }: Mending & { kind: 'log' }): void {
  const lastSeq = fromSeq + entries.length - 1;
  if (fromSeq < state.logMinSeq || lastSeq > state.seq || entries.length === 0)
    throw notMended('pruned', `The log does not go from entry ${fromSeq} to ${lastSeq} (any more)`);
  let hash = store.chainHashAt(fromSeq - 1);
  if (hash === undefined) throw notMended('neighbour', `Entry ${fromSeq - 1} is not there to prove what comes behind it`);
  entries.forEach((entry, i) => {
    hash = chainHash(hash as Uint8Array, entry);
    store.mendLog({ seq: fromSeq + i, entry, chainHash: hash }, timeOf(entry, fromSeq + i));
  });
  const [next] = lastSeq === state.seq ? [] : store.logFrom(lastSeq + 1, 1, 1);
  const isProven =
    lastSeq === state.seq
      ? Buffer.compare(hash, state.chainHash) === 0
      : next !== undefined && Buffer.compare(chainHash(hash, next.entry), next.chainHash) === 0;
  if (!isProven) throw notMended('unproven', `What came as entries ${fromSeq} to ${lastSeq} breaks the chain of hashes`);
}

function timeOf(entry: Uint8Array, seq: number): number {
  try {
    const head = readEntryHead(entry);
    if (head.seq === seq) return head.timeMs;
  } catch {
    // Refused below, as one of another seq is.
  }
  throw notMended('values', `What came as entry ${seq} is none`);
}

function mendDigestPages(store: StoreWriter, state: WriterState, { uid, sums }: Mending & { kind: 'digest_pages' }): void {
  const collection = state.byUid(uid);
  if (collection === undefined) throw notMended('catalogue', `There is no collection of uid ${uid} here`);
  const total = new Sum128();
  for (let page = 0; page * PAGE_BYTES < sums.length; page++) {
    let bytes = readable(store, uid, page);
    if (bytes === null) {
      bytes = sums.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      store.writeDigestPage(uid, page, bytes);
    }
    for (let at = 0; at < PAGE_BYTES; at += DIGEST_BYTES) total.add(bytes, at);
  }
  if (Buffer.compare(total.toBytes(), collection.digest.toBytes()) !== 0)
    throw notMended('unproven', `The points of collection uid ${uid} do not add up to its digest`);
}

function readable(store: StoreWriter, uid: number, page: number): Uint8Array | null {
  try {
    return store.digestPage(uid, page);
  } catch (error) {
    if (error instanceof SkeinError) return null;
    throw error;
  }
}
