/** A store with one collection, `c`, written to as the write thread does it, and read as an index worker does. */

import { UnitWriter } from '../../src/engine/unit-writer.js';
import { type CollectionSpec, DEFAULT_HNSW, type PayloadIndexSpec } from '../../src/model/collection.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import type { CollectionRow, StoreReads, StoreWriter } from '../../src/storage/storage.js';
import { newStorePath, TEST_CACHE } from './open-test-store.js';
import type { TestContext } from './suite.js';

export interface WrittenStore {
  readonly path: string;
  readonly store: StoreWriter;
  readonly units: UnitWriter;
  readonly reads: StoreReads;
  readonly uid: number;
  readonly spec: CollectionSpec;
  /** One unit. */
  write(operation: Operation): void;
}

export function writtenStore(t: TestContext, dimension: number, payloadIndexes: readonly PayloadIndexSpec[] = []): WrittenStore {
  const path = newStorePath(t.folder());
  const store = openWriter(path, TEST_CACHE);
  const reads = openReader(path, TEST_CACHE);
  t.after(() => reads.close());
  t.after(() => store.close());
  const units = new UnitWriter(store, DEFAULT_LIMITS);
  const write = (operation: Operation): void => {
    store.begin();
    units.run({ operations: [operation] }, 1);
    units.state.flush();
    store.commit();
  };
  const spec = { dimension, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null, payloadIndexes } as const;
  write({ kind: 'create_collection', collection: 'c', spec });
  const row = reads.collections()[0] as CollectionRow;
  return { path, store, units, reads, uid: row.uid, spec: row.spec, write };
}
