/** One collection in its worker: what it starts from, what it saves and when its files go. */

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { CONTENT_KINDS } from '../../src/engine/content-kinds.js';
import type { IndexedCollection } from '../../src/engine/index-messages.js';
import { IndexUpkeep } from '../../src/engine/index-upkeep.js';
import { OwnedIndex } from '../../src/engine/owned-index.js';
import type { UnitWriter } from '../../src/engine/unit-writer.js';
import { VectorContent } from '../../src/engine/vector-content.js';
import type { Operation } from '../../src/model/operation.js';
import { loadDriver } from '../../src/storage/driver.js';
import type { CollectionRow, StoreReads, StoreWriter } from '../../src/storage/storage.js';
import { nativeBuild } from '../../src/vector-index/open-index.js';
import { namedBlock, randomSparse } from '../support/named-points.js';
import { pointBlock } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';
import { writtenStore } from '../support/written-store.js';

const test = suite('engine/owned-index');
const POINTS = 1_300;
const KEPT = 700;

interface Rig {
  readonly path: string;
  readonly store: StoreWriter;
  readonly reads: StoreReads;
  readonly collection: IndexedCollection;
  readonly notes: string[];
  readonly units: UnitWriter;
  readonly owned: OwnedIndex;
  write(operation: Operation): void;
  put(from: number, count: number): void;
  /** A graph of all points, built and saved into the collection's folder. */
  saveGraph(ahead?: number): Promise<void>;
}

function open(t: TestContext): Rig {
  const random = new Random(t.seed());
  const { path, store, reads, units, write, uid, spec } = writtenStore(t, 4);
  const collection = { uid, labelGeneration: 0, spec, folder: join(t.folder(), 'checkpoints', String(uid), 'default') };
  const notes: string[] = [];
  const owned = new OwnedIndex(reads, CONTENT_KINDS.vector, collection, 1, (event) => notes.push(event));
  return {
    path,
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
    saveGraph: async (ahead = 0) => {
      const graph = new IndexUpkeep(reads, uid, VectorContent.create(reads, collection), 0, 0, 0);
      while (graph.advance(50) === 0) {
        // Until level.
      }
      const head = { uid, labelGeneration: 0, seq: graph.seq + ahead, nextLabel: graph.nextLabel };
      await graph.content.save(collection.folder, () => head);
      graph.content.close();
    },
  };
}

function level(owned: OwnedIndex): void {
  while (owned.advance(50) === 0) {
    // Until level.
  }
}

test('a checkpoint in the middle of a rebuild is where the next start goes on, and a stop waits for one that is written', async (t) => {
  const { reads, owned, collection, notes, put } = open(t);
  await owned.open();
  put(0, POINTS);
  level(owned);
  put(0, KEPT);
  level(owned);
  assert.equal(notes, ['index_rebuild_started']);
  const { growing, live } = owned.report().status;
  assert.ok(growing > 0 && live === POINTS);
  assert.ok(owned.report().replayMs > 0);
  void owned.save();
  await owned.saveAtShutdown();
  assert.is(owned.report().replayMs, 0, 'nothing is left to replay');
  const next = new OwnedIndex(reads, CONTENT_KINDS.vector, collection, 1, (event) => notes.push(event));
  await next.open();
  assert.equal(notes, ['index_rebuild_started', 'index_checkpoint_completed', 'index_checkpoint_loaded']);
  assert.equal([next.report().status.growing, next.live], [growing, live]);
  put(0, POINTS);
  level(next);
  assert.ok(notes.includes('index_rebuilt'));
  assert.equal([next.live, next.seq], [POINTS, reads.state().seq]);
  await owned.discard();
  await next.discard();
});

