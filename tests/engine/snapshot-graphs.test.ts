/** Graphs come along with a snapshot: the receiver's engine loads them and builds nothing, answers what the master answers, and what could mislead it
 *  is left out. */

import { copyFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openEngine } from '../../src/engine/open-engine.js';
import { type BuiltSnapshot, buildSnapshot } from '../../src/engine/snapshot.js';
import { systemClock } from '../../src/model/clock.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import type { Log } from '../../src/model/log.js';
import { openTestEngine, SEARCH, type TestEngine, type TestPoint } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { allBytes, blankReplica, HOW, receive } from '../support/snapshots.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/snapshot-graphs', { deadlineMs: 120_000 });
const DIMENSION = 8;
const QUERIES = 20;

interface Notes {
  readonly log: Log;
  readonly events: [event: string, uid: unknown][];
}

function notes(): Notes {
  const events: [string, unknown][] = [];
  const take = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    if (event.startsWith('index_')) events.push([event, fields['uid']]);
  };
  return { events, log: { debug: take, info: take, warn: take, error: take } };
}

function points(random: Random, from: number, count: number): TestPoint[] {
  return Array.from({ length: count }, (_, i) => ({ id: from + i, vector: random.vector(DIMENSION) }));
}

/** Two graphs with a checkpoint each, a small collection without one, and changes since. */
async function graphMaster(t: TestContext, folder: string, random: Random): Promise<TestEngine> {
  const first = await openTestEngine(folder);
  for (const name of ['a', 'b', 'small']) await first.create(name, DIMENSION);
  for (const name of ['a', 'b']) await first.put(name, points(random, 0, 1_500));
  await first.put('small', points(random, 0, 10));
  for (const name of ['a', 'b'])
    await waitUntil(() => servedByGraph(first, name), { what: `${name} to have grown into a graph` });
  await first.engine.stop();
  const master = await openTestEngine(folder);
  t.after(() => master.engine.stop());
  await master.put('a', points(random, 1_000, 700));
  await master.remove('a', [1, 2, 3, 1_600]);
  return master;
}

async function servedByGraph({ engine }: TestEngine, name: string): Promise<boolean> {
  const vector = new Float32Array(DIMENSION).fill(1);
  const { explain } = await engine.search(name, { ...SEARCH, vector, explain: true });
  return explain?.plan === 'graph';
}

function buildOf(folder: string, { storePath }: TestEngine): Promise<BuiltSnapshot> {
  return buildSnapshot({ dataDir: folder, storePath, checkpointsDir: checkpointsOf(folder), cacheBytes: 2 ** 21 });
}

function checkpointsOf(folder: string): string {
  return join(folder, 'store-1', 'checkpoints');
}

test('a receiver loads the graphs of the master and answers as it does', async (t) => {
  const [folder, replica] = [t.folder(), t.folder()];
  const random = new Random(t.seed());
  const master = await graphMaster(t, folder, random);
  const built = await buildOf(folder, master);
  assert.equal(built.unindexed, []);
  assert.equal(uidsOf(built), ['1', '2']);
  blankReplica(replica);
  const store = await receive(replica, built.head, await allBytes(built));
  await built.remove();
  const { log, events } = notes();
  const engine = await openEngine({
    dataDir: replica,
    storePath: store.databasePath,
    checkpointsDir: store.checkpointsPath,
    bootId: HOW.bootId,
    ownFromEpoch: 0,
    role: 'replica',
    limits: { ...DEFAULT_LIMITS, diskFreeBytesMin: 0 },
    writerCacheBytes: 2 ** 21,
    readerCacheBytes: 2 ** 20,
    indexWorkers: 1,
    log,
    clock: systemClock,
    onProgress: () => {},
    onFatal: (reason) => {
      throw new Error(reason);
    },
  });
  t.after(() => engine.stop());
  const loaded = (uid: number): [string, number] => ['index_checkpoint_loaded', uid];
  assert.equal(events.sort(), [loaded(1), loaded(2)]);
  assert.is(engine.status().index.rebuilds, 0);
  for (let query = 0; query < QUERIES; query++) {
    for (const name of ['a', 'b', 'small']) {
      const vector = random.vector(DIMENSION);
      const request = { ...SEARCH, vector: Float32Array.from(vector), efSearch: 400 };
      const { hits } = await engine.search(name, request);
      assert.equal(
        hits.map(({ id, score }) => ({ id, score })),
        await master.nearest(name, vector, 10, true),
      );
    }
  }
});

test('a checkpoint that is damaged, foreign, ahead or of a collection that is gone is left out, and said', async (t) => {
  const folder = t.folder();
  const master = await graphMaster(t, folder, new Random(t.seed()));
  const inside = (uid: number): string => join(checkpointsOf(folder), String(uid), 'default');
  const only = (uid: number, ending: string): string =>
    join(inside(uid), readdirSync(inside(uid)).find((name) => name.endsWith(ending)) ?? 'none');
  const data = readFileSync(only(1, '.hnsw'));
  data[1_000] = (data[1_000] as number) ^ 1;
  writeFileSync(`${only(1, '.hnsw')}.new`, data);
  renameSync(`${only(1, '.hnsw')}.new`, only(1, '.hnsw'));
  const damaged = await buildOf(folder, master);
  assert.equal([damaged.unindexed, uidsOf(damaged)], [[1], ['2']]);
  await damaged.remove();
  for (const ending of ['.json', '.hnsw']) copyFileSync(only(2, ending), only(1, ending));
  const foreign = await buildOf(folder, master);
  assert.equal([foreign.unindexed, uidsOf(foreign)], [[1], ['2']]);
  await foreign.remove();
  await master.engine.write([{ kind: 'delete_collection', collection: 'b' }], { wait: 'durable', timeoutMs: 20_000 });
  const gone = await buildOf(folder, master);
  assert.equal([gone.unindexed, uidsOf(gone)], [[1], []]);
  await gone.remove();
});

function uidsOf({ head }: BuiltSnapshot): string[] {
  const uids = head.files.flatMap(({ name }) => (name.startsWith('checkpoints/') ? [name.split('/')[1] as string] : []));
  return [...new Set(uids)].sort();
}

test.run();
