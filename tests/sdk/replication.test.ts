/** client.replication over the real routes: what a node says comes through whole, and what it is asked arrives as it was meant. */

import * as assert from 'uvu/assert';
import type { ReplicationService } from '../../src/http/service.js';
import { SkeinError } from '../../src/model/errors.js';
import { encodeToken } from '../../src/model/position.js';
import { SkeinApiError, SkeinClient } from '../../src/sdk/index.js';
import { fakeReplication, MASTER_STATS, NODE_ID, POSITION, REPLICA } from '../support/fake-replication.js';
import { startHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('sdk/replication');

async function over(t: TestContext, answers: Partial<ReplicationService> = {}) {
  const service = fakeReplication(answers);
  const http = await startHttp(t, { service: { replication: service } });
  const client = new SkeinClient({ url: http.url, retries: false, session: false });
  t.after(() => client.close());
  return { replication: client.replication, service, client, http };
}

async function refusalOf(promise: Promise<unknown>): Promise<SkeinApiError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SkeinApiError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

test('status, stats and replicas come as the node has them', async (t) => {
  const { replication } = await over(t, { masterUrl: () => 'http://m:1' });
  const status = await replication.status();
  assert.equal([status.role, status.enabled, status.masterUrl], ['master', true, 'http://m:1']);
  const { position: _position, lastSyncMs, lastHeartbeatMs, digestVerifiedAtMs, ...same } = MASTER_STATS;
  const stats = {
    ...same,
    position: encodeToken(POSITION),
    epoch: 2,
    historyId: POSITION.historyId,
    lastSync: new Date(lastSyncMs ?? 0).toISOString(),
    lastHeartbeat: new Date(lastHeartbeatMs ?? 0).toISOString(),
    digestVerifiedAt: new Date(digestVerifiedAtMs ?? 0).toISOString(),
  };
  assert.equal(status.stats, stats);
  assert.equal(await replication.stats(), stats);
  const [replica, ...others] = await replication.replicas();
  assert.equal(others, []);
  assert.equal(replica, status.replicas[0]);
  assert.equal([replica?.id, replica?.host, replica?.port, replica?.operationsSynced], [REPLICA.id, 'localhost', 6381, 37]);
  assert.is(replica?.position, encodeToken({ ...POSITION, seq: 37 }));
  assert.is(status.stats?.nodeId, NODE_ID);
});

test('before the store is open the status has no stats, and the stats are refused as Starting', async (t) => {
  const stats = (): never => {
    throw new SkeinError('Starting', 'no data yet');
  };
  const { replication } = await over(t, { role: () => 'replica', stats });
  assert.is((await replication.status()).stats, null);
  assert.is((await refusalOf(replication.stats())).type, 'Starting');
});

test('what a node is asked to do arrives as it was meant', async (t) => {
  const { replication, service } = await over(t);
  assert.equal(await replication.promote(), {
    epoch: 3,
    historyId: POSITION.historyId,
    position: encodeToken(POSITION),
    maybeLost: null,
  });
  await replication.promote({ force: true });
  assert.equal(await replication.follow('ws://10.0.0.1:7171'), { role: 'master', masterUrl: 'http://10.0.0.1:7171' });
  assert.equal(await replication.resync(), { mode: 'partial' });
  assert.equal(await replication.resync({ replicaId: 'r', full: true }), { mode: 'full' });
  assert.equal(await replication.verify({ repair: true }), { equal: true, position: encodeToken(POSITION), replicas: [] });
  await replication.forget(REPLICA.id);
  assert.equal(service.calls, [
    ['promote', { force: false }],
    ['promote', { force: true }],
    ['follow', 'http://10.0.0.1:7171'],
    ['resync', { replicaId: null, full: false }],
    ['resync', { replicaId: 'r', full: true }],
    ['verify', { replicaId: null, repair: true }],
    ['forget', REPLICA.id],
  ]);
});

test('refusals keep their type and details', async (t) => {
  const promote = (): never => {
    throw new SkeinError('NotPromotable', 'no', { reason: 'already_master' });
  };
  const { replication } = await over(t, { promote });
  const refused = await refusalOf(replication.promote());
  assert.equal([refused.type, refused.status, refused.details], ['NotPromotable', 409, { reason: 'already_master' }]);
  assert.equal((await refusalOf(replication.forget('a/b'))).details, { id: 'a/b' });
  assert.is((await refusalOf(replication.follow('nowhere'))).type, 'InvalidRequest');
});

test('a client of a replica writes to the master, whose address the replica gives, and may bound how old its reads are', async (t) => {
  const master = await over(t);
  const answers: Partial<ReplicationService> = {
    role: () => 'replica',
    masterUrl: () => master.http.url,
    stalenessMs: () => 50,
    forget: async () => {
      throw new SkeinError('NotMaster', 'only the master forgets a voter');
    },
  };
  const replica = await over(t, answers);
  await replica.client.createCollection('c', { dimension: 2, distance: 'dot' });
  await replica.client.upsert('c', [{ id: 1, vector: [1, 2] }]);
  await replica.replication.forget(REPLICA.id);
  assert.equal([master.http.engine.writes.length, replica.http.engine.writes.length], [2, 0]);
  assert.equal(master.service.calls, [['forget', REPLICA.id]]);
  assert.is(await master.client.count('c', undefined, { maxStalenessMs: 0 }), 1);
  const behind = await refusalOf(replica.client.collections({ maxStalenessMs: 49 }));
  assert.equal([behind.type, behind.details['lag_ms']], ['ReplicaBehind', 50]);
  assert.equal(await replica.client.collections({ maxStalenessMs: 50 }), []);
});

test.run();
