/** What a node says of replication: what is not known of one is not known of all, counts never fall with a role, and before the store is open
 *  there is a role already. */

import * as assert from 'uvu/assert';
import type { ReplicaInfo } from '../../src/model/replication.js';
import { lateRoles } from '../../src/node/late-roles.js';
import { type Counted, masterStats, replicaStats } from '../../src/node/role-stats.js';
import { newFollowerCounts } from '../../src/replication/follower-parts.js';
import { FakeLog } from '../support/fake-log.js';
import { REPLICA } from '../support/fake-replication.js';
import { suite } from '../support/suite.js';

const test = suite('node/role-stats');

function counted(replicas: readonly ReplicaInfo[]): Counted {
  const registry = { acknowledgements: 3, divergences: 1, lastAckWallMs: null, digestVerifiedWallMs: null, lastSyncWallMs: null };
  const source = {
    counts: { bytesSent: 10, bytesReceived: 20 },
    ...{ heartbeatsSent: 2, fullSyncs: 5, partialSyncs: 6, lastSnapshotBytes: 100 },
    registry,
    replicas: () => replicas,
  };
  const counts = { ...newFollowerCounts(), fullSyncs: 1, partialSyncs: 2, heartbeatsReceived: 7, acknowledgementsSent: 8 };
  return { log: new FakeLog().log, source: source as unknown as Counted['source'], counts };
}

const voter = (id: string, more: Partial<ReplicaInfo>): ReplicaInfo => ({ ...REPLICA, id, ...more });
const UP = voter('up', { lagMs: 0, lagOperations: 0, lagBytes: 0 });
const SYNCING = voter('syncing', { status: 'Syncing', lagMs: null, lagOperations: null, lagBytes: null });
const AWAY = voter('away', { status: 'Disconnected', lagMs: 3_600_000, lagOperations: 900, lagBytes: 9_000 });

test('a voter that is level hides none that is not, nor one of which nothing is known', () => {
  for (const [replicas, lagMs, lagOperations, lagBytes] of [
    [[UP], 0, 0, 0],
    [[UP, SYNCING], null, null, null],
    [[UP, AWAY], 3_600_000, 0, 0],
    [[AWAY], null, null, null],
    [[], null, null, null],
  ] as const) {
    const stats = masterStats(counted(replicas));
    assert.equal([stats.lagMs, stats.lagOperations, stats.lagBytes], [lagMs, lagOperations, lagBytes]);
    assert.is(stats.operationsPending, lagOperations);
  }
});

test('counts are those of both sides in either role', () => {
  const following = { lagMs: () => null, lagOperations: () => null, lagBytes: () => null, follower: null };
  const asReplica = replicaStats(counted([]), following as unknown as Parameters<typeof replicaStats>[1]);
  const asMaster = masterStats(counted([]));
  for (const stats of [asReplica, asMaster])
    assert.equal(
      [
        stats.fullSyncs,
        stats.partialSyncs,
        stats.heartbeatsSent,
        stats.heartbeatsReceived,
        stats.divergences,
        stats.snapshotSize,
      ],
      [6, 8, 10, 10, 1, 100],
    );
});

test('while the store is opened there is a role, and nothing else is known', () => {
  const opened = () => {
    throw new Error('not open');
  };
  const links = { mayLink: true, admit: () => undefined };
  const { replication } = lateRoles({ roles: () => null, opened, roleBefore: () => 'replica', links });
  assert.equal([replication.role(), replication.replicas(), replication.masterUrl()], ['replica', [], null]);
  assert.throws(() => replication.stats(), 'not open');
});

test.run();
