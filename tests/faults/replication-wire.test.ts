/** Bytes and messages that are changed, lost, doubled, swapped or replayed between a master and its replica: never a wrong or a missing
 *  operation, and never a copy of all data where the log would do. */

import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeFrame, encodeFrame } from '../../src/wire/frames.js';
import { type ClusterNode, startCluster, startNode } from '../support/cluster.js';
import { contentOf, QUICK_BEATS, waitForStatus, waitForVoters } from '../support/cluster-watch.js';
import { type Load, startLoad } from '../support/load.js';
import { type MessageProxy, type PassingMessage, startMessageProxy, type Verdict } from '../support/message-proxy.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/replication-wire', { deadlineMs: 900_000 });
const FLIPS = 15;

async function startWriting(master: ClusterNode): Promise<{ ledger: WriteLedger; load: Load }> {
  const ledger = new WriteLedger({ ids: 100, w: '1', wait: 'durable' });
  await ledger.makeCollections(master);
  return { ledger, load: startLoad(() => master, { ledger, writers: 2, pointsPerSecond: 60 }) };
}

async function assertEnd(master: ClusterNode, replica: ClusterNode, ledger: WriteLedger): Promise<void> {
  await waitUntilEqual([master, replica], { deadlineMs: 60_000 });
  await ledger.check(master);
  await ledger.check(replica);
  const stats = await Promise.all([master.stats(), replica.stats()]);
  assert.equal(
    stats.map(({ full_syncs, divergences }) => [full_syncs, divergences]),
    [
      [1, 0],
      [1, 0],
    ],
  );
}

function kindOf({ bytes }: { readonly bytes: Buffer }): string {
  return decodeFrame(bytes).message.type;
}

test('one byte that is flipped anywhere, on its way to either side, is noticed and costs no more than the link', async (t) => {
  const { master, replicas, proxies } = await startCluster(t, { replicas: 1, flags: QUICK_BEATS, proxied: true });
  const [replica] = replicas as [ClusterNode];
  const proxy = proxies[0] as NonNullable<(typeof proxies)[0]>;
  await waitForVoters(master, replicas);
  const { ledger, load } = await startWriting(master);
  const random = new Random(t.seed());
  for (const direction of ['toMaster', 'toReplica'] as const) {
    for (let round = 0; round < FLIPS; round++) {
      // A third in the greeting, the rest in what follows.
      const offset = Math.floor(random.unit() * (round % 3 === 0 ? 1_500 : direction === 'toMaster' ? 3_000 : 12_000));
      const connection = proxy.counts.accepted;
      proxy.flip(direction, { connection, offset }, 1 << Math.floor(random.unit() * 8));
      proxy.cut();
      const before = proxy.counts[direction];
      await waitUntil(() => proxy.counts.accepted > connection + 1 || proxy.counts[direction] > before + offset + 1, {
        deadlineMs: 60_000,
        what: `byte ${offset} ${direction} to pass`,
      });
    }
  }
  await waitForStatus(master, replica, 'Connected', 60_000);
  await load.stop();
  await assertEnd(master, replica, ledger);
});

/** A master and a replica with this proxy between them. */
async function startPair(t: TestContext, flags: readonly string[] = QUICK_BEATS) {
  const master = await startNode(t, 'master', { flags });
  const proxy = await startMessageProxy(t, master.port);
  const start = (): Promise<ClusterNode> => startNode(t, 'replica', { flags, master: proxy.url, untilListening: true });
  return { master, proxy, start };
}

