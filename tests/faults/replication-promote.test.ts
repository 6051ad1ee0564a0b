/** Changes of mastership: a planned one loses nothing and fails no write, a forced one keeps what a majority confirmed and says what may be
 *  missing; who was master before comes back as a replica by itself, and keeps what only it had in a file. */

import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeToken } from '../../src/model/position.js';
import { type ClusterNode, startCluster, startNode } from '../support/cluster.js';
import { contentOf, persistently, QUICK_BEATS, waitForStatus, waitForVoters } from '../support/cluster-watch.js';
import { startLoad } from '../support/load.js';
import { waitUntilEqual } from '../support/node-calls.js';
import type { ErrorBody } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/replication-promote', { deadlineMs: 120_000 });

async function makeCollection(master: ClusterNode): Promise<void> {
  const { status } = await master.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  assert.is(status, 201);
}

/** Points that must not be there yet: a write that had its effect twice is refused. @returns a stop that gives how many were written */
function writers(nodes: readonly ClusterNode[], count: number): () => Promise<number> {
  let stopped = false;
  let written = 0;
  const run = async (writer: number): Promise<void> => {
    for (let turn = 0; !stopped; turn++) {
      const id = writer * 1_000_000 + turn;
      const points = [{ id, vector: [writer, turn], if_version: 0 }];
      const answer = await persistently(nodes, 'PUT', '/v1/collections/c/points?w=majority', { points }, { key: `k${id}` });
      assert.is(answer.status, 200, JSON.stringify(answer.body));
      written += 1;
    }
  };
  const ended = Promise.all(Array.from({ length: count }, (_, writer) => run(writer)));
  ended.catch(() => undefined);
  return async () => {
    stopped = true;
    await ended;
    return written;
  };
}

async function countOf(node: ClusterNode): Promise<number> {
  return (await node.request<{ count: number }>('POST', '/v1/collections/c/points/count', {})).body.count;
}

function rollbackLines(node: ClusterNode): Record<string, unknown>[] {
  const folder = join(node.dataDir, 'rollback');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).sort();
  return files.flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}

function seqOf(token: string): number {
  return decodeToken(token, 'position').seq;
}

test('a master hands over under load, there and back: no write fails, none is lost, none happens twice, nothing is copied anew', async (t) => {
  const { master, nodes, replicas } = await startCluster(t, { replicas: 2, flags: QUICK_BEATS });
  const [first, second] = replicas as [ClusterNode, ClusterNode];
  await waitForVoters(master, replicas);
  await makeCollection(master);
  const stop = writers(nodes, 4);
  let old = master;
  for (const [round, next] of [first, second, master].entries()) {
    const goal = (await countOf(old)) + 50;
    await waitUntil(async () => (await countOf(old)) >= goal, { deadlineMs: 30_000, what: 'writes before the change' });
    const promotion = await next.promote();
    assert.equal([promotion.epoch, promotion.maybe_lost], [round + 2, null]);
    assert.is((await next.stats()).role, 'master');
    await waitUntil(async () => (await old.stats()).role === 'replica', { what: 'the old master to follow' });
    await waitForVoters(
      next,
      nodes.filter((node) => node !== next),
    );
    old = next;
  }
  const written = await stop();
  await waitUntilEqual(nodes);
  for (const node of nodes) assert.is(await countOf(node), written);
  assert.equal(await contentOf(first), await contentOf(master));
  for (const node of nodes) assert.equal(rollbackLines(node), [], node.name);
  for (const node of replicas) assert.is((await node.stats()).full_syncs, 1, 'the one of joining');
});

test('a handover that cannot be done is refused, and writes go on where they were', async (t) => {
  const { master, replicas, proxies } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS, proxied: true });
  const [replica] = replicas as [ClusterNode];
  await waitForVoters(master, replicas);
  await makeCollection(master);
  const already = await master.request<ErrorBody>('POST', '/replication/promote', {});
  assert.equal([already.status, already.body.error.type], [409, 'NotPromotable']);
  proxies[0]?.refuse(1);
  proxies[0]?.cut();
  await waitForStatus(master, replica, 'Disconnected');
  const answer = await replica.request<ErrorBody>('POST', '/replication/promote', {});
  assert.equal([answer.status, answer.body.error.type], [409, 'NotPromotable'], JSON.stringify(answer.body));
  const write = await master.request('PUT', '/v1/collections/c/points?w=1', { points: [{ id: 1, vector: [1, 2] }] });
  assert.is(write.status, 200, JSON.stringify(write.body));
  proxies[0]?.refuse(0);
  await waitForStatus(master, replica, 'Connected');
  await waitUntilEqual([master, replica]);
  assert.equal([(await master.stats()).role, (await replica.stats()).epoch], ['master', 1]);

  // What is missing is held back, so the master waits in vain and goes on in its own epoch, also after a restart.
  const put = (id: number) => master.request('PUT', '/v1/collections/c/points?w=1', { points: [{ id, vector: [1, 2] }] });
  proxies[0]?.hold('toReplica');
  assert.is((await put(2)).status, 200);
  const late = await replica.request<ErrorBody>('POST', '/replication/promote', {});
  assert.equal([late.status, late.body.error.type], [409, 'NotPromotable'], JSON.stringify(late.body));
  const more = await put(3);
  assert.is(more.status, 200, JSON.stringify(more.body));
  proxies[0]?.pass('both');
  await master.restart();
  await waitForVoters(master, replicas);
  await waitUntilEqual([master, replica]);
  assert.equal([(await master.stats()).role, (await replica.stats()).epoch], ['master', 1]);
});

