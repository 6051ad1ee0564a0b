/** A snapshot over a real link: it counts, on either side, when it is whole there, and not before. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import type { ReplicatedLog } from '../../src/engine/engine.js';
import type { IncomingSnapshot } from '../../src/engine/snapshot.js';
import { systemClock } from '../../src/model/clock.js';
import { silentLog } from '../../src/model/log.js';
import { Follower } from '../../src/replication/follower.js';
import { newFollowerCounts } from '../../src/replication/follower-parts.js';
import { MasterTail } from '../../src/replication/master-tail.js';
import { ReplicationSource } from '../../src/replication/source.js';
import { FakeLog } from '../support/fake-log.js';
import { CHUNK_BYTES, headOf } from '../support/snapshots.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('replication/snapshot-size');

/** More than are sent ahead of what has been written. */
const HEAD = headOf('5', 20);
const BEATS = { heartbeatMs: 1_000, timeoutMs: 20_000 };

const [own, nothing] = [() => ({ host: 'h', port: 1 }), () => {}];
const node = { clock: systemClock, log: silentLog, keys: [], software: 'test', address: own, masterUrl: () => null };

/** @returns the side that serves, and the URL of its stream */
async function startSource(t: TestContext): Promise<{ source: ReplicationSource; streamUrl: string }> {
  const source = new ReplicationSource({
    ...node,
    rules: { ...BEATS, windowBytes: 1_000, openingMs: 5_000, lagMs: 1_000, snapshotMinIntervalMs: 0 },
    runId: 'd'.repeat(32),
    role: () => 'master',
    pathUp: () => [],
    lagMs: () => 0,
    snapshotBytes: () => HEAD.bytes,
    buildSnapshot: async () => ({
      head: HEAD,
      unindexed: [],
      read: async () => Buffer.alloc(CHUNK_BYTES),
      remove: async () => {},
    }),
    onNewerEpoch: nothing,
    onConflict: nothing,
    onLostTail: async () => {},
    onRequest: async () => ({}),
  });
  source.attach(new FakeLog().log);
  const http = createServer().on('upgrade', (request, socket, head) => source.upgrade(request, socket, head));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    await source.close();
    http.close();
  });
  return { source, streamUrl: `ws://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

/** A log of a node that has never had data. */
function blankLog(): ReplicatedLog {
  const fake = new FakeLog();
  fake.epoch = 0;
  const { log } = fake;
  return { ...log, state: () => ({ ...log.state(), nodeId: 'b'.repeat(32) }) };
}

/** Closed until it is opened. */
function newGate(): { readonly open: () => void; readonly opened: Promise<void> } {
  let open = nothing;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test('the size of a snapshot is told once all of it was sent, and once it is in place', async (t) => {
  const { source, streamUrl } = await startSource(t);
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
  const counts = newFollowerCounts();
  const parts = {
    ...{ ...node, streamUrl, feed: blankLog(), runId: 'e'.repeat(32), voter: true, tls: {} },
    rules: { ...BEATS, greetingMs: 5_000, backoffMinMs: 10, backoffMaxMs: 100, steadyMs: 10_000 },
    ...{ random: () => 0, highestEpoch: 0, restMs: 0, installed: null, appliedSeq: () => 0 },
    openIncoming: async () => incoming,
    discardIncoming: async () => {},
    resumable: async () => null,
    install: async () => {
      done.installs = true;
      await installing.opened;
    },
    saveRollback: async () => {},
    ...{ noteEpoch: nothing, noteMaster: nothing, onRequest: async () => ({}), onTraced: nothing, onRedirect: nothing },
  };
  const follower = new Follower(parts, counts, new MasterTail());
  t.after(() => follower.stop());
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
