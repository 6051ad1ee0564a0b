/** The watch over room: it ends work in time, and a snapshot that it ends leaves nothing. */

import { readdirSync, statfsSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { watchRoom } from '../../src/engine/room-watch.js';
import { buildSnapshot } from '../../src/engine/snapshot.js';
import { StorageFull } from '../../src/storage/storage.js';
import { currentStore, newMaster } from '../support/snapshots.js';
import { suite } from '../support/suite.js';

const test = suite('engine/room-watch');

test('work does not begin where less is free than writes need', async (t) => {
  const folder = t.folder();
  const { bavail, bsize } = statfsSync(folder);
  const refused = await watchRoom({ folder, freeBytesMin: bavail * bsize * 2, onShort: () => {} }).catch((error) => error);
  assert.instance(refused, StorageFull);
  (await watchRoom({ folder, freeBytesMin: 1, onShort: (error) => assert.unreachable(error.message) }))();
});

test('a snapshot that would take the room of writes is not built, and leaves nothing', async (t) => {
  const dataDir = t.folder();
  const { store, story } = newMaster(dataDir);
  story.commit(story.create('a'));
  store.close();
  const { databasePath, checkpointsPath } = currentStore(dataDir);
  const paths = { dataDir, storePath: databasePath, checkpointsDir: checkpointsPath, cacheBytes: 2 ** 21 };
  const refused = await buildSnapshot({ ...paths, diskFreeBytesMin: Number.MAX_SAFE_INTEGER }).catch((error) => error);
  assert.instance(refused, StorageFull);
  assert.not(readdirSync(dataDir).some((name) => name.startsWith('outgoing-')));
  await (await buildSnapshot({ ...paths, diskFreeBytesMin: 1 })).remove();
});

test('the watch over a snapshot ends with it, also when its thread cannot be started', async (t) => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const dataDir = t.folder();
  const before = timers();
  // What cannot be sent to a thread.
  const storePath = (() => {}) as unknown as string;
  const options = { dataDir, storePath, checkpointsDir: dataDir, cacheBytes: 2 ** 21, diskFreeBytesMin: 1 };
  const refused = await buildSnapshot(options).catch((error: Error) => error);
  assert.match(String(refused), /could not be cloned/);
  assert.is(timers(), before);
  assert.equal(readdirSync(dataDir), []);
});

test.run();