test('after a forced promotion everything that a majority confirmed is there; the old master returns as a replica and keeps its extra writes', async (t) => {
  const { master, nodes, replicas, proxies } = await startCluster(t, { replicas: 2, flags: QUICK_BEATS, proxied: true });
  await waitForVoters(master, replicas);
  await makeCollection(master);
  const ledger = new WriteLedger({ ids: 100, w: 'majority', wait: 'durable' });
  await ledger.makeCollections(master);
  const load = startLoad(() => master, { ledger });
  await waitUntil(() => ledger.acknowledged >= 100, { deadlineMs: 30_000, what: 'confirmed writes' });
  for (const proxy of proxies) {
    proxy.refuse(1);
    proxy.cut();
  }
  await load.stop();
  const extra: number[] = [];
  for (let id = 0; id < 20; id++) {
    const { status } = await master.request('PUT', '/v1/collections/c/points?w=1', { points: [{ id, vector: [id, 7] }] });
    if (status === 200) extra.push(id);
  }
  assert.is(extra.length, 20);
  const tail = seqOf((await master.stats()).position);
  await master.kill();
  const positions = await Promise.all(replicas.map(async (node) => seqOf((await node.stats()).position)));
  const next = replicas[(positions[1] ?? 0) > (positions[0] ?? 0) ? 1 : 0] as ClusterNode;
  const sibling = replicas.find((node) => node !== next) as ClusterNode;
  const own = Math.max(...positions);
  const promotion = await next.promote({ force: true });
  assert.is(promotion.epoch, 2);
  assert.is(promotion.maybe_lost?.from_seq, own + 1);
  assert.is(promotion.maybe_lost?.to_seq, null, 'how far the old master came nobody knows');
  await waitForVoters(next, [sibling]);
  await ledger.check(next);
  assert.is(await countOf(next), 0, 'what nobody confirmed is not there');
  assert.is((await sibling.stats()).full_syncs, 1, 'the other replica went on from its log');

  const goal = ledger.acknowledged + 50;
  const more = startLoad(() => next, { ledger, until: () => ledger.acknowledged >= goal });
  await master.start({ untilListening: true });
  await more.ended;
  await waitForVoters(next, [master, sibling], 60_000);
  await waitUntilEqual(nodes);
  for (const node of nodes) await ledger.check(node);
  assert.is((await master.stats()).role, 'replica');
  const kept = rollbackLines(master);
  assert.equal(
    kept.map(({ seq }) => seq),
    Array.from({ length: tail - own }, (_, index) => own + 1 + index),
    'each entry that only it had, once',
  );
  const ids = kept.flatMap(({ points }) =>
    ((points ?? []) as { id: number; vector: number[] }[]).filter(({ vector }) => vector[1] === 7),
  );
  assert.equal(
    ids.map(({ id }) => id),
    extra,
  );

  await next.stop();
  await next.start();
  assert.match(next.process.output(), /stays_master/);
  assert.is((await next.stats()).role, 'master');
  await waitForVoters(next, [master, sibling]);
  await waitUntilEqual(nodes);
});

test('two masters of one epoch both stop writing and say so, until one is promoted with force', async (t) => {
  const { master, replicas } = await startCluster(t, { replicas: 2, flags: QUICK_BEATS });
  const [one, other] = replicas as [ClusterNode, ClusterNode];
  await waitForVoters(master, replicas);
  await makeCollection(master);
  await waitUntilEqual([master, one, other]);
  await master.kill();
  // Neither hears of the other's promotion in time.
  other.freeze();
  assert.is((await one.promote({ force: true })).epoch, 2);
  const put = (node: ClusterNode, id: number) =>
    node.request('PUT', '/v1/collections/c/points?w=1', { points: [{ id, vector: [id, id] }] });
  assert.is((await put(one, 1)).status, 200);
  one.freeze();
  other.thaw();
  assert.is((await other.promote({ force: true })).epoch, 2);
  assert.is((await put(other, 2)).status, 200);
  one.thaw();
  const takenByOther = [2];
  for (const node of [one, other]) {
    const refused = async (): Promise<boolean> => {
      const { status, body } = await put(node, 3);
      if (node === other && status === 200) takenByOther.push(3);
      return status === 503 && body.error.type === 'NoMaster';
    };
    await waitUntil(refused, { deadlineMs: 20_000, what: `${node.name} to refuse writes` });
    const { body } = await node.request<unknown>('GET', '/health');
    assert.match(JSON.stringify(body), /two masters/);
  }
  assert.is((await one.promote({ force: true })).epoch, 3);
  assert.is((await put(one, 4)).status, 200);
  await waitForVoters(one, [other], 60_000);
  await waitUntilEqual([one, other]);
  const kept = rollbackLines(other).flatMap(({ points }) => (points ?? []) as { id: number }[]);
  assert.equal(
    [...new Set(kept.map(({ id }) => id))].sort((a, b) => a - b),
    [...new Set(takenByOther)],
    'what it took until it knew of the other one',
  );
  await master.start({ untilListening: true });
  await waitForVoters(one, [other, master], 60_000);
  await waitUntilEqual([one, other, master]);
});

