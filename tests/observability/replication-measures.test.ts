/** What /metrics shows of replication: what is known, and nothing of what is not. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import type { ReplicaInfo, ReplicationStats, Role } from '../../src/model/replication.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { measureReplication } from '../../src/observability/replication-measures.js';
import { MASTER_STATS, REPLICA } from '../support/fake-replication.js';
import { suite } from '../support/suite.js';

const test = suite('observability/replication-measures');

function measured() {
  const { meter, text } = createMetrics();
  const figures = {
    role: 'master' as Role,
    stats: MASTER_STATS as ReplicationStats | null,
    replicas: [REPLICA] as ReplicaInfo[],
  };
  measureReplication(meter, {
    role: () => figures.role,
    stats: () => {
      if (figures.stats === null) throw new SkeinError('Starting', 'no data yet');
      return figures.stats;
    },
    replicas: () => figures.replicas,
  });
  /** Samples of replication, by name and labels. */
  const samples = async (): Promise<Map<string, number>> => {
    const lines = (await text()).split('\n').filter((line) => line.startsWith('skein_replication_'));
    return new Map(lines.map((line) => [line.slice(18, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
  };
  return { figures, samples };
}

test('every figure of a node and of its replicas is there, lag in seconds', async () => {
  const { samples } = measured();
  const own = {
    'role{role="master"}': 1,
    'role{role="replica"}': 0,
    lag_seconds: 0.0125,
    lag_operations: 3,
    lag_bytes: 300,
    operations_pending: 3,
    connected_replicas: 1,
    bytes_sent_total: 1_048_576,
    bytes_received_total: 1_000,
    heartbeats_sent_total: 9,
    heartbeats_received_total: 8,
    full_syncs_total: 1,
    partial_syncs_total: 2,
    reconnects_total: 4,
    divergences_total: 0,
  };
  const replica = `replica="${REPLICA.id}"`;
  const ofReplica = {
    [`replica_lag_seconds{${replica}}`]: 0.005,
    [`replica_lag_operations{${replica}}`]: 3,
    [`replica_lag_bytes{${replica}}`]: 300,
    [`replica_sent_bytes{${replica}}`]: 4_096,
    [`replica_status{${replica},status="Connected"}`]: 1,
    [`replica_status{${replica},status="Syncing"}`]: 0,
    [`replica_status{${replica},status="Lagging"}`]: 0,
    [`replica_status{${replica},status="Disconnected"}`]: 0,
  };
  assert.equal(Object.fromEntries(await samples()), { ...own, ...ofReplica });
});

test('what is not known has no series, not 0, and comes back when it is known', async () => {
  const { figures, samples } = measured();
  await samples();
  const nothing = { lagMs: null, lagOperations: null, lagBytes: null, operationsPending: null, connectedReplicas: null };
  figures.stats = { ...MASTER_STATS, ...nothing, fullSyncs: 2 };
  figures.replicas = [{ ...REPLICA, lagMs: null, lagOperations: null, lagBytes: null, status: 'Disconnected' }];
  const unknown = await samples();
  assert.equal(
    [...unknown.keys()].filter((name) => /lag_|pending|connected_/.test(name)),
    [],
  );
  assert.is(unknown.get('full_syncs_total'), 2);
  assert.is(unknown.get(`replica_status{replica="${REPLICA.id}",status="Disconnected"}`), 1);
  figures.stats = { ...MASTER_STATS, lagMs: 0 };
  const known = await samples();
  assert.equal([known.get('lag_seconds'), known.get('lag_operations')], [0, 3]);
});

test('a replica that was forgotten leaves no series behind', async () => {
  const { figures, samples } = measured();
  await samples();
  figures.replicas = [{ ...REPLICA, id: 'other' }];
  const names = [...(await samples()).keys()].filter((name) => name.startsWith('replica_'));
  assert.is(names.length, 8);
  assert.ok(names.every((name) => name.includes('replica="other"')));
});

test('before there is data only the role is known', async () => {
  const { figures, samples } = measured();
  figures.stats = null;
  figures.role = 'replica';
  figures.replicas = [];
  const shown = await samples();
  assert.is(shown.get('role{role="replica"}'), 1);
  assert.equal(
    [...shown.keys()].filter((name) => /lag_|pending|connected_|digest/.test(name)),
    [],
  );
});

test.run();