test('messages that are lost, doubled, swapped or changed are no entries that are wrong, missing or twice', async (t) => {
  const { master, proxy, start } = await startPair(t);
  const replica = await start();
  await waitForVoters(master, [replica]);
  const { ledger, load } = await startWriting(master);
  const random = new Random(t.seed());
  const seen = new Map<string, number>();
  const mischief = (message: PassingMessage): Verdict => {
    if (random.unit() > 0.03) return 'pass';
    const what = (['drop', 'duplicate', 'swap', 'change'] as const)[Math.floor(random.unit() * 4)] ?? 'drop';
    const name = `${what} ${kindOf(message)}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    if (what !== 'change') return what;
    const bytes = Buffer.from(message.bytes);
    const at = Math.floor(random.unit() * bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    return { send: [{ bytes, binary: true }] };
  };
  for (const direction of ['toMaster', 'toReplica'] as const) proxy.hook(direction, mischief);
  const enough = (): boolean => ['drop', 'duplicate', 'swap', 'change'].every((what) => (seen.get(`${what} entries`) ?? 0) >= 5);
  await waitUntil(enough, { deadlineMs: 240_000, what: 'mischief of every kind with entries' });
  for (const direction of ['toMaster', 'toReplica'] as const) proxy.hook(direction, null);
  await waitForStatus(master, replica, 'Connected', 60_000);
  await load.stop();
  await assertEnd(master, replica, ledger);
});

async function playOldSessions(t: TestContext, flags: readonly string[]): Promise<void> {
  const { master, proxy, start } = await startPair(t, flags);
  const replica = await start();
  await waitForVoters(master, [replica]);
  const { ledger, load } = await startWriting(master);
  const more = async (count: number): Promise<void> => {
    const goal = ledger.acknowledged + count;
    await waitUntil(() => ledger.acknowledged >= goal, { deadlineMs: 30_000, what: 'writes' });
  };
  await more(50);
  proxy.cut();
  await waitForStatus(master, replica, 'Connected');
  await more(50);
  const before = await replica.stats();
  for (const session of [...proxy.sessions]) {
    proxy.answerFrom(session);
    proxy.cut();
    const failures = (): number => replica.process.output().split('unauthentic').length;
    const goal = failures() + 2;
    await waitUntil(() => failures() >= goal, { deadlineMs: 60_000, what: 'a refusal of what was played' });
  }
  const after = await replica.stats();
  assert.equal([after.full_syncs, after.partial_syncs, after.epoch], [before.full_syncs, before.partial_syncs, before.epoch]);
  proxy.answerFrom(null);
  await waitForStatus(master, replica, 'Connected', 60_000);
  await load.stop();
  await assertEnd(master, replica, ledger);
}

test('an old session that is played again gives a replica nothing', async (t) => {
  const key = join(t.folder(), 'key');
  writeFileSync(key, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 });
  await playOldSessions(t, [...QUICK_BEATS, '--cluster-key-file', key]);
});

test('nor does one without a key', (t) => playOldSessions(t, QUICK_BEATS));

async function fillMegabytes(master: ClusterNode, megabytes: number): Promise<void> {
  assert.is((await master.request('PUT', '/v1/collections/big', { dimension: 4, distance: 'euclid' })).status, 201);
  for (let part = 0; part < megabytes; part++) {
    const points = Array.from({ length: 64 }, (_, index) => ({
      id: part * 64 + index,
      vector: [part, index, 1, 2],
      payload: { fill: randomBytes(8 * 1024).toString('hex') },
    }));
    assert.is((await master.request('PUT', '/v1/collections/big/points?wait=durable', { points })).status, 200);
  }
}

function cutAtEveryChunk(proxy: MessageProxy): { cuts: () => number } {
  const cut = new Set<number>();
  proxy.hook('toReplica', (message) => {
    const frame = decodeFrame(message.bytes).message;
    if (frame.type !== 'snapshotChunk' || cut.has(frame.number)) return 'pass';
    cut.add(frame.number);
    setImmediate(() => proxy.cut());
    return frame.number % 2 === 0 ? 'drop' : 'pass';
  });
  return { cuts: () => cut.size };
}

test('a snapshot whose link is cut at each of its chunks goes on where it was, and counts as one', async (t) => {
  const { master, proxy, start } = await startPair(t);
  await fillMegabytes(master, 8);
  const { cuts } = cutAtEveryChunk(proxy);
  const replica = await start();
  await waitForVoters(master, [replica], 120_000);
  await waitUntilEqual([master, replica]);
  assert.ok(cuts() >= 8, `${cuts()} chunks`);
  const stats = await Promise.all([master.stats(), replica.stats()]);
  assert.equal(
    stats.map(({ full_syncs }) => full_syncs),
    [1, 1],
  );
  const size = Number(stats[0]?.['snapshot_size']);
  assert.ok(Number(stats[0]?.['bytes_sent']) < size + (cuts() + 2) * 9 * 1_100_000, 'what was there was not sent again');
  assert.equal(await contentOf(replica), await contentOf(master));
});

test('a snapshot that is not what its sums say is thrown away; the old data serves on', async (t) => {
  const { master, proxy, start } = await startPair(t);
  await fillMegabytes(master, 3);
  const replica = await start();
  await waitForVoters(master, [replica]);
  await waitUntilEqual([master, replica]);
  let changed = 0;
  proxy.hook('toReplica', ({ bytes }) => {
    const { epoch, message } = decodeFrame(bytes);
    if (message.type !== 'snapshotChunk' || changed >= 1 || message.number !== 1) return 'pass';
    changed += 1;
    const wrong = Buffer.from(message.bytes);
    wrong[777] = (wrong[777] ?? 0) ^ 0x01;
    return { send: [{ bytes: encodeFrame(epoch, { ...message, bytes: wrong }), binary: true }] };
  });
  assert.is((await replica.request('POST', '/replication/resync', { full: true })).status, 200);
  let reads = 0;
  const reading = async (): Promise<boolean> => {
    const { status, body } = await replica.request('GET', '/v1/collections/big/points/5');
    // While the old data is opened again a read may be told to come back.
    assert.ok(status === 200 || status === 503, JSON.stringify(body));
    reads += status === 200 ? 1 : 0;
    return changed > 0 && !readdirSync(replica.dataDir).some((name) => name.startsWith('incoming-'));
  };
  await waitUntil(reading, { deadlineMs: 120_000, what: 'the copy to be thrown away' });
  assert.ok(reads > 0);
  await waitForStatus(master, replica, 'Connected', 60_000);
  assert.is(
    (await master.request('PUT', '/v1/collections/big/points?w=2', { points: [{ id: 'new', vector: [1, 2, 3, 4] }] })).status,
    200,
  );
  await waitUntilEqual([master, replica]);
  assert.equal(await contentOf(replica), await contentOf(master));
});

test.run();
