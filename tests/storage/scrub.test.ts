/** The background scrub: every row of every table is looked at while a writer goes on, and damage is named. */

import * as assert from 'uvu/assert';
import { openScrub, type Scrub } from '../../src/storage/scrub.js';
import { suite } from '../support/suite.js';
import { driver } from './raw-database.js';
import { newStore, OPTIONS, Story } from './story.js';

const test = suite('storage/scrub');

function runThrough(scrub: Scrub, rowsMax: number, between: () => void = () => {}): void {
  while (scrub.step(rowsMax)) between();
  assert.not(scrub.step(rowsMax));
}

test('a sound store in use has no findings, and no row is passed over', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'), story.create('b'));
  for (let i = 0; i < 50; i++)
    story.commit(story.put((i % 2) + 1, { id: i, vector: [i, 1, 1, 1] }), story.remember(Buffer.alloc(32, i)));
  const db = driver(path);
  t.after(() => db.close());
  const count = (table: string): number => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  const rows = ['points', 'vectors', 'digest_pages', 'log', 'remembered'].map(count).reduce((a, b) => a + b);
  const quiet = openScrub(path, OPTIONS);
  t.after(() => quiet.close());
  runThrough(quiet, 7);
  assert.is(quiet.rowsChecked, rows);
  assert.is(quiet.findings.count, 0);
  const busy = openScrub(path, OPTIONS);
  t.after(() => busy.close());
  let n = 0;
  runThrough(busy, 7, () => {
    n += 1;
    if (n < 20) story.commit(story.put(1, { id: n % 5, vector: [n, 2, 2, 2] }));
    store.reapDead(store.state().seq, 10);
    assert.ok(store.checkpointWal(0).truncated || store.fileBytes().wal === 0, 'no read transaction stays open between steps');
  });
  assert.is(busy.findings.count, 0);
});

test('a damaged row of any table is found and named', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'));
  for (let i = 0; i < 30; i++) story.commit(story.put(1, { id: i, vector: [i, 1, 1, 1] }), story.remember(Buffer.alloc(32, i)));
  const db = driver(path);
  t.after(() => db.close());
  db.exec(`UPDATE points SET version = 1 WHERE key = ${2 ** 31 + 3};
    UPDATE vectors SET vector_set = x'00' WHERE key = ${2 ** 31 + 29};
    UPDATE digest_pages SET crc = 0 WHERE key = (SELECT max(key) FROM digest_pages);
    UPDATE log SET entry = x'' WHERE seq = 17;
    UPDATE remembered SET results = x'5b' WHERE seq = 5`);
  const scrub = openScrub(path, OPTIONS);
  t.after(() => scrub.close());
  runThrough(scrub, 4);
  const places = scrub.findings.findings.map(({ table, collectionUid, label, seq }) => [table, collectionUid, label, seq]);
  assert.equal(places, [
    ['points', 1, 3, null],
    ['vectors', 1, 29, null],
    ['digest_pages', 1, null, null],
    ['log', null, null, 17],
    ['remembered', null, null, null],
  ]);
  assert.not(scrub.findings.ok);
});

test.run();
