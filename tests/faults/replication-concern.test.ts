/** Write concern: what an answer says about other nodes is true; what cannot be is refused; what was not confirmed in time is confirmed by a
 *  retry under the same key, with one effect. */

import * as assert from 'uvu/assert';
import { type ClusterNode, startCluster, startNode } from '../support/cluster.js';
import { QUICK_BEATS, rowOf, waitForStatus, waitForVoters } from '../support/cluster-watch.js';
import { startLoad } from '../support/load.js';
import { waitUntilEqual } from '../support/node-calls.js';
import type { ErrorBody } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/replication-concern', { deadlineMs: 120_000 });

interface Written extends ErrorBody {
  readonly seq: number;
  readonly position: string;
  readonly write_concern: { readonly required: number; readonly acknowledged: number };
}

async function makeCollection(master: ClusterNode): Promise<void> {
  assert.is((await master.request('PUT', '/v1/collections/c?w=1', { dimension: 2, distance: 'euclid' })).status, 201);
}

function put(node: ClusterNode, id: number, query: string, key?: string) {
  const points = [{ id, vector: [id, 1], if_version: 0 }];
  return node.request<Written>(
    'PUT',
    `/v1/collections/c/points?${query}`,
    { points },
    key === undefined ? {} : { 'idempotency-key': key },
  );
}

async function required(node: ClusterNode, id: number, query: string): Promise<number> {
  const { status, body } = await put(node, id, query);
  assert.is(status, 200, JSON.stringify(body));
  assert.ok(body.write_concern.acknowledged >= body.write_concern.required);
  return body.write_concern.required;
}

test('w counts nodes that hold the write: one, two, most of them; more than there are is refused', async (t) => {
  const flags = [...QUICK_BEATS];
  const master = await startNode(t, 'master', { flags });
  await makeCollection(master);
  assert.is(await required(master, 1, 'w=majority'), 1);
  const impossible = await put(master, 2, 'w=2');
  assert.equal([impossible.status, impossible.body.error.type], [400, 'WriteConcernImpossible']);
  const one = await startNode(t, 'one', { flags, master: master.replicationUrl });
  await waitForVoters(master, [one]);
  assert.equal(
    [await required(master, 3, 'w=2'), await required(master, 4, 'w=majority'), await required(master, 5, 'wait=durable')],
    [2, 2, 1],
  );
  assert.is((await one.request('GET', '/v1/collections/c/points/4')).status, 200, 'it was there when it was acknowledged');
  const two = await startNode(t, 'two', { flags, master: master.replicationUrl });
  await waitForVoters(master, [one, two]);
  assert.equal(
    [await required(master, 6, 'w=3'), await required(master, 7, 'w=majority'), await required(master, 8, 'wait=durable')],
    [3, 2, 2],
  );
  assert.is((await put(master, 9, 'w=4')).body.error.type, 'WriteConcernImpossible');
  assert.is((await master.request('GET', '/v1/collections/c/points/9')).status, 404, 'what was refused was not written');

  // A voter that is gone counts still, until it is forgotten.
  const id = (await rowOf(master, two))?.id;
  await two.kill();
  await waitForStatus(master, two, 'Disconnected');
  assert.is(await required(master, 10, 'w=majority'), 2);
  const late = await waitUntil(
    async () => {
      const answer = await put(master, 11, 'w=3&timeout_ms=300');
      assert.is(answer.status, 504, JSON.stringify(answer.body));
      return answer.body.error.details['acknowledged'] === 2 && answer;
    },
    { what: 'a write that the other replica holds before its time is over' },
  );
  assert.is(late.body.error.type, 'WriteConcernTimeout');
  assert.is((await master.request('DELETE', `/replication/replicas/${id}`)).status, 200);
  assert.is(await rowOf(master, two), null);
  assert.is((await put(master, 12, 'w=3')).body.error.type, 'WriteConcernImpossible');
  assert.is((await master.request('DELETE', `/replication/replicas/${'0'.repeat(32)}`)).status, 404);
  assert.is(await required(master, 13, 'w=majority'), 2);
  await waitUntilEqual([master, one]);
});

test('from the first link of a replica on a write waits for it, also while it installs its snapshot', async (t) => {
  const master = await startNode(t, 'master', { flags: [...QUICK_BEATS] });
  await makeCollection(master);
  const starting = startNode(t, 'one', { flags: [...QUICK_BEATS], master: master.replicationUrl });
  // When the test fails before it is waited for, that failure is the one to show.
  starting.catch(() => undefined);
  const linked = async (): Promise<boolean> => {
    const { body } = await master.request<{ replicas: unknown[] }>('GET', '/replication/replicas');
    return body.replicas.length === 1;
  };
  await waitUntil(linked, { what: 'the first link' });
  assert.is(await required(master, 1, 'w=2'), 2);
  assert.is((await put(master, 2, 'w=3')).body.error.type, 'WriteConcernImpossible');
  assert.is((await (await starting).request('GET', '/v1/collections/c/points/1')).status, 200);
});

