/** Aliases: what went in comes back, and every damage to them is found by reading and by verification. */

import * as assert from 'uvu/assert';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import { cutStore } from '../../src/storage/store-cut.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { suite, type TestContext } from '../support/suite.js';
import { driver } from './raw-database.js';
import { IDENTITY, OPTIONS, Story } from './story.js';

const test = suite('storage/aliases');
const KEPT = [
  { name: 'now', uid: 2 },
  { name: 'old', uid: 1 },
];

/** Two collections, an alias of each, one of them switched, and one that is gone again. */
function newFolder(t: TestContext): { dataDir: string; path: string } {
  const dataDir = `${t.folder()}/data`;
  const { databasePath: path } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'b' }, OPTIONS);
  const store = openWriter(path, OPTIONS);
  const story = new Story(store);
  story.commit(story.create('a'), story.create('b'));
  story.commit(story.putAlias('old', 1), story.putAlias('now', 1), story.putAlias('gone', 2));
  story.commit(story.putAlias('now', 2), story.removeAlias('gone'));
  store.close();
  return { dataDir, path };
}

function findings(dataDir: string, level: 'full' | 'quick' = 'full'): string {
  return verifyStore(dataDir, level)
    .findings.map(({ message }) => message)
    .join('\n');
}

test('rows come back by name as they were written, from a copy too', (t) => {
  const { dataDir, path } = newFolder(t);
  const copy = `${t.folder()}/copy.db`;
  cutStore(path, copy, OPTIONS, () => {});
  for (const each of [path, copy]) {
    const reads = openReader(each, OPTIONS);
    assert.equal(reads.aliases(), KEPT);
    reads.close();
  }
  assert.is(findings(dataDir), '');
  assert.is(findings(dataDir, 'quick'), '');
  assert.equal(verifyStore(copy, 'full').findings, []);
});

test('what is rolled back to a savepoint was never there', (t) => {
  const { path } = newFolder(t);
  const store = openWriter(path, OPTIONS);
  t.after(() => store.close());
  store.begin();
  store.savepoint();
  store.putAlias({ name: 'now', uid: 1 });
  store.removeAlias('old');
  store.removeAlias('never there');
  assert.equal(store.aliases(), [{ name: 'now', uid: 1 }]);
  store.rollbackToSavepoint();
  store.commit();
  assert.equal(store.aliases(), KEPT);
});

const DAMAGES: readonly (readonly [string, string, RegExp])[] = [
  ['a changed row', "UPDATE aliases SET uid = 1 WHERE name = 'now'", /now of aliases fails its checksum/],
  ['a changed name', "UPDATE aliases SET name = 'new' WHERE name = 'now'", /new of aliases fails its checksum/],
  ['a lost row', "DELETE FROM aliases WHERE name = 'now'", /state digest/],
];

for (const [what, sql, expected] of DAMAGES) {
  test(`verification names ${what}`, (t) => {
    const { dataDir, path } = newFolder(t);
    const db = driver(path);
    db.exec(sql);
    db.close();
    for (const level of ['full', 'quick'] as const) {
      assert.not(verifyStore(dataDir, level).ok);
      assert.match(findings(dataDir, level), expected);
    }
  });
}

test('an alias of a collection that is not there, and one with the name of a collection, are named', (t) => {
  for (const [name, uid, expected] of [
    ['lost', 9, /Alias 'lost' stands for collection uid 9, which is not in the catalogue/],
    ['b', 1, /Alias 'b' has the name of a collection/],
  ] as const) {
    const { dataDir, path } = newFolder(t);
    const store = openWriter(path, OPTIONS);
    const story = new Story(store);
    story.commit(story.putAlias(name, uid));
    store.close();
    assert.match(findings(dataDir), expected);
  }
});

test('a damaged row is never served', (t) => {
  const { path } = newFolder(t);
  const db = driver(path);
  db.exec('UPDATE aliases SET crc = crc + 1');
  db.close();
  const reads = openReader(path, OPTIONS);
  t.after(() => reads.close());
  assert.throws(() => reads.aliases(), /aliases fails its checksum/);
});

test.run();
