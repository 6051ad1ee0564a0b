/** Slices of upkeep: dead rows, dropped collections, free pages. */

import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { driver } from './raw-database.js';
import { newStore, Story } from './story.js';

const test = suite('storage/row-removal');

test('dead rows go with their vectors, oldest first, and reapedSeq moves only when none is left', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'), story.create('b'));
  for (let round = 0; round < 5; round++) {
    story.commit(story.put(1, { id: 1, vector: [round, 1, 1, 1] }), story.put(2, { id: 1, vector: [round, 1, 1, 1] }));
  }
  const { seq } = store.state();
  assert.equal(
    store.deadBetween(1, 0, seq, 100).map(({ label }) => label),
    [0, 1, 2, 3],
  );
  assert.is(store.reapDead(seq, 3), 3);
  assert.is(store.state().reapedSeq, 0);
  assert.equal(
    store.deadBetween(1, 0, seq, 100).map(({ label }) => label),
    [3],
  );
  assert.is(store.pointByLabel(1, 0), undefined);
  assert.is(store.vectorSet(1, 0), undefined);
  assert.is(store.reapDead(seq - 2, 100), 3);
  assert.is(store.state().reapedSeq, seq - 2);
  assert.is(store.reapDead(seq, 100), 2);
  assert.is(store.state().reapedSeq, seq);
  assert.is(store.reapDead(seq, 100), 0);
  assert.is(store.pointById(1, 1)?.label, 4);
  assert.is(store.pointById(2, 1)?.label, 4);
  assert.equal(
    store.labelsFrom(1, 0, 100, 1e9).map(({ label }) => label),
    [4],
  );
});

test('a dropped collection vanishes at once and its rows in slices, while its name lives on', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('name'));
  for (let i = 0; i < 20; i++) story.commit(story.put(1, { id: i, vector: [i, 1, 1, 1], expiresAtMs: 5 }));
  assert.is(store.expired(5, 100).length, 20);
  story.commit(story.drop(1), story.create('name'), story.put(2, { id: 3, vector: [1, 2, 3, 4], expiresAtMs: 6 }));
  assert.equal(
    store.collections().map(({ uid }) => uid),
    [2],
  );
  assert.is(store.collection(1), undefined);
  assert.equal(store.expired(10, 100), [{ uid: 2, id: 3, expiresAtMs: 6 }]);
  let slices = 0;
  for (let rows = store.purgeDropped(7); rows > 0; rows = store.purgeDropped(7)) {
    assert.ok(rows <= 7);
    slices += 1;
  }
  assert.ok(slices > 6);
  assert.is(store.pointById(2, 3)?.uid, 2);
  const db = driver(path);
  t.after(() => db.close());
  const counts = () =>
    ['points', 'vectors', 'digest_pages', 'collections'].map((table) =>
      db.prepare(`SELECT count(*) FROM ${table}`).pluck().get(),
    );
  assert.equal([counts(), store.anyCollection(1)?.name], [[1, 1, 1, 2], 'name'], 'the log still tells of it');
  store.pruneLog({ olderThanMs: 1, keepBytes: 0, hardBytes: 0, keepFromSeq: null }, 1_000);
  assert.is(store.purgeDropped(7), 1);
  assert.equal([counts(), store.anyCollection(1)?.name, store.anyCollection(2)?.name], [[1, 1, 1, 1], undefined, 'name']);
});

test('two dropped collections go in one slice when they fit, and an empty one too', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'), story.create('b'), story.put(2, { id: 1, vector: [1, 1, 1, 1] }));
  story.commit(story.drop(1), story.drop(2));
  assert.is(store.purgeDropped(100), 3);
  assert.is(store.purgeDropped(100), 0);
});

test('free pages go back to the file system in steps', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'));
  const payload = JSON.stringify({ text: 'x'.repeat(20_000) });
  for (let i = 0; i < 30; i++) story.commit(story.put(1, { id: i, vector: [1, 1, 1, 1], payload }));
  story.commit(story.drop(1));
  store.purgeDropped(1_000);
  store.checkpointWal(0);
  const before = store.fileBytes().database;
  assert.is(store.vacuumSome(5), 5);
  let pages = 0;
  for (let some = store.vacuumSome(50); some > 0; some = store.vacuumSome(50)) pages += some;
  assert.ok(pages > 100);
  store.checkpointWal(0);
  assert.is(before - store.fileBytes().database, (pages + 5) * 4_096);
});

test.run();
