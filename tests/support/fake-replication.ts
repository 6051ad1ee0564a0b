/** Replication as the routes see it, with answers that a test sets and calls that it can look at. A master alone unless told otherwise. */

import type { Duplex } from 'node:stream';
import type { ReplicationService } from '../../src/http/service.js';
import type { Position } from '../../src/model/position.js';
import type { ReplicaInfo, ReplicationStats } from '../../src/model/replication.js';

export const POSITION: Position = { historyId: 'ab'.repeat(16), epoch: 2, seq: 40 };
export const NODE_ID = '0d'.repeat(16);
/** 2026-11-21T08:00:00.125Z */
export const INSTANT_MS = Date.UTC(2026, 10, 21, 8, 0, 0, 125);

export const MASTER_STATS: ReplicationStats = {
  role: 'master',
  nodeId: NODE_ID,
  clusterId: 'cc'.repeat(16),
  lagMs: 12.5,
  lagOperations: 3,
  lagBytes: 300,
  bytesSent: 1_048_576,
  bytesReceived: 1_000,
  lastSyncMs: INSTANT_MS,
  operationsPending: 3,
  snapshotSize: 524_288,
  connectedReplicas: 1,
  position: POSITION,
  heartbeatsSent: 9,
  heartbeatsReceived: 8,
  lastHeartbeatMs: INSTANT_MS,
  fullSyncs: 1,
  partialSyncs: 2,
  reconnects: 4,
  digest: 'dd'.repeat(16),
  digestVerifiedAtMs: INSTANT_MS,
  divergences: 0,
  link: null,
  snapshot: null,
};

export const REPLICA: ReplicaInfo = {
  id: 'ee'.repeat(16),
  host: 'localhost',
  port: 6381,
  status: 'Connected',
  voter: true,
  lagMs: 5,
  lagOperations: 3,
  lagBytes: 300,
  lastHeartbeatMs: INSTANT_MS,
  operationsSynced: 37,
  bytesSent: 4_096,
  position: { ...POSITION, seq: 37 },
  protocolVersion: 1,
  connectedAtMs: INSTANT_MS,
  snapshot: null,
  diverged: false,
};

export interface FakeReplication extends ReplicationService {
  /** Name and argument of each call that asks for something to be done. */
  readonly calls: (readonly [string, unknown])[];
}

export function fakeReplication(answers: Partial<ReplicationService> = {}): FakeReplication {
  const calls: [string, unknown][] = [];
  return {
    calls,
    role: () => 'master',
    masterUrl: () => null,
    enabled: () => true,
    stats: () => MASTER_STATS,
    replicas: () => [REPLICA],
    stalenessMs: () => 0,
    promote: (options) => {
      calls.push(['promote', options]);
      return Promise.resolve({ epoch: 3, historyId: POSITION.historyId, position: POSITION, maybeLost: null });
    },
    follow: (url) => {
      calls.push(['follow', url]);
      return Promise.resolve();
    },
    resync: (options) => {
      calls.push(['resync', options]);
      return Promise.resolve({ mode: options.full ? 'full' : 'partial' });
    },
    verify: (options) => {
      calls.push(['verify', options]);
      return Promise.resolve({ equal: true, position: POSITION, replicas: [] });
    },
    forget: (id) => {
      calls.push(['forget', id]);
      return Promise.resolve(id === REPLICA.id);
    },
    wrongClusterKeys: () => 0,
    endLinks: () => {},
    upgrade: (_request, socket: Duplex) => {
      calls.push(['upgrade', null]);
      socket.end();
    },
    ...answers,
  };
}
