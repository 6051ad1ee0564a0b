/** A store of an older format is read as it is, brought to this format where it is opened for writing, and sound before and after. */

import * as assert from 'uvu/assert';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import { FORMAT, FORMAT_MIN } from '../../src/storage/schema.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { suite, type TestContext } from '../support/suite.js';
import { driver } from './raw-database.js';
import { IDENTITY, OPTIONS, Story } from './story.js';

const test = suite('storage/upgrade');
const ZEROS = '00'.repeat(32);

/** What a build of the format did not know, taken away from a store of this one. */
const UNDO: Readonly<Record<number, string>> = {
  1: 'DROP TABLE lineage; DROP TABLE voters; DROP TABLE aliases; DROP INDEX points_changed; DROP TABLE access_keys',
  2: 'DROP TABLE aliases; DROP INDEX points_changed; DROP TABLE access_keys',
  3: 'DROP TABLE access_keys',
};

/** A folder whose store has one collection with two points, one of them changed, as a build of the format would have left it. */
function oldFolder(t: TestContext, format: number): { dataDir: string; path: string } {
  const dataDir = `${t.folder()}/data`;
  const { databasePath: path } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'b' }, OPTIONS);
  const store = openWriter(path, OPTIONS);
  const story = new Story(store);
  story.commit(story.create('birds'));
  story.commit(story.put(1, { id: 'a', vector: [1, 0, 0, 0] }));
  story.commit(story.put(1, { id: 'b', vector: [2, 0, 0, 0] }));
  story.commit(story.put(1, { id: 'b', vector: [2, 0, 0, 0], payload: '{"late":true}' }));
  store.close();
  const db = driver(path);
  db.exec(`${UNDO[format] ?? ''}; VACUUM`);
  db.pragma(`user_version = ${format}`);
  db.close();
  return { dataDir, path };
}

function plainLineage(store: ReturnType<typeof openReader>): unknown {
  return store.lineage().map((row) => ({ ...row, startHash: Buffer.from(row.startHash).toString('hex') }));
}

const ONE_HISTORY = [{ epoch: 1, historyId: IDENTITY.historyId, startSeq: 0, startHash: ZEROS }];

function assertContent(store: ReturnType<typeof openReader>): void {
  assert.equal(plainLineage(store), ONE_HISTORY);
  assert.equal([store.voters(), store.aliases(), store.accessKeys()], [[], [], []]);
  assert.is(store.pointById(1, 'a')?.version, 2);
  const { rows, throughSeq } = store.changedBetween(1, 0, 4, 10, 1e9);
  assert.equal([rows.map(({ label, version }) => [label, version]), throughSeq], [[[1, 4]], 4]);
}

for (let format = FORMAT_MIN; format < FORMAT; format++) {
  test(`a reader of format ${format} shows the one history that the state names, and changes nothing`, (t) => {
    const { dataDir, path } = oldFolder(t, format);
    const reads = openReader(path, OPTIONS);
    t.after(() => reads.close());
    assertContent(reads);
    assert.equal(verifyStore(dataDir, 'full').findings, []);
    assert.is(driver(path).pragma('user_version', { simple: true }), format);
  });

  test(`opening format ${format} for writing adds what is new once; everything else is as it was`, (t) => {
    const { dataDir, path } = oldFolder(t, format);
    const before = openReader(path, OPTIONS);
    const state = before.state();
    before.close();
    for (let opening = 0; opening < 2; opening++) {
      const store = openWriter(path, OPTIONS);
      assertContent(store);
      assert.equal(store.state(), state);
      store.close();
    }
    assert.is(driver(path).pragma('user_version', { simple: true }), FORMAT);
    for (const level of ['full', 'quick'] as const) assert.equal(verifyStore(dataDir, level).findings, []);
  });

  test(`a store of format ${format} that cannot be upgraded stays as it was: damage, or a full disk`, (t) => {
    const { path } = oldFolder(t, format);
    const db = driver(path);
    t.after(() => db.close());
    const isOld = (): void => {
      assert.is(db.pragma('user_version', { simple: true }), format);
      const added = "SELECT count(*) FROM sqlite_schema WHERE name = 'access_keys'";
      assert.is(db.prepare(added).pluck().get(), 0);
    };
    const pagesMax = db.pragma('page_count', { simple: true }) as number;
    assert.throws(() => openWriter(path, { ...OPTIONS, pagesMax }), /full/);
    isOld();
    db.exec('UPDATE state SET epoch = epoch + 1');
    assert.throws(() => openWriter(path, OPTIONS), /state/);
    isOld();
    db.exec('UPDATE state SET epoch = epoch - 1');
    openWriter(path, OPTIONS).close();
    assert.is(db.pragma('user_version', { simple: true }), FORMAT);
  });
}

test.run();
