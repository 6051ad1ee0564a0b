/** Idempotency keys: kept, replaced, and forgotten by age and by number. */

import * as assert from 'uvu/assert';
import type { StoreWriter } from '../../src/storage/storage.js';
import { suite, type TestContext } from '../support/suite.js';
import { newStore } from './story.js';

const test = suite('storage/remembered');

function scope(number: number): Buffer {
  return Buffer.alloc(32, number);
}

/** Keys 1 … count, key n of seq n at time 10·n. */
function withKeys(t: TestContext, count: number): StoreWriter {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  store.begin();
  for (let n = 1; n <= count; n++)
    store.remember({ scope: scope(n), body: scope(0), seq: n, timeMs: 10 * n, results: Buffer.from('[]') });
  store.commit();
  return store;
}

function known(store: StoreWriter, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1).filter((n) => store.remembered(scope(n)) !== undefined);
}

test('keys are forgotten by their age beside the newest, oldest first, at most rowsMax at a time', (t) => {
  const store = withKeys(t, 6);
  assert.is(store.pruneRemembered(20, 100, 2), 2);
  assert.equal(known(store, 6), [3, 4, 5, 6]);
  assert.is(store.pruneRemembered(20, 100, 2), 1);
  assert.is(store.pruneRemembered(20, 100, 2), 0);
  assert.equal(known(store, 6), [4, 5, 6]);
});

test('only the newest keysMax stay, whatever their age', (t) => {
  const store = withKeys(t, 6);
  assert.is(store.pruneRemembered(60, 4, 1), 1);
  assert.is(store.pruneRemembered(60, 4, 10), 1);
  assert.equal(known(store, 6), [3, 4, 5, 6]);
  assert.is(store.pruneRemembered(25, 2, 10), 2);
  assert.equal(known(store, 6), [5, 6]);
  const both = withKeys(t, 6);
  assert.is(both.pruneRemembered(35, 1, 3), 3);
  assert.equal(known(both, 6), [4, 5, 6]);
});

test('a scope that comes again after its time replaces what was remembered', (t) => {
  const store = withKeys(t, 2);
  const row = { scope: scope(1), body: scope(8), seq: 9, timeMs: 90, results: Buffer.from('[2]') };
  store.begin();
  store.remember(row);
  store.commit();
  assert.equal(store.remembered(scope(1)), row);
  assert.is(store.pruneRemembered(40, 10, 10), 1);
  assert.equal(known(store, 2), [1]);
});

test.run();
