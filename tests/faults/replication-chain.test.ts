/** A chain: what the middle node gets it hands on; it may go and come back; rings are refused. And reads that ask for a state: a replica waits
 *  for it, or says that it is behind, or that the state is lost. */

import * as assert from 'uvu/assert';
import { type ClusterNode, startCluster, startNode } from '../support/cluster.js';
import { contentOf, QUICK_BEATS, waitForStatus, waitForVoters } from '../support/cluster-watch.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/replication-chain', { deadlineMs: 120_000 });

async function makeCollection(master: ClusterNode): Promise<void> {
  assert.is((await master.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' })).status, 201);
}

async function put(node: ClusterNode, id: number): Promise<string> {
  const answer = await node.request<{ position: string }>('PUT', '/v1/collections/c/points?w=1', {
    points: [{ id, vector: [id, 1] }],
  });
  assert.is(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.position;
}

test('a replica of a replica holds what the master holds, outlives the one between, and is handed a change of mastership', async (t) => {
  const flags = [...QUICK_BEATS];
  const a = await startNode(t, 'a', { flags });
  const b = await startNode(t, 'b', { flags, master: a.replicationUrl });
  const c = await startNode(t, 'c', { flags, master: b.replicationUrl });
  await makeCollection(a);
  for (let id = 0; id < 30; id++) await put(a, id);
  await waitUntilEqual([a, b, c]);
  assert.is((await waitForStatus(b, c, 'Connected')).voter, false, 'it counts for nobody’s majority');

  for (const [who, whom] of [
    [a, c],
    [a, b],
    [b, c],
    [b, b],
  ] as const) {
    const answer = await who.request('POST', '/replication/follow', { master_url: whom.replicationUrl });
    assert.is(answer.status, 400, `${who.name} told to follow ${whom.name}: ${JSON.stringify(answer.body)}`);
  }
  assert.is((await a.stats()).role, 'master');
  const redirected = await fetch(`${c.url}/v1/collections/d`, {
    method: 'PUT',
    redirect: 'manual',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  assert.is(
    redirected.headers.get('location'),
    `${a.url}/v1/collections/d`,
    'writes are sent to the master, not to the next in line',
  );
  await put(c, 99);

  const fullBefore = (await c.stats()).full_syncs;
  await b.kill();
  for (let id = 30; id < 60; id++) await put(a, id);
  await waitUntil(async () => Number((await c.stats())['lag_ms']) > 300, { what: 'the lag of a node that is cut off to grow' });
  await b.start();
  await waitUntilEqual([a, b, c]);
  assert.equal([(await c.stats()).full_syncs, (await b.stats()).full_syncs], [fullBefore, 0]);

  const { epoch } = await b.promote();
  assert.is(epoch, 2);
  await put(b, 100);
  await waitUntilEqual([a, b, c]);
  assert.equal([(await a.stats()).role, (await c.stats()).epoch, (await c.stats()).full_syncs], ['replica', 2, fullBefore]);
  assert.equal(await contentOf(c), await contentOf(b));
});

test('a voter that was away in a change of mastership follows the new master, and not the old one', async (t) => {
  const { master, replicas } = await startCluster(t, { replicas: 2, flags: QUICK_BEATS });
  const [next, away] = replicas as [ClusterNode, ClusterNode];
  await waitForVoters(master, replicas);
  await makeCollection(master);
  await waitUntilEqual([master, next, away]);
  await away.stop();
  await next.promote();
  await waitForVoters(next, [master]);
  await away.start();
  await waitForVoters(next, [away]);
  await master.kill();
  const write = await next.request('PUT', '/v1/collections/c/points?w=majority', { points: [{ id: 1, vector: [1, 1] }] });
  assert.is(write.status, 200, 'the two that are left are a majority');
  await waitUntilEqual([next, away]);
});

test('a read with a token is never older than the token: it waits, or says why not', async (t) => {
  const { master, replicas, proxies } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS, proxied: true });
  const [replica] = replicas as [ClusterNode];
  const proxy = proxies[0] as NonNullable<(typeof proxies)[0]>;
  await waitForVoters(master, replicas);
  await makeCollection(master);
  const read = (id: number, token: string, maxWaitMs: number) =>
    replica.request('GET', `/v1/collections/c/points/${id}?max_wait_ms=${maxWaitMs}`, undefined, {
      'x-skein-min-position': token,
    });
  for (let id = 0; id < 20; id++) assert.is((await read(id, await put(master, id), 8_000)).status, 200, `point ${id}`);

  proxy.hold('toReplica');
  const ahead = await put(master, 100);
  const behind = await read(100, ahead, 50);
  assert.equal([behind.status, behind.body.error.type], [503, 'ReplicaBehind'], JSON.stringify(behind.body));
  const { requested, applied } = behind.body.error.details as { requested: number; applied: number };
  assert.ok(requested > applied, `${requested} ${applied}`);
  await waitUntil(async () => Number((await replica.stats())['lag_ms']) > 300, { what: 'lag' });
  const fresh = (maxStalenessMs: number, node = replica) =>
    node.request('POST', '/v1/collections/c/points/search', { vector: [1, 1], limit: 1, max_staleness_ms: maxStalenessMs });
  const stale = await fresh(100);
  assert.equal([stale.status, stale.body.error.type], [503, 'ReplicaBehind'], JSON.stringify(stale.body));
  assert.is((await fresh(600_000)).status, 200);
  assert.is((await fresh(0, master)).status, 200);
  const waiting = read(100, ahead, 9_000);
  proxy.pass('both');
  assert.is((await waiting).status, 200);
  await waitUntil(async () => (await fresh(1_000)).status === 200, { what: 'a fresh replica' });

  // A write that only the old master has is lost with it, and whoever saw it is told so.
  await waitForStatus(master, replica, 'Connected');
  await waitUntilEqual([master, replica]);
  proxy.refuse(1);
  proxy.cut();
  await waitForStatus(master, replica, 'Disconnected');
  const lost = await put(master, 200);
  await master.kill();
  await replica.promote({ force: true });
  await put(replica, 201);
  for (let more = 202; more < 206; more++) await put(replica, more);
  const gone = await read(1, lost, 500);
  assert.equal([gone.status, gone.body.error.type], [409, 'PositionLost'], JSON.stringify(gone.body));
  assert.is((await read(100, ahead, 500)).status, 200, 'what came before the fork is there');
  const write = await replica.request(
    'PUT',
    '/v1/collections/c/points?w=1',
    { points: [{ id: 300, vector: [1, 1] }] },
    { 'x-skein-min-position': lost },
  );
  assert.is(write.status, 409);
});

test.run();
