/** A snapshot over a real link: it counts, on either side, when it is whole there, and not before. */

import * as assert from 'uvu/assert';
import type { IncomingSnapshot } from '../../src/engine/snapshot.js';
import { FakeLog } from '../support/fake-log.js';
import { logOfAnother, startFollower, startSource } from '../support/served-link.js';
import { CHUNK_BYTES, headOf } from '../support/snapshots.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('replication/snapshot-size');

/** More than are sent ahead of what has been written. */
const HEAD = headOf('5', 20);
const SNAPSHOT = { head: HEAD, folder: '', unindexed: [], read: async () => Buffer.alloc(CHUNK_BYTES), remove: async () => {} };

/** Closed until it is opened. */
function newGate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test('the size of a snapshot is told once all of it was sent, and once it is in place', async (t) => {
  const { source, streamUrl } = await startSource(t, { snapshot: SNAPSHOT });
  const [writing, installing] = [newGate(), newGate()];
  const done = { chunks: 0, began: false, installs: false };
  const incoming = {
    get nextChunk() {
      return done.chunks;
    },
    get bytes() {
      return done.chunks * CHUNK_BYTES;
    },
    write: async () => {
      done.began = true;
      await writing.opened;
      done.chunks += 1;
    },
  } as unknown as IncomingSnapshot;
  const blank = new FakeLog();
  blank.epoch = 0;
  const { counts } = startFollower(t, streamUrl, {
    feed: logOfAnother(blank),
    appliedSeq: () => 0,
    openIncoming: async () => incoming,
    install: async () => {
      done.installs = true;
      await installing.opened;
    },
  });
  const sizes = (): number[] => [source.lastSnapshotBytes, counts.snapshotBytes];
  await waitUntil(() => done.began, { what: 'the first chunk' });
  assert.equal(sizes(), [0, 0]);
  assert.equal([source.fullSyncs, counts.fullSyncs], [1, 1]);
  writing.open();
  await waitUntil(() => done.installs, { what: 'the last chunk' });
  assert.equal(sizes(), [HEAD.bytes, 0]);
  installing.open();
  await waitUntil(() => counts.snapshotBytes > 0, { what: 'the data to be in place' });
  assert.equal(sizes(), [HEAD.bytes, HEAD.bytes]);
});

test.run();
