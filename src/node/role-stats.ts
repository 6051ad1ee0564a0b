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
  const { source, counts } = counted;
  const { registry } = source;
  const known = source.replicas();
  const connected = known.filter(({ status }) => status !== 'Disconnected');
  // A voter that is away is as old as what it lacks, unless there is nobody to be ahead of it.
  const voters = connected.length === 0 ? [] : known.filter(({ voter }) => voter);
  const operations = largest(connected.map(({ lagOperations }) => lagOperations));
  return {
    role: 'master',
    ...common(counted),
    lagMs: largest(voters.map(({ lagMs }) => lagMs)),
    lagOperations: operations,
    lagBytes: largest(connected.map(({ lagBytes }) => lagBytes)),
    lastSyncMs: registry.lastSyncWallMs,
    operationsPending: operations,
    snapshotSize: source.lastSnapshotBytes || counts.snapshotBytes,
    connectedReplicas: connected.length,
    lastHeartbeatMs: registry.lastAckWallMs,
    digestVerifiedAtMs: registry.digestVerifiedWallMs,
    link: null,
    snapshot: null,
  };
}

export function replicaStats(counted: Counted, following: Following): ReplicationStats {
  const { source, counts } = counted;
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
    snapshotSize: counts.snapshotBytes || source.lastSnapshotBytes,
    connectedReplicas: null,
    lastHeartbeatMs: counts.lastHeartbeatWallMs,
    digestVerifiedAtMs: counts.digestVerifiedWallMs,
    link: follower === null ? 'stopped' : follower.state.diverged ? 'diverged' : follower.state.phase,
    snapshot: follower?.intake.progress() ?? null,
  };
}

/** Counts are those of both sides, so that none of them falls when the role changes. */
function common({ log, source, counts }: Counted) {
  const { nodeId, clusterId, historyId, epoch, seq, digest } = log.state();
  const { registry } = source;
  const isBlank = epoch === NO_EPOCH;
  return {
    nodeId,
    clusterId: isBlank ? null : clusterId,
    bytesSent: source.counts.bytesSent + counts.bytesSent,
    bytesReceived: source.counts.bytesReceived + counts.bytesReceived,
    position: isBlank ? null : { historyId, epoch, seq },
    digest: isBlank ? null : Buffer.from(digest).toString('hex'),
    heartbeatsSent: source.heartbeatsSent + counts.acknowledgementsSent,
    heartbeatsReceived: registry.acknowledgements + counts.heartbeatsReceived,
    fullSyncs: source.fullSyncs + counts.fullSyncs,
    partialSyncs: source.partialSyncs + counts.partialSyncs,
    reconnects: Math.max(0, counts.links - 1),
    divergences: registry.divergences + counts.divergences,
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

/** Null of none, and when one of them is not known. */
function largest(values: readonly (number | null)[]): number | null {
  let most: number | null = values.length === 0 ? null : 0;
  for (const value of values) most = value === null || most === null ? null : Math.max(most, value);
  return most;
}
