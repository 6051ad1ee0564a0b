/** ReplicationStats of a node, from what its two sides of replication have counted. */

import type { ReplicatedLog } from '../engine/engine.js';
import { NO_EPOCH } from '../model/position.js';
import type { ReplicaInfo, ReplicationStats } from '../model/replication.js';
import type { Follower } from '../replication/follower.js';
import type { FollowerCounts } from '../replication/follower-parts.js';
import type { ReplicationSource } from '../replication/source.js';
import type { Following } from './following.js';

export interface Counted {
  readonly log: ReplicatedLog;
  readonly source: ReplicationSource;
  readonly counts: FollowerCounts;
}

export function masterStats(counted: Counted): ReplicationStats {
  const { source } = counted;
  const { registry } = source;
  const connected = source.replicas().filter(({ status }) => status !== 'Disconnected');
  const voters = connected.filter(({ voter }) => voter);
  const operations = largest(connected.map(({ lagOperations }) => lagOperations));
  return {
    role: 'master',
    ...common(counted),
    lagMs: largest(voters.map(({ lagMs }) => lagMs)),
    lagOperations: operations,
    lagBytes: largest(connected.map(({ lagBytes }) => lagBytes)),
    lastSyncMs: registry.lastSyncWallMs,
    operationsPending: operations,
    snapshotSize: source.lastSnapshotBytes,
    connectedReplicas: connected.length,
    heartbeatsSent: source.heartbeatsSent,
    heartbeatsReceived: registry.acknowledgements,
    lastHeartbeatMs: registry.lastAckWallMs,
    fullSyncs: source.fullSyncs,
    partialSyncs: source.partialSyncs,
    digestVerifiedAtMs: registry.digestVerifiedWallMs,
    link: null,
    snapshot: null,
  };
}

export function replicaStats(counted: Counted, following: Following): ReplicationStats {
  const { counts } = counted;
  const { follower } = following;
  const lagOperations = following.lagOperations();
  return {
    role: 'replica',
    ...common(counted),
    lagMs: following.lagMs(),
    lagOperations,
    lagBytes: following.lagBytes(),
    lastSyncMs: counts.lastSyncWallMs,
    operationsPending: lagOperations,
    snapshotSize: counts.snapshotBytes,
    connectedReplicas: null,
    heartbeatsSent: counts.acknowledgementsSent,
    heartbeatsReceived: counts.heartbeatsReceived,
    lastHeartbeatMs: counts.lastHeartbeatWallMs,
    fullSyncs: counts.fullSyncs,
    partialSyncs: counts.partialSyncs,
    digestVerifiedAtMs: counts.digestVerifiedWallMs,
    link: follower === null ? 'stopped' : follower.state.diverged ? 'diverged' : follower.state.phase,
    snapshot: follower?.intake.progress() ?? null,
  };
}

function common({ log, source, counts }: Counted) {
  const { nodeId, clusterId, historyId, epoch, seq, digest } = log.state();
  const isBlank = epoch === NO_EPOCH;
  return {
    nodeId,
    clusterId: isBlank ? null : clusterId,
    bytesSent: source.counts.bytesSent + counts.bytesSent,
    bytesReceived: source.counts.bytesReceived + counts.bytesReceived,
    position: isBlank ? null : { historyId, epoch, seq },
    digest: isBlank ? null : Buffer.from(digest).toString('hex'),
    reconnects: counts.reconnects,
    divergences: source.registry.divergences + counts.divergences,
  };
}

/** Why a node is degraded, as far as its links go. @param follower null: nobody is followed; undefined: this node is the master */
export function roleConcerns(
  conflict: number | null,
  follower: Follower | null | undefined,
  replicas: readonly ReplicaInfo[],
): string[] {
  const found: string[] = [];
  if (conflict !== null) found.push(`two masters claim epoch ${conflict}: writes are refused until one is promoted with force`);
  if (follower === null) found.push('no master is known');
  else if (follower?.isLinked === false) found.push('there is no link to the master');
  if (follower?.state.diverged === true) found.push('the data differs from the master’s; run a verification with repair');
  for (const { id, diverged } of replicas) if (diverged) found.push(`the data of replica ${id} differs`);
  return found;
}

/** Null when none is known. */
function largest(values: readonly (number | null)[]): number | null {
  let most: number | null = null;
  for (const value of values) if (value !== null) most = Math.max(most ?? 0, value);
  return most;
}
