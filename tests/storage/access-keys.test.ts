/** Access keys: what went in comes back, from a copy too, and every damage to them is found by reading and by verification. */

import * as assert from 'uvu/assert';
import { createDataFolder } from '../../src/storage/data-folder.js';
import { openReader, openWriter } from '../../src/storage/open-store.js';
import { cutStore } from '../../src/storage/store-cut.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { accessKey } from '../support/fake-keys.js';
import { suite, type TestContext } from '../support/suite.js';
import { driver } from './raw-database.js';
import { IDENTITY, OPTIONS, Story } from './story.js';

const test = suite('storage/access-keys');
const [A, B, GONE] = ['00'.repeat(8), '0b'.repeat(8), '0c'.repeat(8)] as const;
const KEPT = [accessKey(A, { role: 'admin' }), accessKey(B, { scope: ['now', 'x*'], name: 'changed' })];

/** Two keys, one of them changed, and one that is gone again. */
function newFolder(t: TestContext): { dataDir: string; path: string } {
  const dataDir = `${t.folder()}/data`;
  const { databasePath: path } = createDataFolder(dataDir, IDENTITY, { role: 'master', bootId: 'b' }, OPTIONS);
  const store = openWriter(path, OPTIONS);
  const story = new Story(store);
  story.commit(story.putKey(KEPT[0] as never), story.putKey(accessKey(B)), story.putKey(accessKey(GONE)));
  story.commit(story.putKey(KEPT[1] as never), story.removeKey(GONE));
  store.close();
  return { dataDir, path };
}

function findings(dataDir: string, level: 'full' | 'quick' = 'full'): string {
  return verifyStore(dataDir, level)
    .findings.map(({ message }) => message)
    .join('\n');
}

test('keys come back by id as they were written, from a copy too', (t) => {
  const { dataDir, path } = newFolder(t);
  const copy = `${t.folder()}/copy.db`;
  cutStore(path, copy, OPTIONS, () => {});
  for (const each of [path, copy]) {
    const reads = openReader(each, OPTIONS);
    assert.equal(reads.accessKeys(), KEPT);
    reads.close();
  }
  for (const level of ['full', 'quick'] as const) assert.is(findings(dataDir, level), '');
  assert.equal(verifyStore(copy, 'full').findings, []);
});

const DAMAGES: readonly (readonly [string, string, RegExp])[] = [
  [
    'a changed record',
    `UPDATE access_keys SET record = CAST(replace(CAST(record AS TEXT), 'x*', 'y*') AS BLOB) WHERE id = '${B}'`,
    /fails its checksum/,
  ],
  ['a changed id', `UPDATE access_keys SET id = '${GONE}' WHERE id = '${B}'`, /fails its checksum/],
  ['a lost row', `DELETE FROM access_keys WHERE id = '${B}'`, /state digest/],
];

for (const [what, sql, expected] of DAMAGES) {
  test(`verification names ${what}`, (t) => {
    const { dataDir, path } = newFolder(t);
    const db = driver(path);
    db.exec(sql);
    db.close();
    for (const level of ['full', 'quick'] as const) assert.match(findings(dataDir, level), expected);
  });
}

test('a damaged row is never served', (t) => {
  const { path } = newFolder(t);
  const db = driver(path);
  db.exec('UPDATE access_keys SET crc = crc + 1');
  db.close();
  const reads = openReader(path, OPTIONS);
  t.after(() => reads.close());
  assert.throws(() => reads.accessKeys(), /access_keys fails its checksum/);
});

test.run();