test('while a checkpoint is written new points are found and old ones go, and the next start has them all', async (t) => {
  const { reads, owned, collection, notes, write, put } = open(t);
  await owned.open();
  put(0, POINTS);
  level(owned);
  const saving = owned.save();
  assert.is(owned.report().saving, true);
  put(POINTS, 500);
  write({ kind: 'delete', collection: 'c', ids: [0, 1, POINTS] });
  do owned.advance(50);
  while (!owned.level);
  assert.is(owned.report().saving, true, 'it is not over yet');
  const { live, waiting } = owned.report().status;
  assert.equal([owned.seq, live, waiting], [reads.state().seq, POINTS + 497, 499]);
  await saving;
  const next = new OwnedIndex(reads, CONTENT_KINDS.vector, collection, 1, (event) => notes.push(event));
  await next.open();
  assert.equal(
    [notes, next.live],
    [['index_checkpoint_completed', 'index_checkpoint_loaded'], POINTS - 2],
    'what came later is read from the store',
  );
  level(next);
  assert.equal([next.live, next.seq, next.report().status.waiting], [POINTS + 497, reads.state().seq, 0]);
  await owned.discard();
  await next.discard();
});

test('a graph that is to be renewed while a checkpoint is written is renewed afterwards', async (t) => {
  const { owned, notes, put } = open(t);
  await owned.open();
  put(0, POINTS);
  level(owned);
  const saving = owned.save();
  await owned.renew();
  await saving;
  assert.equal(notes, ['index_checkpoint_completed', 'index_rebuild_started']);
  assert.is(owned.report().status.growing, POINTS);
  await owned.discard();
});

test('a look at the health of a graph leaves it to its upkeep, and is answered in the end', async (t) => {
  const { owned, put } = open(t);
  await owned.open();
  put(0, POINTS);
  level(owned);
  const { run, background } = owned.ask({ kind: 'health', sampleMax: 100 });
  assert.is(background, true);
  const first = run.advance(0);
  put(POINTS, 10);
  level(owned);
  assert.is(owned.live, POINTS + 10, 'it does not stand still for a look');
  if (nativeBuild() === 'hnswlib-node') assert.equal(first, { health: null });
  else assert.is(first, null);
  let answer = first;
  while (answer === null) answer = run.advance(0);
  assert.ok('health' in answer && (answer.health?.sampled ?? 100) === 100);
  await owned.discard();
});

test('what a crash left in the folder of checkpoints is gone after the start, and the checkpoint is loaded', async (t) => {
  const { owned, collection, notes, put, saveGraph } = open(t);
  put(0, POINTS);
  await saveGraph();
  const whole = readdirSync(collection.folder);
  for (const name of ['9.hnsw', '9.hnsw.tmp', '2-2.hnsw', '2-2.hnsw.tmp', '2-2.json.tmp'])
    writeFileSync(join(collection.folder, name), 'x');
  await owned.open();
  assert.equal(readdirSync(collection.folder), whole);
  assert.equal(notes, ['index_checkpoint_loaded']);
  await owned.discard();
});

test('a checkpoint of a later state than the store is never used, also not when the store has come that far with other data', async (t) => {
  const { reads, owned, collection, notes, put, saveGraph } = open(t);
  put(0, POINTS);
  await saveGraph(1);
  await owned.open();
  level(owned);
  assert.is(owned.live, POINTS);
  assert.equal(notes, ['index_checkpoint_refused']);
  put(0, 10);
  const next = new OwnedIndex(reads, CONTENT_KINDS.vector, collection, 1, (event) => notes.push(event));
  await next.open();
  assert.equal(notes, ['index_checkpoint_refused']);
  await next.discard();
  await owned.discard();
});

