/** What goes from the start of the log, by age and size, and that what stays is still a whole, chained log. */

import * as assert from 'uvu/assert';
import { chainHash } from '../../src/codec/digest.js';
import type { StoreWriter } from '../../src/storage/storage.js';
import { suite, type TestContext } from '../support/suite.js';
import { newStore, Story } from './story.js';

const test = suite('storage/log-pruning');
const NEVER = { olderThanMs: 0, keepBytes: Number.MAX_SAFE_INTEGER, hardBytes: Number.MAX_SAFE_INTEGER, keepFromSeq: null };
const ALL = { ...NEVER, hardBytes: 0 };

/** Twelve units of one to three entries (seq 1 | 2 3 | 4 5 6 | 7 | …), unit n at time n. */
function twelveUnits(t: TestContext): StoreWriter {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  for (let unit = 0; unit < 12; unit++) {
    story.timeMs = unit + 1;
    story.commit(...Array.from({ length: (unit % 3) + 1 }, (_, i) => story.create(`c${unit}-${i}`)));
  }
  return store;
}

function minSeqAfter(store: StoreWriter, rule: Parameters<StoreWriter['pruneLog']>[0], rowsMax: number): number {
  const before = store.state();
  const rows = store.pruneLog(rule, rowsMax);
  const { logMinSeq, logBytes, seq } = store.state();
  assert.is(logMinSeq - before.logMinSeq, rows);
  const left = store.logFrom(logMinSeq, 1_000, 1e9);
  assert.is(left.length, seq - logMinSeq + 1);
  assert.is(
    logBytes,
    left.reduce((sum, { entry }) => sum + entry.length, 0),
  );
  const first = left[0];
  if (first !== undefined) assert.equal(chainHash(store.logBaseHash(), first.entry), Buffer.from(first.chainHash));
  else assert.equal(Buffer.from(store.logBaseHash()), Buffer.from(store.state().chainHash));
  return logMinSeq;
}

test('nothing goes while the log is young or small', (t) => {
  const store = twelveUnits(t);
  assert.is(minSeqAfter(store, NEVER, 100), 1);
  assert.is(minSeqAfter(store, { ...NEVER, olderThanMs: 100 }, 100), 1);
  assert.is(minSeqAfter(store, { ...NEVER, keepBytes: 0, olderThanMs: 1 }, 100), 1);
});

test('old units go while the log is over its size, whole units only', (t) => {
  const store = twelveUnits(t);
  assert.is(minSeqAfter(store, { ...NEVER, keepBytes: 0, olderThanMs: 3 }, 100), 4);
  const { logBytes } = store.state();
  assert.is(minSeqAfter(store, { ...NEVER, keepBytes: logBytes - 1, olderThanMs: 100 }, 100), 7);
  assert.is(minSeqAfter(store, { ...NEVER, keepBytes: store.state().logBytes, olderThanMs: 100 }, 100), 7);
});

test('the unit of keepFromSeq and later ones stay however old, until the log is over its hard cap, which takes units of any age', (t) => {
  const store = twelveUnits(t);
  const old = { ...NEVER, olderThanMs: 100, keepBytes: 0 };
  assert.is(minSeqAfter(store, { ...old, keepFromSeq: 5 }, 100), 4);
  assert.is(minSeqAfter(store, { ...old, keepFromSeq: 7 }, 100), 7);
  assert.is(minSeqAfter(store, { ...ALL, keepFromSeq: 7, hardBytes: store.state().logBytes - 1 }, 100), 8);
  assert.is(minSeqAfter(store, ALL, 100), 25);
  assert.is(store.pruneLog(ALL, 100), 0);
});

test('rowsMax ends at a unit border, yet a unit that is larger goes whole', (t) => {
  const store = twelveUnits(t);
  assert.is(minSeqAfter(store, ALL, 2), 2);
  assert.is(minSeqAfter(store, ALL, 1), 4);
  assert.is(minSeqAfter(store, ALL, 1), 7);
  assert.is(minSeqAfter(store, ALL, 3), 10);
});

test('after everything went, the log goes on where it stopped', (t) => {
  const store = twelveUnits(t);
  minSeqAfter(store, ALL, 1_000);
  const story = new Story(store);
  story.commit(story.create('next'));
  assert.equal(
    store.logFrom(25, 10, 1e9).map(({ seq }) => seq),
    [25],
  );
  assert.equal(
    store.logFrom(3, 10, 1e9).map(({ seq }) => seq),
    [25],
  );
});

test.run();
