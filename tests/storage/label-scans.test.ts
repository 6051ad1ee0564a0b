/** What indexes read: rows in label order, live labels, deaths; and damage that such scans must not pass over. */

import * as assert from 'uvu/assert';
import type { SkeinError } from '../../src/model/errors.js';
import { openReader } from '../../src/storage/open-store.js';
import { suite } from '../support/suite.js';
import { driver } from './raw-database.js';
import { newStore, OPTIONS, Story } from './story.js';

const test = suite('storage/label-scans');

test('rows come in label order with what they superseded, dead ones included, bounded by number and bytes', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'), story.create('b'));
  story.commit(
    story.put(1, { id: 'x', vector: [1, 1, 1, 1] }, { id: 'y', vector: [2, 1, 1, 1] }),
    story.put(2, { id: 'x', vector: [3, 1, 1, 1] }),
  );
  story.commit(story.put(1, { id: 'x', vector: [4, 1, 1, 1] }));
  const rows = store.labelsFrom(1, 0, 100, 1e9);
  assert.equal(
    rows.map(({ label, labelSeq, prevLabel, deadSeq }) => [label, labelSeq, prevLabel, deadSeq]),
    [
      [0, 3, null, 5],
      [1, 3, null, null],
      [2, 5, 0, null],
    ],
  );
  assert.ok(rows.every(({ vectorSet }) => vectorSet.byteOffset % 4 === 0 && vectorSet.length === 28));
  assert.equal(
    store.labelsFrom(1, 1, 1, 1e9).map(({ label }) => label),
    [1],
  );
  assert.equal(
    store.labelsFrom(1, 0, 100, 29).map(({ label }) => label),
    [0, 1],
  );
  assert.equal(
    store.labelsFrom(1, 0, 100, 0).map(({ label }) => label),
    [0],
  );
  assert.equal(store.labelsFrom(1, 3, 100, 1e9), []);
  assert.equal([...store.liveLabels(1, 2)], [1]);
  assert.equal([...store.liveLabels(1, 3)], [1, 2]);
  assert.equal([...store.liveLabels(9, 3)], []);
  assert.equal(store.deadBetween(1, 4, 5, 10), [{ label: 0, deadSeq: 5 }]);
  assert.equal(store.deadBetween(1, 5, 9, 10), []);
  assert.equal(store.deadBetween(1, 0, 4, 10), []);
});

test('a point without its vectors, and a liveness that was tampered with, are CorruptData', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'), story.put(1, { id: 'x', vector: [1, 1, 1, 1] }, { id: 'y', vector: [2, 1, 1, 1] }));
  const reader = openReader(path, OPTIONS);
  t.after(() => reader.close());
  const db = driver(path);
  t.after(() => db.close());
  const isCorrupt = (error: SkeinError): boolean => error.type === 'CorruptData' && error.details.table !== undefined;
  db.exec(`DELETE FROM vectors WHERE key = ${2 ** 31 + 1}`);
  assert.throws(() => reader.labelsFrom(1, 0, 10, 1e9), isCorrupt);
  assert.is(reader.labelsFrom(1, 0, 1, 1e9).length, 1);
  db.exec(`UPDATE points SET dead_seq = 2 WHERE key = ${2 ** 31}`);
  assert.throws(() => reader.liveLabels(1, 10), isCorrupt);
  assert.throws(() => reader.liveLabels(1, 1), isCorrupt);
  assert.throws(() => reader.deadBetween(1, 0, 9, 10), isCorrupt);
});

test.run();
