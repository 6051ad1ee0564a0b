/** A session that is cut after any number of bytes, in either direction, from the first byte of the request to the last of the acks: what the
 *  replica holds is at every moment a state that the master had, and in the end the master's own.
 *
 *  The replica lives in this process; each of its sessions has entries to bring, and begins at once. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startNode } from '../support/cluster.js';
import { QUICK_BEATS } from '../support/cluster-watch.js';
import { type Direction, startFaultProxy } from '../support/fault-proxy.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { PlainReplica } from '../support/plain-replica.js';
import { openHandles } from '../support/process-figures.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/replication-every-byte', { deadlineMs: 900_000 });
/** Beyond the entries: heartbeats, and numbers that have grown meanwhile. */
const LONGER_BYTES = 120;
/** Of requests that come and go. */
const OTHER_HANDLES = 10;
const CUT_MS = 20_000;
const SESSIONS_BEHIND_MAX = 8;

test('a session that is cut at any byte leaves a state that the master had, and costs no copy', async (t) => {
  const master = await startNode(t, 'master', { flags: QUICK_BEATS });
  await master.request('PUT', '/v1/collections/c', { dimension: 3, distance: 'euclid' });
  const proxy = await startFaultProxy(t, master.port);
  const replica = new PlainReplica(join(t.folder(), 'data'), { masterUrl: proxy.url, inTurn: (work) => work() });
  t.after(() => replica.stop());
  const digests = new Map<string, string>();
  let writes = 0;
  /** A unit of its own for the next session. @returns where the master is then */
  const write = async (): Promise<string> => {
    const id = ++writes;
    const points = [0, 1].map((more) => ({ id: (id % 50) + more * 1_000, vector: [id, more, 1], payload: { id } }));
    const { status } = await master.request('PUT', '/v1/collections/c/points?w=1&wait=durable', { points });
    assert.is(status, 200);
    const { position, digest } = await master.stats();
    digests.set(position, digest);
    return position;
  };
  const handles = (): number => openHandles(master.process.pid);

  await write();
  replica.join();
  // No unit but those of this test comes from here on.
  await waitUntil(
    async () => {
      const { body } = await master.request<{ replicas: { voter: boolean }[] }>('GET', '/replication/replicas');
      return body.replicas.length === 1 && body.replicas[0]?.voter === true;
    },
    { what: 'the replica to be a voter' },
  );
  const joined = await waitUntilEqual([master, replica]);
  digests.set(joined.position, joined.digest);
  const handlesBefore = handles();

  /** Ends the session there is, so that the next connection is the next session's. */
  const leave = async (): Promise<void> => {
    replica.leave();
    proxy.cut();
    await waitUntil(() => proxy.counts.open === 0, { what: 'the end of a session' });
  };
  /** Bytes of a session that brings what is new, until the replica has told that it has it. */
  const lengthOf = async (direction: Direction): Promise<number> => {
    await leave();
    await write();
    const before = proxy.counts[direction];
    replica.join();
    await waitUntilEqual([master, replica]);
    await waitUntil(async () => (await master.stats())['operations_pending'] === 0, { what: 'the ack' });
    return proxy.counts[direction] - before;
  };

  /** What sessions that were cut did not bring would make the next ones longer and longer. */
  const catchUp = async (): Promise<void> => {
    replica.join();
    await waitUntilEqual([master, replica]);
  };

  for (const direction of ['toMaster', 'toReplica'] as const) {
    const length = (await lengthOf(direction)) + LONGER_BYTES;
    assert.ok(length > 800 && length < 20_000, `${length} bytes ${direction}`);
    let applied = 0;
    for (let offset = 0; offset < length; offset++) {
      if (offset % SESSIONS_BEHIND_MAX === 0) await catchUp();
      await leave();
      const aim = await write();
      const { cut, accepted } = proxy.counts;
      proxy.cutAt(direction, { connection: accepted, offset });
      replica.join();
      await waitUntil(() => proxy.counts.cut > cut, { deadlineMs: CUT_MS, what: `the cut at byte ${offset} ${direction}` });
      const { position, digest } = await replica.stats();
      assert.is(digest, digests.get(position), `after the cut at byte ${offset} ${direction}`);
      if (position === aim) applied += 1;
    }
    // Both halves are there: sessions that brought their entries before they were cut, and sessions that did not.
    assert.ok(applied > 0 && applied < length, `${applied} of ${length} ${direction}`);
  }

  replica.join();
  const { position, digest } = await waitUntilEqual([master, replica]);
  assert.is(digest, digests.get(position));
  const { full_syncs: fullSyncs, divergences } = await replica.stats();
  assert.equal([fullSyncs, divergences, (await master.stats()).full_syncs], [1, 0, 1]);
  assert.equal(replica.errors, []);
  await waitUntil(() => handles() <= handlesBefore + OTHER_HANDLES, {
    deadlineMs: 60_000,
    what: `handles of the master to go: ${handlesBefore} before`,
  });
});

test.run();
