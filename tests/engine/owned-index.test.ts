/** One collection in its worker: what it starts from, and how a rebuilt graph comes in under writes while dead rows are reaped as far as
 *  the reports allow. */

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import type { IndexedCollection } from '../../src/engine/index-messages.js';
import { IndexUpkeep } from '../../src/engine/index-upkeep.js';
import { OwnedIndex } from '../../src/engine/owned-index.js';
import { UnitWriter } from '../../src/engine/unit-writer.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Operation } from '../../src/model/operation.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import type { CollectionRow, StoreReads, StoreWriter } from '../../src/storage/storage.js';
import { createIndex } from '../../src/vector-index/open-index.js';
import { pointBlock } from '../support/open-test-engine.js';
import { newStorePath, TEST_CACHE } from '../support/open-test-store.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('engine/owned-index');
const POINTS = 1_300;
const KEPT = 700;
const ROWS_MAX = 100_000;
const PARAMETERS = { dimension: 4, distance: 'euclid', m: DEFAULT_HNSW.m, efConstruct: DEFAULT_HNSW.efConstruct } as const;
const SPEC = { dimension: 4, distance: 'euclid', hnsw: DEFAULT_HNSW, ttlMs: null } as const;

interface Rig {
  readonly store: StoreWriter;
  readonly reads: StoreReads;
  readonly collection: IndexedCollection;
  readonly notes: string[];
  readonly units: UnitWriter;
  readonly owned: OwnedIndex;
  write(operation: Operation): void;
  put(from: number, count: number): void;
  /** A graph of all points, built and saved into the collection's folder as the rebuild thread does. */
  saveRebuilt(ahead?: number): Promise<void>;
}

function open(t: TestContext): Rig {
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
  write({ kind: 'create_collection', collection: 'c', spec: SPEC });
  const { uid, spec } = reads.collections()[0] as CollectionRow;
  const collection = { uid, labelGeneration: 0, spec, folder: join(folder, 'checkpoints', String(uid), 'default') };
  const notes: string[] = [];
  const owned = new OwnedIndex(reads, collection, (event) => notes.push(event));
  return {
    store,
    reads,
    collection,
    notes,
    units,
    owned,
    write,
    put: (from, count) => {
      const points = Array.from({ length: count }, (_, i) => ({ id: from + i, vector: random.vector(4) }));
      write({ kind: 'upsert', collection: 'c', points: pointBlock(points) });
    },
    saveRebuilt: async (ahead = 0) => {
      const rebuilt = new IndexUpkeep(reads, uid, createIndex(PARAMETERS), 0, 0, 0);
      while (rebuilt.advance(50)) {
        // Until level.
      }
      const head = { uid, labelGeneration: 0, seq: rebuilt.seq + ahead, nextLabel: rebuilt.nextLabel };
      await rebuilt.index.save(collection.folder, head);
      rebuilt.index.close();
    },
  };
}

function level(owned: OwnedIndex): void {
  while (owned.advance(50)) {
    // Until level.
  }
}

test('points that die while a rebuilt graph catches up are not alive in it afterwards', async (t) => {
  const { store, reads, units, owned, write, put, saveRebuilt } = open(t);
  const reap = (): void => {
    store.reapDead(owned.report().neededSeq, ROWS_MAX);
    units.state.adoptUpkeep();
  };
  await owned.open();
  put(0, POINTS);
  level(owned);
  await saveRebuilt();
  put(0, KEPT);
  level(owned);
  reap();
  await owned.adopt();

  // The two come along in turns; whatever both no longer need is taken away at once.
  const ids = Array.from({ length: POINTS - KEPT }, (_, i) => KEPT + i);
  write({ kind: 'delete', collection: 'c', ids });
  assert.is(owned.report().phase, 'adopting');
  while (owned.report().phase === 'adopting') {
    owned.advance(0);
    reap();
  }
  level(owned);
  assert.is(owned.report().phase, 'ready', 'the rebuilt graph serves');
  assert.is(owned.live, KEPT);
  reap();
  assert.is(reads.state().reapedSeq, reads.state().seq, 'nothing is held once the graphs have changed places');
  await owned.discard();
});

test('what a crash left in the folder of checkpoints is gone after the start, and the checkpoint is loaded', async (t) => {
  const { owned, collection, notes, put, saveRebuilt } = open(t);
  put(0, POINTS);
  await saveRebuilt();
  const whole = readdirSync(collection.folder);
  for (const name of ['9.hnsw', '9.hnsw.tmp', '2-2.hnsw', '2-2.hnsw.tmp', '2-2.json.tmp'])
    writeFileSync(join(collection.folder, name), 'x');
  await owned.open();
  assert.equal(readdirSync(collection.folder), whole);
  assert.equal(notes, ['index_checkpoint_loaded']);
  await owned.discard();
});

test('a checkpoint of a later state than the store is never used, also not when the store has come that far with other data', async (t) => {
  const { reads, owned, collection, notes, put, saveRebuilt } = open(t);
  put(0, POINTS);
  await saveRebuilt(1);
  await owned.open();
  level(owned);
  assert.is(owned.live, POINTS);
  assert.equal(notes, ['index_checkpoint_refused']);
  put(0, 10);
  const next = new OwnedIndex(reads, collection, (event) => notes.push(event));
  await next.open();
  assert.equal(notes, ['index_checkpoint_refused']);
  await next.discard();
  await owned.discard();
});

test('a collection that is dropped while its checkpoint is loaded leaves neither an index nor files', async (t) => {
  const { reads, collection, put, saveRebuilt } = open(t);
  put(0, POINTS);
  await saveRebuilt();
  const drops: Promise<void>[] = [];
  const liveLabels: StoreReads['liveLabels'] = (...range) => {
    drops.push(owned.discard());
    return reads.liveLabels(...range);
  };
  const owned = new OwnedIndex({ ...reads, liveLabels }, collection, () => {});
  await owned.open();
  assert.is(drops.length, 1, 'the checkpoint was good, so it was compared with the store');
  await drops[0];
  assert.is(owned.live, 0, 'what was loaded is not taken over');
  assert.not(owned.advance(1));
  assert.not(existsSync(dirname(collection.folder)));
});

test.run();
