/** A fresh store in a temporary folder, and what a store must satisfy after anything that was done to it. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { encodeSpec } from '../../src/codec/collection-spec.js';
import { accessKeyHash, aliasHash, bucketOf, catalogueHash, contentHash, Sum128, voterHash } from '../../src/codec/digest.js';
import { encodePointId } from '../../src/codec/point-id.js';
import { FIXED } from '../../src/model/limits.js';
import { createStore } from '../../src/storage/open-store.js';
import type { NewStore, StoreReads } from '../../src/storage/storage.js';

export const TEST_CACHE = { cacheBytes: 2 * 1024 * 1024 };
export const TEST_STORE: NewStore = { clusterId: '11'.repeat(16), nodeId: '22'.repeat(16), historyId: '33'.repeat(16), epoch: 1 };

export function newStorePath(folder: string): string {
  const path = join(folder, 'skein.db');
  createStore(path, TEST_STORE, TEST_CACHE);
  return path;
}

/** Recomputes every digest and count from rows and compares them with what the store says. */
export function checkDigests(reads: StoreReads): void {
  const state = new Sum128();
  for (const collection of reads.collections()) {
    const whole = new Sum128();
    const buckets = Array.from({ length: FIXED.digestBuckets }, () => new Sum128());
    let count = 0;
    for (const point of reads.pointsAfter(collection.uid, null, 1_000_000, 1e9)) {
      const idBytes = encodePointId(point.id);
      const vectorSet = reads.vectorSet(collection.uid, point.label);
      assert.ok(vectorSet);
      const hash = contentHash({ ...point, idBytes, vectorSet: vectorSet as Uint8Array });
      assert.is(hash.toString('hex'), Buffer.from(point.contentHash).toString('hex'), 'the stored hash is the hash of the row');
      whole.add(hash);
      buckets[bucketOf(idBytes)]?.add(hash);
      count += 1;
    }
    assert.is(count, collection.pointsCount, 'the count is the number of live rows');
    assert.is(
      whole.toBytes().toString('hex'),
      Buffer.from(collection.digest).toString('hex'),
      'the collection digest is the sum of its points',
    );
    for (let page = 0; page < FIXED.digestBuckets / FIXED.digestBucketsPerPage; page++) {
      const sums = Buffer.from(reads.digestPage(collection.uid, page));
      const expected = Buffer.concat(
        buckets.slice(page * FIXED.digestBucketsPerPage, (page + 1) * FIXED.digestBucketsPerPage).map((sum) => sum.toBytes()),
      );
      assert.is(sums.toString('hex'), expected.toString('hex'), `page ${page} of the tree is the sum of its points`);
    }
    state.add(whole.toBytes());
    state.add(catalogueHash(collection.uid, collection.name, encodeSpec(collection.spec)));
  }
  for (const voter of reads.voters()) state.add(voterHash(voter));
  for (const alias of reads.aliases()) state.add(aliasHash(alias));
  for (const key of reads.accessKeys()) state.add(accessKeyHash(key));
  assert.is(
    state.toBytes().toString('hex'),
    Buffer.from(reads.state().digest).toString('hex'),
    'the state digest is the sum of all',
  );
}
