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

test('changed payloads come by version, then label, live ones only, and a page ends behind a version', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'), story.create('b'));
  const vector = [1, 1, 1, 1];
  const ids = ['x', 'y', 'z'];
  story.commit(story.put(1, ...ids.map((id) => ({ id, vector }))), story.put(2, { id: 'x', vector }));
  const changes = (after: number, through: number, limit: number, bytesMax = 1e9): unknown => {
    const { rows, throughSeq } = store.changedBetween(1, after, through, limit, bytesMax);
    return [rows.map(({ label, version, payload }) => [label, version, Buffer.from(payload).toString()]), throughSeq];
  };
  assert.equal(changes(0, 4, 10), [[], 4], 'what stands as it was put has not changed');
  story.commit(story.put(1, { id: 'z', vector, payload: '{"n":5}' }, { id: 'y', vector, payload: '{"n":5}' }));
  story.commit(story.put(2, { id: 'x', vector, payload: '{"other":6}' }));
  story.commit(story.put(1, { id: 'x', vector, payload: '{"n":7}' }));
  const [y, z, x] = [
    [1, 5, '{"n":5}'],
    [2, 5, '{"n":5}'],
    [0, 7, '{"n":7}'],
  ];
  assert.equal(changes(0, 7, 10), [[y, z, x], 7]);
  assert.equal(changes(0, 9, 1), [[y, z], 5]);
  assert.equal(changes(0, 9, 10, 1), [[y, z], 5]);
  assert.equal(changes(5, 9, 1), [[x], 9]);
  assert.equal(changes(0, 6, 2), [[y, z], 6]);
  assert.equal(changes(4, 4, 10), [[], 4]);
  story.commit(story.put(1, { id: 'y', vector: [2, 1, 1, 1] }), story.delete(1, 'z'));
  assert.equal(changes(0, 9, 10), [[x], 9], 'a new label is no change, and the dead are passed over');
  const rows = store.labelsFrom(1, 0, 10, 1e9, true);
  assert.equal(
    rows.map(({ label, payload }) => [label, Buffer.from(payload ?? '').toString()]),
    [
      [0, '{"n":7}'],
      [1, '{"n":5}'],
      [2, '{"n":5}'],
      [3, ''],
    ],
  );
  assert.equal(
    store.labelsFrom(1, 0, 10, 30, true).map(({ label }) => label),
    [0],
    'payloads count',
  );
  assert.ok(store.labelsFrom(1, 0, 10, 1e9).every(({ payload }) => payload === null));
});

test('a damaged payload is CorruptData to who reads payloads, and nothing to who does not', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'), story.put(1, { id: 'x', vector: [1, 1, 1, 1] }));
  story.commit(story.put(1, { id: 'x', vector: [1, 1, 1, 1], payload: '{"a":1}' }));
  const db = driver(path);
  t.after(() => db.close());
  db.exec("UPDATE points SET payload = X'7B7D'");
  const isCorrupt = (error: SkeinError): boolean => error.type === 'CorruptData' && error.details.label === 0;
  assert.throws(() => store.labelsFrom(1, 0, 10, 1e9, true), isCorrupt);
  assert.equal(store.changedBetween(1, 0, 9, 10, 1e9), { rows: [], damaged: [0], throughSeq: 9 });
  assert.is(store.labelsFrom(1, 0, 10, 1e9).length, 1);
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
  // A damaged row that the index of the dead has is dead; that there are too few live ones is what tells of it.
  assert.equal(reader.deadBetween(1, 0, 9, 10), [{ label: 0, deadSeq: 2 }]);
});

test.run();
