/** The operation log: dense, chained, bounded reads, and no silence about a hole. */

import * as assert from 'uvu/assert';
import { chainHash } from '../../src/codec/digest.js';
import { decodeEntry } from '../../src/codec/entry.js';
import type { SkeinError } from '../../src/model/errors.js';
import { suite } from '../support/suite.js';
import { driver } from './raw-database.js';
import { newStore, Story } from './story.js';

const test = suite('storage/log');

test('entries come back in order, dense, chained, and bounded by number and by bytes', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  for (let i = 0; i < 10; i++) story.commit(story.create(`c${i}`));
  const rows = store.logFrom(1, 100, 1e9);
  assert.equal(
    rows.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  let hash: Uint8Array = store.logBaseHash();
  for (const row of rows) {
    hash = chainHash(hash, row.entry);
    assert.equal(Buffer.from(row.chainHash), hash);
    assert.is(decodeEntry(row.entry).seq, row.seq);
  }
  assert.equal(Buffer.from(store.state().chainHash), hash);
  assert.is(
    store.state().logBytes,
    rows.reduce((sum, { entry }) => sum + entry.length, 0),
  );
  assert.equal(
    store.logFrom(4, 3, 1e9).map(({ seq }) => seq),
    [4, 5, 6],
  );
  assert.equal(
    store.logFrom(4, 3, 0).map(({ seq }) => seq),
    [4],
  );
  assert.equal(
    store.logFrom(4, 3, (rows[3]?.entry.length ?? 0) + 1).map(({ seq }) => seq),
    [4, 5],
  );
  assert.equal(store.logFrom(11, 3, 1e9), []);
  assert.equal(
    store.logFrom(0, 1, 1e9).map(({ seq }) => seq),
    [1],
  );
});

test('a hole in the log is CorruptData, not a shorter answer', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  for (let i = 0; i < 6; i++) story.commit(story.create(`c${i}`));
  const db = driver(path);
  db.exec('DELETE FROM log WHERE seq IN (3, 6)');
  db.close();
  for (const from of [1, 2, 3, 6]) {
    assert.throws(
      () => store.logFrom(from, 100, 1e9),
      (error: SkeinError) => error.type === 'CorruptData' && /no row for seq/.test(error.message),
    );
  }
  assert.equal(
    store.logFrom(4, 2, 1e9).map(({ seq }) => seq),
    [4, 5],
  );
});

test('an entry is refused under another seq than its own, and twice under the same', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('c'));
  const [row] = store.logFrom(1, 1, 1);
  if (row === undefined) throw new Error('no row');
  for (const seq of [1, 2]) {
    store.begin();
    assert.throws(
      () => store.appendLog({ ...row, seq }, 1),
      (error: Error) => error.name === 'StorageFailure',
    );
    store.rollback();
  }
});

test.run();
