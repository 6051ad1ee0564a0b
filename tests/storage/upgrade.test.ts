/** A store of format 1 is read as it is, brought to this format where it is opened for writing, and sound before and after. */

import * as assert from 'uvu/assert';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import { FORMAT } from '../../src/storage/schema.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { suite, type TestContext } from '../support/suite.js';
import { driver } from './raw-database.js';
import { IDENTITY, OPTIONS, Story } from './story.js';

const test = suite('storage/upgrade');
const ZEROS = '00'.repeat(32);

/** A folder whose store has one collection with a point, as a build of format 1 would have left it. */
function oldFolder(t: TestContext): { dataDir: string; path: string } {
  const dataDir = `${t.folder()}/data`;
  const { databasePath: path } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'b' }, OPTIONS);
  const store = openWriter(path, OPTIONS);
  const story = new Story(store);
  story.commit(story.create('birds'));
  story.commit(story.put(1, { id: 'a', vector: [1, 0, 0, 0] }));
  store.close();
  const db = driver(path);
  db.exec('DROP TABLE lineage; DROP TABLE voters');
  db.pragma('user_version = 1');
  db.close();
  return { dataDir, path };
}

function plainLineage(store: ReturnType<typeof openReader>): unknown {
  return store.lineage().map((row) => ({ ...row, startHash: Buffer.from(row.startHash).toString('hex') }));
}

const ONE_HISTORY = [{ epoch: 1, historyId: IDENTITY.historyId, startSeq: 0, startHash: ZEROS }];

test('a reader shows the one history that the state names, and changes nothing', (t) => {
  const { dataDir, path } = oldFolder(t);
  const reads = openReader(path, OPTIONS);
  t.after(() => reads.close());
  assert.equal(plainLineage(reads), ONE_HISTORY);
  assert.equal(reads.voters(), []);
  assert.is(reads.pointById(1, 'a')?.version, 2);
  assert.equal(verifyStore(dataDir, 'full').findings, []);
  assert.is(driver(path).pragma('user_version', { simple: true }), 1);
});

test('opening for writing adds the tables once; everything else is as it was', (t) => {
  const { dataDir, path } = oldFolder(t);
  const before = openReader(path, OPTIONS);
  const state = before.state();
  before.close();
  for (let opening = 0; opening < 2; opening++) {
    const store = openWriter(path, OPTIONS);
    assert.equal(plainLineage(store), ONE_HISTORY);
    assert.equal(store.voters(), []);
    assert.equal(store.state(), state);
    store.close();
  }
  assert.is(driver(path).pragma('user_version', { simple: true }), FORMAT);
  assert.equal(verifyStore(dataDir, 'full').findings, []);
});

test('a store that cannot be upgraded stays as it was: its state row is damaged', (t) => {
  const { path } = oldFolder(t);
  const db = driver(path);
  t.after(() => db.close());
  db.exec('UPDATE state SET epoch = epoch + 1');
  assert.throws(() => openWriter(path, OPTIONS), /state/);
  assert.is(db.pragma('user_version', { simple: true }), 1);
  assert.is(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'lineage'").pluck().get(), 0);
});

test.run();
