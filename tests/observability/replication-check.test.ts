/** What is found of replication, on a master and on a replica. */
import * as assert from 'uvu/assert';
import type { ReplicaInfo, ReplicationStats } from '../../src/model/replication.js';
import { replicationFinding } from '../../src/observability/replication-check.js';
import { MASTER_STATS, REPLICA } from '../support/fake-replication.js';
import { suite } from '../support/suite.js';

const test = suite('observability/replication-check');

const LAG_MAX_MS = 30_000;
const FOLLOWER: ReplicationStats = { ...MASTER_STATS, role: 'replica', connectedReplicas: null, link: 'following', lagMs: 20 };

function found(stats: ReplicationStats, replicas: readonly ReplicaInfo[], concerns: readonly string[] = []) {
  const { status, message } = replicationFinding({ stats, replicas, concerns }, LAG_MAX_MS);
  return [status, message];
}

test('a node alone, a master with its replicas and a replica that follows are well', () => {
  assert.equal(found({ ...MASTER_STATS, connectedReplicas: 0 }, []), ['healthy', 'master without replicas']);
  assert.equal(found(MASTER_STATS, [REPLICA]), ['healthy', 'master, 1 of 1 replicas connected']);
  assert.equal(found(FOLLOWER, []), ['healthy', 'replica, following, 0.02 s behind']);
});

test('a voter that is gone degrades its master; one that does not vote does not', () => {
  const gone: ReplicaInfo = { ...REPLICA, status: 'Disconnected', lagMs: null };
  assert.equal(found(MASTER_STATS, [gone]), ['degraded', `replica ${REPLICA.id} is disconnected`]);
  assert.is(found(MASTER_STATS, [{ ...gone, voter: false }])[0], 'healthy');
});

test('who is far behind is said, and unknown lag is no figure', () => {
  assert.equal(found(MASTER_STATS, [{ ...REPLICA, lagMs: 45_000 }]), ['degraded', `replica ${REPLICA.id} is 45 s behind`]);
  assert.equal(found({ ...FOLLOWER, lagMs: 31_000 }, []), ['degraded', "the data is 31 s behind the master's"]);
  assert.is(found({ ...FOLLOWER, lagMs: null }, [])[0], 'healthy');
});

test('what the node itself knows to be wrong stands first', () => {
  assert.equal(found(FOLLOWER, [], ['there is no link to the master']), ['degraded', 'there is no link to the master']);
});

test.run();
