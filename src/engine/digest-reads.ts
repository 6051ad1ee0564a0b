/** Is the digest tree whole? Of one state of the store: the state digest against what it is the sum of, and one collection's digest against
 *  its buckets. Cheap: no point is read. What the points add up to is for a verification to find (storage/verify-points.ts).
 *  Must not know: threads, who asks. */

import { encodeSpec } from '../codec/collection-spec.js';
import { accessKeyHash, addInto, aliasHash, catalogueHash, DIGEST_BYTES, Sum128, voterHash } from '../codec/digest.js';
import { FIXED } from '../model/limits.js';
import type { StoreReads } from '../storage/storage.js';
import type { DigestProbe } from './probe-answers.js';

export const DIGEST_PAGES = FIXED.digestBuckets / FIXED.digestBucketsPerPage;

export interface DigestRequest {
  readonly kind: 'digest';
  /** Whose buckets are summed: of all live collections the one with this number, counted around. */
  readonly turn: number;
  /** How many rows are read, about. */
  readonly rows: number;
}

/** @throws CorruptData */
export function readDigest(reads: StoreReads, { turn }: DigestRequest): DigestProbe {
  return reads.snapshot(() => {
    const { seq, digest } = reads.state();
    const rows = reads.collections();
    const sum = new Sum128();
    for (const row of rows) {
      sum.add(row.digest);
      sum.add(catalogueHash(row.uid, row.name, encodeSpec(row.spec)));
    }
    for (const voter of reads.voters()) sum.add(voterHash(voter));
    for (const alias of reads.aliases()) sum.add(aliasHash(alias));
    for (const key of reads.accessKeys()) sum.add(accessKeyHash(key));
    const one = rows[turn % Math.max(1, rows.length)];
    return {
      seq,
      digest: Buffer.from(digest).toString('hex'),
      collections: rows.length,
      whole: sum.toBytes().equals(digest),
      bucketsWhole: one === undefined ? null : sumOfBuckets(reads, one.uid).equals(one.digest),
    };
  });
}

function sumOfBuckets(reads: StoreReads, uid: number): Buffer {
  const sum = new Sum128();
  for (let page = 0; page < DIGEST_PAGES; page++) {
    const sums = reads.digestPage(uid, page);
    for (let at = 0; at < sums.length; at += DIGEST_BYTES) addInto(sum.words, 0, sums, at);
  }
  return sum.toBytes();
}
