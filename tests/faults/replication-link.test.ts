/** Links that break and heal, and nodes that go and come back, under load: the log goes on where it stopped, nothing is copied anew, nothing
 *  acknowledged is lost, and what the nodes say of each other is true all the while. */

import * as assert from 'uvu/assert';
import { type Cluster, type ClusterNode, startCluster } from '../support/cluster.js';
import { QUICK_BEATS, rowOf, waitForStatus, waitForVoters } from '../support/cluster-watch.js';
import { startLoad } from '../support/load.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/replication-link', { deadlineMs: 180_000 });
const HEARTBEAT_MS = 100;
const TIMEOUT_MS = 2_000;
/** A busy machine answers late; what is read then is older than it looks. */
const SLACK_MS = 10_000;

async function loaded(cluster: Cluster): Promise<{ ledger: WriteLedger; stop: () => Promise<unknown> }> {
  const { master, replicas } = cluster;
  await waitForVoters(master, replicas);
  const ledger = new WriteLedger({ ids: 200, wait: 'durable', w: '1' });
  await ledger.makeCollections(master);
  const load = startLoad(() => master, { ledger, pointsPerSecond: 200 });
  await moreWrites(ledger);
  return { ledger, stop: () => load.stop() };
}

async function moreWrites(ledger: WriteLedger, count = 30): Promise<void> {
  const goal = ledger.acknowledged + count;
  await waitUntil(() => ledger.acknowledged >= goal, { deadlineMs: 30_000, what: `${count} writes more` });
}

/** @returns [full syncs, partial syncs] */
async function syncs(node: ClusterNode): Promise<[number, number]> {
  const { full_syncs, partial_syncs } = await node.stats();
  return [full_syncs, partial_syncs];
}

async function allAreEqual(cluster: Cluster, ledger: WriteLedger): Promise<void> {
  await waitUntilEqual(cluster.nodes);
  for (const node of cluster.nodes) await ledger.check(node);
  for (const node of cluster.nodes) assert.is((await node.stats()).divergences, 0);
}

test('a node that stops and starts again goes on from its log, the replica as well as the master', async (t) => {
  const cluster = await startCluster(t, { replicas: 1, flags: QUICK_BEATS });
  const { master } = cluster;
  const [replica] = cluster.replicas as [ClusterNode];
  const { ledger, stop } = await loaded(cluster);
  await replica.stop();
  await moreWrites(ledger);
  assert.is((await rowOf(master, replica))?.status, 'Disconnected');
  await replica.start();
  await waitForStatus(master, replica, 'Connected');
  assert.equal(
    [await syncs(master), await syncs(replica)],
    [
      [1, 1],
      [0, 1],
    ],
  );
  await master.restart();
  await waitForStatus(master, replica, 'Connected');
  await moreWrites(ledger);
  assert.equal(
    [await syncs(master), await syncs(replica)],
    [
      [0, 1],
      [0, 2],
    ],
  );
  await stop();
  await allAreEqual(cluster, ledger);
  assert.is((await rowOf(master, replica))?.lag_operations, 0);
});

test('a node that is killed under load loses nothing that was acknowledged, and goes on from its log', async (t) => {
  const cluster = await startCluster(t, { replicas: 1, flags: QUICK_BEATS });
  const { master } = cluster;
  const [replica] = cluster.replicas as [ClusterNode];
  const { ledger, stop } = await loaded(cluster);
  for (const killed of [replica, master, replica, master]) {
    await moreWrites(ledger);
    await killed.kill();
    await killed.start({ untilListening: true });
    await waitForStatus(master, replica, 'Connected');
  }
  await moreWrites(ledger);
  await stop();
  await allAreEqual(cluster, ledger);
  assert.equal([await syncs(master), (await syncs(replica))[0]], [[0, 1], 0]);
});

test('a link that is cut goes on where it was, after a moment, after longer than the timeout, and after a minute', async (t) => {
  const cluster = await startCluster(t, { replicas: 1, flags: QUICK_BEATS, proxied: true });
  const { master } = cluster;
  const [replica] = cluster.replicas as [ClusterNode];
  const proxy = cluster.proxies[0] as NonNullable<Cluster['proxies'][0]>;
  const { ledger, stop } = await loaded(cluster);
  for (const [round, awayMs] of [1_000, TIMEOUT_MS + 500, 60_000].entries()) {
    proxy.refuse(1);
    proxy.cut();
    const cutMs = performance.now();
    await waitForStatus(master, replica, 'Disconnected');
    await waitUntil(() => performance.now() - cutMs >= awayMs, {
      deadlineMs: 90_000,
      what: 'the link to be gone for long enough',
    });
    await moreWrites(ledger);
    const stats = await replica.stats();
    assert.ok(Number(stats['lag_ms']) >= awayMs, `gone for ${awayMs} ms, the replica says ${String(stats['lag_ms'])} ms`);
    assert.ok((await rowOf(master, replica))?.lag_operations !== 0, 'the master knows that it is behind');
    proxy.refuse(0);
    await waitForStatus(master, replica, 'Connected');
    assert.equal(
      [await syncs(master), await syncs(replica)],
      [
        [1, round + 1],
        [1, round + 1],
      ],
    );
  }
  await stop();
  await allAreEqual(cluster, ledger);
  await waitUntil(async () => (await rowOf(master, replica))?.lag_ms === 0, { what: 'no lag' });
  await waitUntil(async () => (await replica.stats())['lag_ms'] === 0, { what: 'no lag' });
});

test('a link that hangs is seen as such from both ends in time, and its lag grows until it is', async (t) => {
  const cluster = await startCluster(t, { replicas: 1, flags: QUICK_BEATS, proxied: true });
  const { master } = cluster;
  const [replica] = cluster.replicas as [ClusterNode];
  const proxy = cluster.proxies[0] as NonNullable<Cluster['proxies'][0]>;
  const { ledger, stop } = await loaded(cluster);
  let partial = 0;
  for (const direction of ['both', 'toMaster', 'toReplica'] as const) {
    await waitUntil(async () => ((await rowOf(master, replica))?.lag_ms ?? 9_999) < 1_000, { what: 'little lag' });
    proxy.hold(direction);
    const heldMs = performance.now();
    let disconnectedMs: number | null = null;
    while (disconnectedMs === null) {
      const askedMs = performance.now() - heldMs;
      const row = await rowOf(master, replica);
      const stats = await replica.stats();
      const answeredMs = performance.now() - heldMs;
      if (row?.status === 'Disconnected') disconnectedMs = askedMs;
      else assert.ok(askedMs < TIMEOUT_MS + SLACK_MS, `${direction}: still ${row?.status} after ${askedMs} ms`);
      if (askedMs < 5 * HEARTBEAT_MS) continue;
      const lag = row?.lag_ms ?? 0;
      assert.ok(lag >= askedMs - 5 * HEARTBEAT_MS, `${direction}: lag ${lag} ms when held for ${askedMs} to ${answeredMs} ms`);
      const own = Number(stats['lag_ms']);
      if (direction !== 'toMaster')
        assert.ok(own >= askedMs - 5 * HEARTBEAT_MS, `${direction}: own lag ${own} ms after ${askedMs} ms`);
    }
    await waitUntil(async () => (await replica.stats())['link'] !== 'following', { what: 'the replica to notice' });
    proxy.pass('both');
    await waitForStatus(master, replica, 'Connected');
    partial += 1;
    assert.equal(
      [await syncs(master), await syncs(replica)],
      [
        [1, partial],
        [1, partial],
      ],
      direction,
    );
  }
  await stop();
  await allAreEqual(cluster, ledger);
});

test.run();