test('a write that was not confirmed in time is confirmed by a retry with its key, once, with the same answer', async (t) => {
  const { master, replicas, proxies } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS, proxied: true });
  const [replica] = replicas as [ClusterNode];
  const proxy = proxies[0] as NonNullable<(typeof proxies)[0]>;
  await waitForVoters(master, replicas);
  await makeCollection(master);
  await waitUntilEqual([master, replica]);
  proxy.hold('both');
  // On a master that stands still the time is over before the write is done.
  const unconfirmed = async (): Promise<false | Awaited<ReturnType<typeof put>>> => {
    const answer = await put(master, 1, 'w=2&timeout_ms=200', 'k1');
    assert.is(answer.status, 504, JSON.stringify(answer.body));
    return answer.body.error.type === 'WriteConcernTimeout' && answer;
  };
  const first = await waitUntil(unconfirmed, { what: 'a write that is durable, and not confirmed' });
  const { details } = first.body.error;
  assert.equal([details['required'], details['acknowledged']], [2, 1]);
  const again = await waitUntil(unconfirmed, { what: 'the same answer' });
  assert.equal(again.body.error.details['position'], details['position']);
  const other = await put(master, 2, 'w=2&timeout_ms=9000', 'k1');
  assert.equal([other.status, other.body.error.type], [409, 'IdempotencyConflict']);
  const waiting = put(master, 1, 'w=2&timeout_ms=9000', 'k1');
  proxy.pass('both');
  const done = await waiting;
  assert.equal(
    [done.status, done.body.position, done.body.write_concern],
    [200, details['position'], { required: 2, acknowledged: 2 }],
    JSON.stringify(done.body),
  );
  // On another master too, the key stands for that one write.
  await waitUntilEqual([master, replica]);
  await waitForVoters(master, [replica]);
  await replica.promote();
  await waitForVoters(replica, [master]);
  const moved = await put(replica, 1, 'w=2&timeout_ms=9000', 'k1');
  assert.equal(
    [moved.status, moved.body.position, moved.body.seq],
    [200, done.body.position, done.body.seq],
    JSON.stringify(moved.body),
  );
});

test('a client that leaves while its write waits leaves nothing behind; a replica that hangs holds up no other write', async (t) => {
  const { master, replicas } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS });
  const [replica] = replicas as [ClusterNode];
  await waitForVoters(master, replicas);
  await makeCollection(master);
  replica.freeze();
  const body = (id: number) => JSON.stringify({ points: [{ id, vector: [1, 1] }] });
  const leaving = Array.from({ length: 50 }, (_, id) =>
    fetch(`${master.url}/v1/collections/c/points?w=2&timeout_ms=60000`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: body(id),
      signal: AbortSignal.timeout(300),
    }).catch(() => null),
  );
  await Promise.all(leaving);
  const ledger = new WriteLedger({ ids: 50, w: '1' });
  await ledger.makeCollections(master);
  const load = startLoad(() => master, { ledger, until: () => ledger.acknowledged >= 100 });
  assert.ok((await load.ended).perSecond > 5);
  await waitForStatus(master, replica, 'Disconnected');
  replica.thaw();
  await waitForStatus(master, replica, 'Connected');
  await waitUntilEqual([master, replica]);
  await ledger.check(replica);
});

test('a master that must have replicas takes no write without them', async (t) => {
  const flags = [...QUICK_BEATS, '--min-replicas', '1', '--min-replicas-max-lag-ms', '3000'];
  const master = await startNode(t, 'master', { flags });
  const refused = await master.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  assert.equal([refused.status, refused.body.error.type], [503, 'Overloaded'], JSON.stringify(refused.body));
  const replica = await startNode(t, 'replica', { flags: QUICK_BEATS, master: master.replicationUrl });
  await waitForVoters(master, [replica]);
  await makeCollection(master);
  assert.is((await put(master, 1, 'w=1')).status, 200);
  await replica.kill();
  await waitUntil(async () => (await put(master, 2, 'w=1')).status === 503, { what: 'the guard' });
  await replica.start();
  await waitForVoters(master, [replica]);
  assert.is((await put(master, 3, 'w=1')).status, 200);
});

test('a replica that joins while writes never pause is live, and a voter, all the same', async (t) => {
  const master = await startNode(t, 'master', { flags: [...QUICK_BEATS] });
  const ledger = new WriteLedger({ ids: 400, w: '1', wait: 'durable' });
  await ledger.makeCollections(master);
  const load = startLoad(() => master, { ledger, writers: 16 });
  const replica = await startNode(t, 'replica', {
    flags: [...QUICK_BEATS, '--replica-lag-ms', '5000'],
    master: master.replicationUrl,
  });
  await waitForVoters(master, [replica], 20_000);
  await load.stop();
  await waitUntilEqual([master, replica]);
  await ledger.check(replica);
});

test.run();