for (const [what, ownIds, epoch, divergences] of [
  ['as many entries as the replica, or more: it cannot see that it lost any', [11, 12, 13, 14, 15], 1, 1],
  ['fewer entries than the replica: it begins another history', [11], 2, 0],
] as const) {
  test(`a master that lost its tail and wrote on, ${what}; what only a replica has is kept before it is replaced`, async (t) => {
    const { master, nodes, replicas } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS });
    const [replica] = replicas as [ClusterNode];
    await waitForVoters(master, replicas);
    await makeCollection(master);
    const write = async (ids: readonly number[], w: string): Promise<void> => {
      for (const id of ids) {
        const { status } = await master.request('PUT', `/v1/collections/c/points?w=${w}`, { points: [{ id, vector: [id, 1] }] });
        assert.is(status, 200);
      }
    };
    await master.stop();
    const backup = join(t.folder(), 'data');
    cpSync(master.dataDir, backup, { recursive: true });
    await master.start();
    await waitForVoters(master, replicas);
    await write([1, 2, 3], 'majority');
    await waitUntilEqual(nodes);
    await replica.kill();
    await master.kill();
    rmSync(master.dataDir, { recursive: true });
    cpSync(backup, master.dataDir, { recursive: true });
    await master.start();
    await write(ownIds, '1');
    await replica.start();
    await waitForVoters(master, replicas);
    await waitUntilEqual(nodes);
    const stats = await master.stats();
    assert.equal([stats.epoch, stats.divergences, (await replica.stats()).full_syncs], [epoch, divergences, 1]);
    assert.is(await countOf(replica), ownIds.length);
    const kept = rollbackLines(replica).flatMap(({ points }) => (points ?? []) as { id: number }[]);
    assert.equal(
      kept.map(({ id }) => id),
      [1, 2, 3],
    );
  });
}

test('a replica whose store lost its tail is started with the operator’s word, and takes what is missing from its master', async (t) => {
  const { master, nodes, replicas } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS });
  const [replica] = replicas as [ClusterNode];
  await waitForVoters(master, replicas);
  await makeCollection(master);
  await waitUntilEqual(nodes);
  await replica.stop();
  const backup = join(t.folder(), 'data');
  cpSync(replica.dataDir, backup, { recursive: true });
  await replica.start();
  for (let id = 0; id < 10; id++)
    await master.request('PUT', '/v1/collections/c/points?w=2', { points: [{ id, vector: [id, id] }] });
  await waitUntilEqual(nodes);
  await replica.stop();
  for (const name of readdirSync(backup).filter((one) => one.startsWith('store-'))) {
    rmSync(join(replica.dataDir, name), { recursive: true });
    cpSync(join(backup, name), join(replica.dataDir, name), { recursive: true });
  }
  try {
    await replica.start();
    assert.unreachable('it started');
  } catch (error) {
    assert.match((error as Error).message, /accept-lost-tail, and what is missing comes from its master/);
  }
  await replica.start({ flags: [...QUICK_BEATS, '--accept-lost-tail'] });
  await waitForVoters(master, replicas);
  await waitUntilEqual(nodes);
  const stats = await Promise.all(nodes.map((node) => node.stats()));
  assert.equal(
    stats.map(({ role, epoch, full_syncs }) => [role, epoch, full_syncs]),
    [
      ['master', 1, 1],
      ['replica', 1, 0],
    ],
  );
});

test('a node that never had data, or that is asked to promote twice, says so', async (t) => {
  const blank = await startNode(t, 'blank', { master: 'ws://127.0.0.1:9', untilListening: true });
  const refused = await blank.request<ErrorBody>('POST', '/replication/promote', { force: true });
  assert.ok(refused.status === 409 || refused.status === 503, JSON.stringify(refused.body));
  assert.ok(['NotPromotable', 'Starting'].includes(refused.body.error.type), refused.body.error.type);
  await waitUntil(() => blank.stats().then(Boolean, () => false), { what: 'the store to be open' });
  const stats = await blank.stats();
  assert.equal([stats.position, stats.epoch, stats.cluster_id, stats.digest], [null, null, null, null]);
});

test.run();
