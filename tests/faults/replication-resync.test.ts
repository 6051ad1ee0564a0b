/** Replicas that are told to synchronise again: they do, by the log or by a copy, and never show less than they have confirmed. */

import * as assert from 'uvu/assert';
import { decodeToken } from '../../src/model/position.js';
import { type ClusterNode, startCluster } from '../support/cluster.js';
import { QUICK_BEATS, waitForVoters } from '../support/cluster-watch.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/replication-resync', { deadlineMs: 90_000 });

async function ok(node: ClusterNode, method: string, path: string, body: object): Promise<void> {
  const answer = await node.request(method, path, body);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`);
}

test('the master tells a replica to synchronise again, and compares all that can be compared', async (t) => {
  const { master, replicas } = await startCluster(t, { replicas: 2, flags: QUICK_BEATS });
  const [replica, other] = replicas as [ClusterNode, ClusterNode];
  await waitForVoters(master, replicas);
  const id = String((await replica.stats())['node_id']);
  type Verified = { equal: boolean | null; replicas: { id: string; equal: boolean | null; error: unknown }[] };
  const verify = async (): Promise<Verified> => {
    const { status, body } = await master.request<Verified>('POST', '/replication/verify', {});
    assert.is(status, 200, JSON.stringify(body));
    return body;
  };
  for (const [full, mode] of [
    [false, 'partial'],
    [true, 'full'],
  ] as const) {
    const before = await replica.stats();
    const { status, body } = await master.request('POST', '/replication/resync', { replica_id: id, full });
    assert.equal([status, body], [200, { started: true, mode }], 'it is answered before the link ends');
    const count = full ? 'full_syncs' : 'partial_syncs';
    const isBack = async (): Promise<boolean> => (await replica.stats())[count] === Number(before[count]) + 1;
    await waitUntil(isBack, { deadlineMs: 30_000, what: `the ${mode} resync` });
    await waitForVoters(master, replicas);
  }
  assert.is((await verify()).equal, true);
  await other.kill();
  await replica.kill();
  const isAlone = async (): Promise<boolean> => (await verify()).replicas.length === 0;
  await waitUntil(isAlone, { deadlineMs: 30_000, what: 'the master to be alone' });
});

test('a replica that is told to take another copy never goes back, however old the last copy is', async (t) => {
  const { master, replicas } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS });
  const [replica] = replicas as [ClusterNode];
  await waitForVoters(master, replicas);
  await ok(master, 'PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  for (let id = 0; id < 30; id++)
    await ok(master, 'PUT', '/v1/collections/c/points?w=majority', { points: [{ id, vector: [id, 1] }] });
  const { position } = await waitUntilEqual([master, replica]);
  const { seq } = decodeToken(position, 'position');
  await ok(replica, 'POST', '/replication/resync', { full: true });
  const isBack = async (): Promise<boolean> => {
    const stats = await replica.stats();
    assert.ok(decodeToken(stats.position, 'position').seq >= seq, 'what it has confirmed is there all the while');
    const count = await replica.request<{ count: number }>('POST', '/v1/collections/c/points/count', {});
    assert.equal([count.status, count.body.count], [200, 30]);
    return stats.full_syncs === 2 && stats['link'] === 'following';
  };
  await waitUntil(isBack, { deadlineMs: 30_000, what: 'the other copy to be taken' });
  await waitUntilEqual([master, replica]);
});

test.run();