test('a collection that is dropped while its checkpoint is loaded leaves neither an index nor files', async (t) => {
  const { reads, collection, put, saveGraph } = open(t);
  put(0, POINTS);
  await saveGraph();
  const drops: Promise<void>[] = [];
  const liveLabels: StoreReads['liveLabels'] = (...range) => {
    drops.push(owned.discard());
    return reads.liveLabels(...range);
  };
  const owned = new OwnedIndex({ ...reads, liveLabels }, CONTENT_KINDS.vector, collection, 1, () => {});
  await owned.open();
  assert.ok(drops.length > 0, 'the checkpoint was good, so it was compared with the store');
  await drops[0];
  assert.is(owned.live, 0, 'what was loaded is not taken over');
  assert.is(owned.advance(1), null);
  assert.not(existsSync(dirname(collection.folder)));
});

test('a question holds the content still until it ends, one of the background does not and says where the index stands then', async (t) => {
  const { owned, put } = open(t);
  await owned.open();
  put(0, POINTS);
  level(owned);
  const { seq } = owned;
  const ask = { kind: 'vector', query: Float32Array.of(1, 0, 0, 0), wanted: 5, ef: 10, exact: true } as const;
  const held = owned.ask({ ...ask, filter: null, labels: null });
  put(POINTS, 1);
  owned.advance(50);
  assert.is(owned.seq, seq);
  held.end();
  level(owned);
  assert.is(owned.seq, seq + 1);
  const check = owned.ask({ ...ask, filter: null, labels: null, background: true });
  put(POINTS + 1, 1);
  level(owned);
  let answer = check.run.advance(1);
  while (answer === null) answer = check.run.advance(1);
  check.end();
  assert.ok('seq' in answer && answer.seq === seq + 2);
});

test('a row that is mended while the index is built anew is inside when it has settled, and one that is not holds nobody up', async (t) => {
  const { path, owned, notes, put } = open(t);
  const addToChecksum = (labels: string, by: number): void => {
    const db = new (loadDriver())(path);
    db.exec(`UPDATE vectors SET crc = crc + ${by} WHERE key % ${2 ** 31} IN (${labels})`);
    db.close();
  };
  await owned.open();
  put(0, 100);
  addToChecksum('3, 5, 7', 1);
  level(owned);
  assert.equal([owned.live, owned.damaged], [97, 3]);
  addToChecksum('3', -1);
  const settled: string[] = [];
  owned.settle(() => settled.push('first'));
  // The new content reads a page, and passes over what is damaged in it.
  for (let turn = 0; turn < 10; turn++) owned.advance(0);
  addToChecksum('5', -1);
  owned.settle(() => settled.push('second'));
  assert.equal([settled, owned.damaged], [[], 3]);
  level(owned);
  assert.equal([settled, owned.live, owned.damaged], [['first', 'second'], 99, 1]);
  assert.equal(notes, ['index_replaced', 'index_replaced']);
  owned.settle(() => settled.push('third'));
  level(owned);
  assert.equal([settled.length, notes.length, owned.damaged], [3, 2, 1]);
  await owned.discard();
});

test('sparse vectors that are written again and again are all taken in, with sweeps between them', async (t) => {
  const random = new Random(t.seed());
  const { reads, uid, write } = writtenStore(t, 4);
  write({ kind: 'update_collection', collection: 'c', change: { setSparseVectors: [{ name: 'words', modifier: null }] } });
  const { spec } = reads.collection(uid) as CollectionRow;
  const collection = { uid, labelGeneration: 0, spec, folder: join(t.folder(), 'checkpoints', String(uid), 'default') };
  const owned = new OwnedIndex(reads, CONTENT_KINDS.vector, collection, 1, () => {});
  await owned.open();
  for (let round = 0; round < 5; round++) {
    const points = Array.from({ length: 1_400 }, (_, id) => ({
      id,
      vectors: new Map([['words', randomSparse(random, 5, 300)]]),
    }));
    for (const part of [points.slice(0, 700), points.slice(700)])
      write({ kind: 'upsert', collection: 'c', points: namedBlock(part, 4) });
    level(owned);
    assert.equal([owned.level, owned.live, owned.seq], [true, 1_400, reads.state().seq]);
  }
  await owned.discard();
});

test.run();
