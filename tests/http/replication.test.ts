/** The routes of replication over a service that answers as it is told: shapes, strict bodies, refusals. */

import * as assert from 'uvu/assert';
import type { ReplicationService } from '../../src/http/service.js';
import { SkeinError } from '../../src/model/errors.js';
import { encodeToken } from '../../src/model/position.js';
import type { ReplicationStats } from '../../src/model/replication.js';
import { fakeReplication, INSTANT_MS, MASTER_STATS, NODE_ID, POSITION, REPLICA } from '../support/fake-replication.js';
import { type Answer, startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/replication');
const INSTANT = '2026-11-21T08:00:00.125Z';

async function over(t: TestContext, answers: Partial<ReplicationService> = {}) {
  const replication = fakeReplication(answers);
  const http: TestHttp = await startHttp(t, { service: { replication } });
  return { ...http, replication };
}

const outcome = ({ status, body }: Answer): unknown => [status, body.error?.type ?? body];
const failing = (type: 'Starting' | 'NotPromotable', details = {}) => {
  throw new SkeinError(type, 'no', details);
};

const statsShown = {
  role: 'master',
  lag_ms: 12.5,
  bytes_sent: 1_048_576,
  bytes_received: 1_000,
  last_sync: INSTANT,
  operations_pending: 3,
  snapshot_size: 524_288,
  connected_replicas: 1,
  lag_operations: 3,
  lag_bytes: 300,
  position: encodeToken(POSITION),
  epoch: 2,
  history_id: POSITION.historyId,
  heartbeats_sent: 9,
  heartbeats_received: 8,
  last_heartbeat: INSTANT,
  full_syncs: 1,
  partial_syncs: 2,
  reconnects: 4,
  digest: MASTER_STATS.digest,
  digest_verified_at: INSTANT,
  divergences: 0,
  node_id: NODE_ID,
  cluster_id: MASTER_STATS.clusterId,
  link: null,
  snapshot: null,
};
const replicaShown = {
  id: REPLICA.id,
  host: 'localhost',
  port: REPLICA.port,
  status: 'Connected',
  lag_ms: 5,
  last_heartbeat: INSTANT,
  operations_synced: 37,
  lag_operations: 3,
  lag_bytes: 300,
  bytes_sent: 4_096,
  position: encodeToken({ ...POSITION, seq: 37 }),
  protocol_version: 1,
  connected_at: INSTANT,
  voter: true,
  diverged: false,
  snapshot: null,
};

test('status, stats and replicas have the promised fields and no others', async (t) => {
  const { ask } = await over(t, { masterUrl: () => 'http://m:1' });
  const status = await ask('GET', '/replication/status');
  assert.is(status.status, 200);
  const stats = statsShown;
  assert.equal(status.body, { role: 'master', enabled: true, master_url: 'http://m:1', stats, replicas: [replicaShown] });
  assert.is(status.headers.get('x-skein-position'), encodeToken(POSITION));
  assert.equal((await ask('GET', '/replication/stats')).body, statsShown);
  assert.equal((await ask('GET', '/replication/replicas')).body, { replicas: [replicaShown], count: 1 });
});

test('what is not known is null, never 0, in both body forms', async (t) => {
  const unknown = { lagMs: null, lagOperations: null, lagBytes: null, operationsPending: null, lastSyncMs: null };
  const snapshot = { bytes: 1, bytesTotal: 4, etaMs: null };
  const { askPacked } = await over(t, {
    role: () => 'replica',
    stats: () => ({ ...MASTER_STATS, ...unknown, role: 'replica', connectedReplicas: null, link: 'syncing', snapshot }),
    replicas: () => [
      { ...REPLICA, lagMs: null, lastHeartbeatMs: null, operationsSynced: null, position: null, connectedAtMs: null },
    ],
  });
  const { role, stats, replicas } = (await askPacked('GET', '/replication/status')).body;
  assert.is(role, 'replica');
  for (const name of ['lag_ms', 'lag_operations', 'lag_bytes', 'operations_pending', 'last_sync', 'connected_replicas'])
    assert.is(stats[name], null, name);
  assert.equal([stats.link, stats.snapshot], ['syncing', { bytes: 1, bytes_total: 4, eta_ms: null }]);
  for (const name of ['lag_ms', 'last_heartbeat', 'operations_synced', 'position', 'connected_at'])
    assert.is(replicas[0][name], null, name);
});

test('a node without data shows what it does, and no position or digest that it would have', async (t) => {
  const blank: ReplicationStats = {
    ...MASTER_STATS,
    ...{ role: 'replica', link: 'snapshot', snapshot: { bytes: 1, bytesTotal: 4, etaMs: 9 } },
    ...{ clusterId: null, position: null, digest: null },
  };
  const { ask } = await over(t, { role: () => 'replica', stats: () => blank, replicas: () => [] });
  for (const path of ['/replication/stats', '/replication/status']) {
    const { body, status, headers } = await ask('GET', path);
    const stats = body.stats ?? body;
    assert.equal([status, headers.get('x-skein-position')], [200, null], path);
    for (const name of ['position', 'epoch', 'history_id', 'cluster_id', 'digest']) assert.is(stats[name], null, name);
    assert.equal([stats.link, stats.snapshot.bytes_total], ['snapshot', 4], path);
  }
});

test('before the store is open the status has no stats, and the stats themselves are refused', async (t) => {
  const { ask } = await over(t, { role: () => 'replica', stats: () => failing('Starting'), replicas: () => [] });
  const status = await ask('GET', '/replication/status');
  assert.equal(status.body, { role: 'replica', enabled: true, master_url: null, stats: null, replicas: [] });
  assert.equal(outcome(await ask('GET', '/replication/stats')), [503, 'Starting']);
});

test('promote answers the new epoch and what may be lost, or why not', async (t) => {
  const lost = {
    epoch: 4,
    historyId: 'aa'.repeat(16),
    position: POSITION,
    maybeLost: { fromSeq: 41, toSeq: null, knownSeq: 44 },
  };
  const { ask, replication } = await over(t);
  const plain = await ask('POST', '/replication/promote');
  assert.equal(outcome(plain), [
    200,
    { epoch: 3, history_id: POSITION.historyId, position: encodeToken(POSITION), maybe_lost: null },
  ]);
  assert.is(plain.headers.get('x-skein-position'), encodeToken(POSITION));
  await ask('POST', '/replication/promote', { force: true });
  assert.equal(replication.calls, [
    ['promote', { force: false }],
    ['promote', { force: true }],
  ]);
  const forced = await over(t, { promote: () => Promise.resolve(lost) });
  assert.equal((await forced.ask('POST', '/replication/promote', { force: true })).body.maybe_lost, {
    from_seq: 41,
    to_seq: null,
    known_seq: 44,
  });
  const refused = await over(t, { promote: async () => failing('NotPromotable', { reason: 'already_master' }) });
  const answer = await refused.ask('POST', '/replication/promote', {});
  assert.equal([...(outcome(answer) as []), answer.body.error.details], [409, 'NotPromotable', { reason: 'already_master' }]);
});

test('follow takes the four schemes and nothing that is no address of a node', async (t) => {
  const { ask, replication } = await over(t);
  const given = ['ws://10.0.0.1:7171', 'http://10.0.0.1:7171/', 'wss://master.example', 'https://[::1]:7'];
  for (const master_url of given) assert.is((await ask('POST', '/replication/follow', { master_url })).status, 200, master_url);
  assert.equal(replication.calls, [
    ['follow', 'http://10.0.0.1:7171'],
    ['follow', 'http://10.0.0.1:7171'],
    ['follow', 'https://master.example:443'],
    ['follow', 'https://[::1]:7'],
  ]);
  const bad = ['', 'master:7171', 'ftp://h:1', 'ws://u:p@h:1', 'http://h:1/path', 'http://h:1?x', 7, null];
  for (const master_url of bad) {
    const answer = await ask('POST', '/replication/follow', { master_url });
    assert.equal(outcome(answer), [400, 'InvalidRequest'], String(master_url));
    assert.is(answer.body.error.details.issues[0].path, 'master_url');
  }
  assert.is(replication.calls.length, given.length);
});

test('resync and verify pass on what they are given and answer what came of it', async (t) => {
  const replicas = [
    {
      id: REPLICA.id,
      equal: false,
      differing: [{ collection: 'c', buckets: [1, 7], points: ['a', 7] }],
      repaired: 2,
    },
    { id: 'away', equal: null, differing: [], repaired: 0, error: { type: 'NoMaster', message: 'no link' } },
  ];
  const { ask, replication } = await over(t, {});
  assert.equal((await ask('POST', '/replication/resync')).body, { started: true, mode: 'partial' });
  assert.equal((await ask('POST', '/replication/resync', { replica_id: 'r', full: true })).body, { started: true, mode: 'full' });
  await ask('POST', '/replication/verify', { repair: true });
  assert.equal(replication.calls, [
    ['resync', { replicaId: null, full: false }],
    ['resync', { replicaId: 'r', full: true }],
    ['verify', { replicaId: null, repair: true }],
  ]);
  const differing = await over(t, { verify: () => Promise.resolve({ equal: false, position: POSITION, replicas }) });
  const { body } = await differing.ask('POST', '/replication/verify', {});
  assert.equal(body, { equal: false, position: encodeToken(POSITION), replicas });
});

test('a replica is forgotten once; one that is not there is named', async (t) => {
  const { ask, replication } = await over(t);
  assert.equal(outcome(await ask('DELETE', `/replication/replicas/${REPLICA.id}`)), [200, { forgotten: true }]);
  const missing = await ask('DELETE', '/replication/replicas/no%20one');
  assert.equal([...(outcome(missing) as []), missing.body.error.details], [404, 'ReplicaNotFound', { id: 'no one' }]);
  assert.equal(replication.calls, [
    ['forget', REPLICA.id],
    ['forget', 'no one'],
  ]);
});

test('unknown fields and parameters are refused, and nothing is asked of the node', async (t) => {
  const { ask, replication } = await over(t);
  for (const [path, body] of [
    ['promote', { forced: true }],
    ['promote', { force: 'yes' }],
    ['follow', {}],
    ['follow', { master_url: 'ws://h:1', now: 1 }],
    ['resync', { id: 'r' }],
    ['verify', { repair: 1 }],
    ['verify', []],
  ] as const) {
    assert.equal(outcome(await ask('POST', `/replication/${path}`, body)), [400, 'InvalidRequest'], path);
  }
  for (const path of ['status', 'stats', 'replicas'])
    assert.equal(outcome(await ask('GET', `/replication/${path}?x=1`)), [400, 'InvalidRequest'], path);
  assert.equal(replication.calls, []);
  assert.is(new Date(INSTANT_MS).toISOString(), INSTANT);
});

test.run();
