/** One collection in its worker: a rebuilt graph that comes in under writes ends level with the store, though dead rows are reaped
 *  meanwhile as far as the reports allow. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { IndexUpkeep } from '../../src/engine/index-upkeep.js';
import { OwnedIndex } from '../../src/engine/owned-index.js';
import { UnitWriter } from '../../src/engine/unit-writer.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import type { CollectionRow } from '../../src/storage/storage.js';
import { createIndex } from '../../src/vector-index/open-index.js';
import { pointBlock } from '../support/open-test-engine.js';
import { newStorePath, TEST_CACHE } from '../support/open-test-store.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('engine/owned-index');
const POINTS = 1_300;
const KEPT = 700;
const ROWS_MAX = 100_000;
const SPEC = { dimension: 4, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null } as const;

test('points that die while a rebuilt graph catches up are not alive in it afterwards', async (t) => {
  const folder = t.folder();
  const random = new Random(t.seed());
  const path = newStorePath(folder);
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
  const put = (from: number, count: number): void => {
    const points = Array.from({ length: count }, (_, i) => ({ id: from + i, vector: random.vector(4) }));
    write({ kind: 'upsert', collection: 'c', points: pointBlock(points) });
  };
  write({ kind: 'create_collection', collection: 'c', spec: SPEC });
  const { uid, spec } = reads.collections()[0] as CollectionRow;
  const checkpoints = join(folder, 'checkpoints');
  const owned = new OwnedIndex(reads, { uid, labelGeneration: 0, spec, folder: checkpoints }, () => {});
  const level = (): void => {
    while (owned.advance(50)) {
      // Until level.
    }
  };
  const reap = (): void => {
    store.reapDead(owned.report().neededSeq, ROWS_MAX);
    units.state.adoptUpkeep();
  };
  await owned.open();
  put(0, POINTS);
  level();

  const parameters = { dimension: 4, distance: 'euclid', m: DEFAULT_HNSW.m, efConstruct: DEFAULT_HNSW.efConstruct } as const;
  const rebuilt = new IndexUpkeep(reads, uid, createIndex(parameters), 0, 0);
  while (rebuilt.advance(50)) {
    // Until level.
  }
  await rebuilt.index.save(checkpoints, { uid, labelGeneration: 0, seq: rebuilt.seq, nextLabel: rebuilt.nextLabel });
  put(0, KEPT);
  level();
  reap();
  await owned.adopt();

  // The incoming graph still has the replaced points before it when the serving one has buried the deleted ones.
  const ids = Array.from({ length: POINTS - KEPT }, (_, i) => KEPT + i);
  write({ kind: 'delete', collection: 'c', ids });
  while (owned.report().seq < reads.state().seq) owned.advance(0);
  assert.is(owned.report().phase, 'adopting');
  reap();
  level();
  assert.is(owned.report().phase, 'ready', 'the rebuilt graph serves');
  assert.is(owned.live, KEPT);
  reap();
  assert.is(reads.state().reapedSeq, reads.state().seq, 'nothing is held once the graphs have changed places');
  await owned.discard();
});

test.run();
