/** Peers that are not what they should be: other keys, other clusters, strangers who talk too much, a master that lies. Nothing leaks, nobody
 *  falls, data stays; and with the right key again the link comes by itself. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { WebSocket, WebSocketServer } from 'ws';
import { decodeFrame, encodeFrame, type Message } from '../../src/wire/frames.js';
import { type ClusterNode, startNode } from '../support/cluster.js';
import { contentOf, QUICK_BEATS, rowOf, waitForVoters } from '../support/cluster-watch.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/replication-hostile', { deadlineMs: 120_000 });

function keyFile(t: TestContext, ...keys: string[]): string {
  const path = join(t.folder(), 'keys');
  writeFileSync(path, `${keys.join('\n')}\n`, { mode: 0o600 });
  return path;
}

async function fill(node: ClusterNode): Promise<void> {
  assert.is((await node.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' })).status, 201);
  const points = Array.from({ length: 50 }, (_, id) => ({ id, vector: [id, 1], payload: { secret: `plum-${id}` } }));
  assert.is((await node.request('PUT', '/v1/collections/c/points', { points })).status, 200);
}

test('a link needs the key on both sides: a wrong one, none, and one too many are refused; a key is exchanged without a break', async (t) => {
  const [right, wrong, next] = ['the right key of this cluster', 'another key, just as long', 'the key that comes next'] as const;
  const keyed = (...keys: string[]): string[] => [...QUICK_BEATS, '--cluster-key-file', keyFile(t, ...keys)];
  const master = await startNode(t, 'master', { flags: keyed(right) });
  await fill(master);
  const options = { master: master.replicationUrl, untilListening: true };
  for (const [flags, says] of [
    [keyed(wrong), /replica_unauthorized/],
    [[...QUICK_BEATS], /unauthentic.*link_failed/],
  ] as const) {
    const stranger = await startNode(t, 'stranger', { ...options, flags });
    await waitUntil(() => says.test(stranger.process.output() + master.process.output()), {
      deadlineMs: 30_000,
      what: String(says),
    });
    assert.is((await stranger.request('GET', '/v1/collections')).status, 503);
    assert.is(await rowOf(master, stranger), null);
    assert.equal(
      readdirSync(stranger.dataDir).filter((name) => name.startsWith('incoming-')),
      [],
    );
    await stranger.kill();
  }
  const replica = await startNode(t, 'replica', { ...options, flags: keyed(right) });
  await waitForVoters(master, [replica]);
  await waitUntilEqual([master, replica]);
  // Both lines are accepted, the first is used: nodes change over one after the other.
  await replica.restart({ flags: keyed(right, next) });
  await waitForVoters(master, [replica]);
  await master.restart({ flags: keyed(next, right) });
  await waitForVoters(master, [replica]);
  await replica.restart({ flags: keyed(next) });
  await waitForVoters(master, [replica]);
  await master.restart({ flags: keyed(next) });
  await waitForVoters(master, [replica]);
  await waitUntilEqual([master, replica]);
  assert.is((await replica.stats()).full_syncs, 0, 'no copy since its last start');
  const content = await contentOf(replica);
  const open = await startNode(t, 'open', { flags: [...QUICK_BEATS] });
  assert.is((await replica.request('POST', '/replication/follow', { master_url: open.replicationUrl })).status, 200);
  await waitUntil(() => /unauthentic.*link_failed/.test(replica.process.output()), { what: 'a refusal' });
  assert.equal(await contentOf(replica), content, 'a master without the key gives it nothing');
});

test('a node of another cluster is refused, keeps its data, and its master keeps its own', async (t) => {
  const one = await startNode(t, 'one', { flags: [...QUICK_BEATS] });
  const other = await startNode(t, 'other', { flags: [...QUICK_BEATS] });
  await fill(one);
  await fill(other);
  const before = [await one.stats(), await other.stats()];
  const answer = await other.request('POST', '/replication/follow', { master_url: one.url });
  assert.is(answer.status, 400, JSON.stringify(answer.body));
  assert.match(JSON.stringify(answer.body), /belongs to cluster/);
  const self = await other.request('POST', '/replication/follow', { master_url: other.url });
  assert.is(self.status, 400, JSON.stringify(self.body));
  const nobody = await other.request('POST', '/replication/follow', { master_url: 'ws://127.0.0.1:9' });
  assert.is(nobody.status, 400, JSON.stringify(nobody.body));
  const after = [await one.stats(), await other.stats()];
  assert.equal(
    after.map(({ role, position, digest }) => [role, position, digest]),
    before.map(({ position, digest }) => ['master', position, digest]),
  );
  // A replica that is started with the master of another cluster holds on to what it has.
  const replica = await startNode(t, 'replica', { flags: [...QUICK_BEATS], master: one.replicationUrl });
  await waitUntilEqual([one, replica]);
  const content = await contentOf(replica);
  const moved = await replica.request('POST', '/replication/follow', { master_url: other.url });
  assert.is(moved.status, 400);
  assert.equal(await contentOf(replica), content);
});

async function talk(url: string, frames: readonly (Buffer | string)[]): Promise<Buffer[]> {
  const socket = new WebSocket(`${url}/replication/stream`);
  const answers: Buffer[] = [];
  socket.on('message', (data) => answers.push(data as Buffer));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'open');
  for (const frame of frames) socket.send(frame);
  const timer = setTimeout(() => socket.terminate(), 12_000);
  await closed;
  clearTimeout(timer);
  return answers;
}

const id = (): string => randomBytes(16).toString('hex');

test('strangers learn nothing and break nothing, whatever they send', async (t) => {
  const master = await startNode(t, 'master', {
    flags: [...QUICK_BEATS, '--cluster-key-file', keyFile(t, 'the right key of this cluster')],
  });
  await fill(master);
  const nonce = id();
  const opening = encodeFrame(0, { type: 'open', magic: 'skein', protoMin: 1, protoMax: 1, nonce, software: 'x' });
  const position = { historyId: (await master.stats()).history_id, epoch: 1, seq: 0, hash: '0'.repeat(64) };
  const { cluster_id: clusterId } = await master.stats();
  const hello = (kind: 'follow' | 'probe'): Buffer =>
    encodeFrame(9, {
      type: 'hello',
      kind,
      clusterId: String(clusterId),
      nodeId: id(),
      runId: id(),
      host: '127.0.0.1',
      port: 1,
      voter: true,
      role: 'master',
      highestEpoch: 9,
      position,
      lineage: [],
      wants: 'all',
      resume: null,
      installed: null,
      masterUrl: 'ws://127.0.0.1:1',
      proof: 'f'.repeat(64),
    });
  const euro = '€'.repeat(300);
  const conversations: (Buffer | string)[][] = [
    [encodeFrame(0, { type: 'bye', reason: euro, masterUrl: 'ws://127.0.0.1:1' })],
    [opening, encodeFrame(0, { type: 'bye', reason: euro, masterUrl: null })],
    [opening, hello('follow')],
    [opening, hello('probe')],
    [opening, opening],
    [opening, hello('follow'), encodeFrame(1, { type: 'snapshotWant', snapshotId: id(), nextChunk: 0 })],
    [opening, encodeFrame(1, { type: 'request', id: 1, method: 'handover', parameters: { url: 'x' } })],
    [
      encodeFrame(1, {
        type: 'ack',
        diverged: false,
        receivedBytes: 0,
        receivedSeq: 9,
        durableSeq: 9,
        appliedSeq: 9,
        heartbeat: 1,
        digest: randomBytes(16),
      }),
    ],
    [encodeFrame(0, { type: 'open', magic: 'skein', protoMin: 7, protoMax: 9, nonce, software: euro })],
    ['text', euro],
    [randomBytes(1_000)],
    [Buffer.alloc(1024 * 1024 + 1)],
    [],
  ];
  await Promise.all(
    conversations.map(async (frames, index) => {
      for (const answer of await talk(master.replicationUrl, frames)) {
        const { message } = decodeFrame(answer);
        assert.ok(['challenge', 'reject', 'bye'].includes(message.type), `conversation ${index}: ${message.type}`);
        assert.not.match(answer.toString('latin1'), /plum-/);
      }
    }),
  );
  const stats = await master.stats();
  assert.equal([stats.role, stats.epoch, stats.full_syncs], ['master', 1, 0]);
  const { body } = await master.request<{ replicas: unknown[] }>('GET', '/replication/replicas');
  assert.equal(body.replicas, []);
  assert.is((await master.request('PUT', '/v1/collections/c/points?w=1', { points: [{ id: 1, vector: [1, 1] }] })).status, 200);
});

/** Takes every link and says these frames after an open. */
async function startLiar(t: TestContext, frames: () => readonly Message[]): Promise<{ url: string; links: () => number }> {
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  let links = 0;
  sockets.on('connection', (socket) => {
    links += 1;
    socket.on('error', () => undefined);
    socket.once('message', () => {
      for (const frame of frames()) socket.send(encodeFrame(99, frame));
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    http.close();
  });
  return { url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`, links: () => links };
}

test('a node without data gives no link, and whoever asks for one ends nothing', async (t) => {
  const blank = await startNode(t, 'blank', { master: 'ws://127.0.0.1:9', untilListening: true });
  const wish =
    'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
  // Unmasked bytes behind the wish are no WebSocket frame.
  const socket = connect(blank.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  socket.write(`GET /replication/stream HTTP/1.1\r\nhost: localhost\r\n${wish}\r\n`);
  socket.write(Buffer.from([0x82, 0x01, 0x00, 0xff, 0xff]));
  await closed;
  assert.match(answer, /^HTTP\/1\.1 503 /);
  assert.is((await blank.request('GET', '/health/live')).status, 200);
});

test('a replica believes nothing before its master has proven the key', async (t) => {
  const flags = [...QUICK_BEATS, '--cluster-key-file', keyFile(t, 'the right key of this cluster')];
  const master = await startNode(t, 'master', { flags });
  await fill(master);
  let lie: Message[] = [];
  const liar = await startLiar(t, () => lie);
  const replica = await startNode(t, 'replica', { flags, master: master.replicationUrl });
  await waitForVoters(master, [replica]);
  await waitUntilEqual([master, replica]);
  const content = await contentOf(replica);
  await master.stop();
  assert.ok((await replica.request('POST', '/replication/follow', { master_url: liar.url })).status < 300);
  const lies: Message[][] = [
    [{ type: 'bye', reason: '€'.repeat(300), masterUrl: 'no url at all' }],
    [
      {
        type: 'reject',
        reason: 'STALE_MASTER',
        message: '€'.repeat(300),
        retryAfterMs: 1,
        clusterId: null,
        nodeId: id(),
        epoch: 99,
        masterUrl: 'no url at all',
        proof: '',
      },
    ],
    [{ type: 'request', id: 1, method: 'resync', parameters: { full: true } }],
    [{ type: 'heartbeat', number: 1, lastSeq: 99, commitSeq: 99, lagMs: 0, digest: randomBytes(16), path: [] }],
    [{ type: 'challenge', proto: 1, nonce: id(), keyed: false }],
    [
      { type: 'challenge', proto: 1, nonce: id(), keyed: true },
      {
        type: 'welcome',
        software: 'x',
        clusterId: id(),
        nodeId: id(),
        runId: id(),
        role: 'master',
        epoch: 99,
        historyId: id(),
        lineage: [],
        logMinSeq: 1,
        lastSeq: 5,
        decision: { kind: 'snapshot', reason: 'x', commonSeq: 0 },
        limits: { windowBytes: 1, heartbeatMs: 1, timeoutMs: 1 },
        masterUrl: null,
        path: [],
        proof: '0'.repeat(64),
      },
    ],
  ];
  for (const words of lies) {
    lie = words;
    const goal = liar.links() + 2;
    await waitUntil(() => liar.links() >= goal, { deadlineMs: 30_000, what: 'the replica to come again' });
  }
  const stats = await replica.stats();
  assert.equal([stats.role, stats.epoch, stats.divergences], ['replica', 1, 0]);
  assert.equal(await contentOf(replica), content);
  assert.not.ok(existsSync(join(replica.dataDir, 'rollback')), 'nothing was given up');
  await replica.restart({ untilListening: true });
  await master.start();
  assert.ok((await replica.request('POST', '/replication/follow', { master_url: master.replicationUrl })).status < 300);
  await waitForVoters(master, [replica]);
  assert.is((await replica.stats()).full_syncs, 0);
});

test.run();
