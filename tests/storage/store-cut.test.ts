/** The copy of a store: what is refused before anything is made, and a disk that is full. What is in it: tests/engine/snapshot.test.ts. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openReader } from '../../src/storage/open-store.js';
import { StorageFull } from '../../src/storage/storage.js';
import { cutStore } from '../../src/storage/store-cut.js';
import { verifyStore } from '../../src/storage/verify-store.js';
import { suite } from '../support/suite.js';
import { newStore, OPTIONS, Story } from './story.js';

const test = suite('storage/store-cut');

test('the copy is a store like any other, and says how far it is', (t) => {
  const folder = t.folder();
  const { path, store } = newStore(folder);
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'));
  story.commit(story.create('b'));
  for (let id = 0; id < 50; id++) story.commit(story.put(1 + (id % 2), { id, vector: [id, 1, 2, 3] }));
  const copy = join(folder, 'copy.db');
  const told: number[] = [];
  const { state, collections } = cutStore(path, copy, OPTIONS, (fraction) => told.push(fraction));
  assert.equal(
    [...told].sort((a, b) => a - b),
    told,
  );
  assert.is(told.at(-1), 1);
  assert.equal(
    collections.map(({ name, pointsCount }) => [name, pointsCount]),
    [
      ['a', 25],
      ['b', 25],
    ],
  );
  const reads = openReader(copy, OPTIONS);
  assert.equal(reads.state(), state);
  reads.close();
  assert.equal(verifyStore(copy, 'full').findings, []);
});

test('a full disk is told as such', (t) => {
  const folder = t.folder();
  const { path, store } = newStore(folder);
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('a'));
  for (let id = 0; id < 20; id++) story.commit(story.put(1, { id, vector: [id, 1, 2, 3], payload: 'x'.repeat(10_000) }));
  const cut = (): unknown => cutStore(path, join(folder, 'copy.db'), { ...OPTIONS, pagesMax: 30 }, () => {});
  assert.throws(cut, (error: Error) => error instanceof StorageFull);
  assert.is(store.state().seq, 21);
});

test('a source that is no store is refused, and no file is made of it or for it', (t) => {
  const folder = t.folder();
  const [source, copy] = [join(folder, 'none.db'), join(folder, 'copy.db')];
  assert.throws(() => cutStore(source, copy, OPTIONS, () => {}), /There is no store/);
  assert.not(existsSync(source));
  assert.not(existsSync(copy));
});

test.run();
