/** What a start does about a damaged store: it refuses, serves beside single rows, or takes its data again; and it stays the same node, also when the
 *  process ends in the middle. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { silentLog } from '../../src/model/log.js';
import { type NodeState, readNodeState, writeNodeState } from '../../src/node/node-state.js';
import { type OpenData, type OpenDataOptions, openData } from '../../src/node/open-data.js';
import { moveStoreAside } from '../../src/node/recovery/moved-stores.js';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { readManifest } from '../../src/storage/manifest.js';
import { openWriter } from '../../src/storage/open-store.js';
import { driver } from '../storage/raw-database.js';
import { IDENTITY, OPTIONS, Story } from '../storage/story.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('node/open-data', { deadlineMs: 60_000 });
const REPLICA: NodeState = { role: 'replica', masterUrl: 'http://master:1', highestEpoch: 1 };
const MASTER: NodeState = { role: 'master', masterUrl: null, highestEpoch: 1 };

interface Folder {
  readonly dataDir: string;
  readonly database: string;
}

function folder(t: TestContext): Folder {
  const dataDir = t.folder();
  const { databasePath } = createDataFolder(dataDir, IDENTITY, { role: 'replica', bootId: 'boot' }, OPTIONS);
  const store = openWriter(databasePath, OPTIONS);
  const story = new Story(store);
  story.commit(story.create('a'), story.put(1, { id: 'x', vector: [1, 1, 1, 1] }, { id: 'y', vector: [2, 1, 1, 1] }));
  store.close();
  return { dataDir, database: databasePath };
}

function trash({ database }: Folder): void {
  writeFileSync(database, Buffer.concat([Buffer.alloc(100, 7), readFileSync(database).subarray(100)]));
}

function change({ database }: Folder, sql: string): void {
  const db = driver(database);
  db.exec(sql);
  db.close();
}

async function open(dataDir: string, before: NodeState, options: Partial<OpenDataOptions> = {}): Promise<OpenData> {
  const opened = await openData({
    ...{ dataDir, before, forgotten: null, blank: before.role === 'replica', verifyAtStart: 'full', acceptLostTail: false },
    ...{ recoverAtStart: 'resync', cacheBytes: OPTIONS.cacheBytes, limits: DEFAULT_LIMITS, bootId: 'next', log: silentLog },
    cannotFollow: async () => null,
    onFound: () => {},
    onStep: () => {},
    ...options,
  });
  opened.lock.release();
  return opened;
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
}

const nodeIdIn = (dataDir: string): string | undefined => readManifest(dataDir).record?.nodeId;

test('a replica gives up a trashed store for a new one, as the same node, when its master is there', async (t) => {
  const damaged = folder(t);
  const { dataDir } = damaged;
  trash(damaged);
  assert.match(await refusal(open(dataDir, REPLICA, { recoverAtStart: 'rows' })), /--recover-at-start resync/);
  assert.match(await refusal(open(dataDir, MASTER)), /damaged/);
  assert.match(await refusal(open(dataDir, REPLICA, { cannotFollow: async () => 'it is away' })), /it is away/);
  assert.not.ok(existsSync(join(dataDir, 'quarantine')), 'nothing was moved until now');
  const { made, quick } = await open(dataDir, REPLICA);
  assert.equal([made, quick, nodeIdIn(dataDir)], [true, false, IDENTITY.nodeId]);
  assert.equal(readNodeState(dataDir), REPLICA, 'what the node knows of itself did not go with its store');
  const [name] = readdirSync(join(dataDir, 'quarantine'));
  assert.equal(readdirSync(join(dataDir, 'quarantine', name ?? '')).sort(), ['CURRENT', 'MANIFEST', 'store-1']);
  assert.is((await open(dataDir, REPLICA)).made, false, 'the next start finds a sound store');
});

test('a process that ends between the move and the new store goes on as the same node', async (t) => {
  const { dataDir } = folder(t);
  writeNodeState(dataDir, REPLICA);
  const path = moveStoreAside(dataDir, Date.now());
  assert.is((await open(dataDir, REPLICA)).made, true);
  assert.is(nodeIdIn(dataDir), IDENTITY.nodeId);
  assert.equal(readdirSync(path).sort(), ['CURRENT', 'MANIFEST', 'store-1']);
});

test('a folder whose data was put away never becomes an empty master', async (t) => {
  for (const name of ['quarantine', 'rollback']) {
    const dataDir = t.folder();
    writeNodeState(dataDir, MASTER);
    mkdirSync(join(dataDir, name));
    assert.match(await refusal(open(dataDir, MASTER)), /it is lost or was moved away/);
    assert.equal(readdirSync(dataDir).sort(), ['LOCK', 'NODE', name].sort());
  }
});

test('beside a damaged row the rest is served, but not when more than that is lost; off refuses', async (t) => {
  const damaged = folder(t);
  change(damaged, `UPDATE points SET payload = x'7b7d20' WHERE key = ${2 ** 31}`);
  assert.match(await refusal(open(damaged.dataDir, MASTER, { recoverAtStart: 'off' })), /damaged.*--recover-at-start rows/s);
  const { made, quick } = await open(damaged.dataDir, MASTER, { recoverAtStart: 'rows' });
  assert.equal([made, quick], [false, true], 'its rows are to be read at once');
  change(damaged, `DELETE FROM points WHERE key = ${2 ** 31 + 1}; DELETE FROM vectors WHERE key = ${2 ** 31 + 1}`);
  assert.match(await refusal(open(damaged.dataDir, MASTER, { recoverAtStart: 'rows' })), /is not the sum of its points/);
});

test.run();
