/** Checkpoints of the WAL: only when told, cut over the cap, never waiting long for a reader. */

import * as assert from 'uvu/assert';
import { BUSY_TIMEOUT_MS } from '../../src/storage/connection.js';
import { openReader } from '../../src/storage/open-store.js';
import { suite } from '../support/suite.js';
import { newStore, OPTIONS, Story } from './story.js';

const test = suite('storage/wal-checkpoints');
/** Less than what else is waited for a lock, and as much as a busy machine can stand still. */
const SOON_MS = BUSY_TIMEOUT_MS - 500;

test('nothing moves the WAL but a checkpoint; under its cap it stays, over it it is cut to nothing', (t) => {
  const { store } = newStore(t.folder());
  t.after(() => store.close());
  const story = new Story(store);
  story.commit(story.create('c'));
  const payload = JSON.stringify({ text: 'x'.repeat(8_000) });
  const { database } = store.fileBytes();
  // More than the 1,000 pages after which SQLite's own checkpoint would run.
  for (let i = 0; i < 250; i++) story.commit(story.put(1, { id: i, vector: [1, 1, 1, 1], payload }));
  const { wal } = store.fileBytes();
  assert.ok(wal > 1_100 * 4_096);
  assert.is(store.fileBytes().database, database);
  assert.equal(store.checkpointWal(wal), { walBytes: wal, truncated: false });
  assert.ok(store.fileBytes().database > database);
  assert.equal(store.checkpointWal(wal - 1), { walBytes: 0, truncated: true });
  assert.equal(store.checkpointWal(0), { walBytes: 0, truncated: false });
  assert.is(store.pointById(1, 249)?.payload.length, payload.length);
});

test('a reader in the middle of a snapshot is never waited for long, and the next call does the rest', (t) => {
  const { path, store } = newStore(t.folder());
  t.after(() => store.close());
  const reader = openReader(path, OPTIONS);
  t.after(() => reader.close());
  const story = new Story(store);
  story.commit(story.create('c'));
  reader.snapshot(() => {
    assert.is(reader.state().seq, 1);
    story.commit(story.put(1, { id: 1, vector: [1, 1, 1, 1] }));
    const start = performance.now();
    const { truncated, walBytes } = store.checkpointWal(0);
    assert.not(truncated);
    assert.ok(walBytes > 0);
    assert.ok(performance.now() - start < SOON_MS);
    assert.is(reader.state().seq, 1);
  });
  reader.snapshot(() => {
    // It reads the newest state: all can be moved, and only the cut has to wait for it.
    assert.is(reader.state().seq, 2);
    const start = performance.now();
    assert.not(store.checkpointWal(0).truncated);
    assert.ok(performance.now() - start < SOON_MS);
  });
  assert.equal(store.checkpointWal(0), { walBytes: 0, truncated: true });
  assert.is(reader.state().seq, 2);
});

test.run();
