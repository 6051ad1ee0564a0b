/** What a node says about replication, from the model's words to the wire's. */

import type { PromoteAnswer, ReplicaInfo, ReplicationStats, SnapshotProgress, VerifyAnswer } from '../model/replication.js';
import type { PromoteAnswerBody, ReplicaBody, ReplicationStatsBody, VerifyAnswerBody } from '../wire/http-bodies.js';
import { tokenOf } from './answer.js';

export function statsBody(stats: ReplicationStats): ReplicationStatsBody {
  return {
    role: stats.role,
    lag_ms: stats.lagMs,
    bytes_sent: stats.bytesSent,
    bytes_received: stats.bytesReceived,
    last_sync: instant(stats.lastSyncMs),
    operations_pending: stats.operationsPending,
    snapshot_size: stats.snapshotSize,
    connected_replicas: stats.connectedReplicas,
    lag_operations: stats.lagOperations,
    lag_bytes: stats.lagBytes,
    position: stats.position === null ? null : tokenOf(stats.position),
    epoch: stats.position?.epoch ?? null,
    history_id: stats.position?.historyId ?? null,
    heartbeats_sent: stats.heartbeatsSent,
    heartbeats_received: stats.heartbeatsReceived,
    last_heartbeat: instant(stats.lastHeartbeatMs),
    full_syncs: stats.fullSyncs,
    partial_syncs: stats.partialSyncs,
    reconnects: stats.reconnects,
    digest: stats.digest,
    digest_verified_at: instant(stats.digestVerifiedAtMs),
    divergences: stats.divergences,
    node_id: stats.nodeId,
    cluster_id: stats.clusterId,
    link: stats.link,
    snapshot: snapshotBody(stats.snapshot),
  };
}

export function replicaBody(replica: ReplicaInfo): ReplicaBody {
  return {
    id: replica.id,
    host: replica.host,
    port: replica.port,
    status: replica.status,
    lag_ms: replica.lagMs,
    last_heartbeat: instant(replica.lastHeartbeatMs),
    operations_synced: replica.operationsSynced,
    lag_operations: replica.lagOperations,
    lag_bytes: replica.lagBytes,
    bytes_sent: replica.bytesSent,
    position: replica.position === null ? null : tokenOf(replica.position),
    protocol_version: replica.protocolVersion,
    connected_at: instant(replica.connectedAtMs),
    voter: replica.voter,
    diverged: replica.diverged,
    snapshot: snapshotBody(replica.snapshot),
  };
}

export function promoteBody({ epoch, historyId, position, maybeLost }: PromoteAnswer): PromoteAnswerBody {
  return {
    epoch,
    history_id: historyId,
    position: tokenOf(position),
    maybe_lost:
      maybeLost === null ? null : { from_seq: maybeLost.fromSeq, to_seq: maybeLost.toSeq, known_seq: maybeLost.knownSeq },
  };
}

export function verifyBody({ equal, position, replicas }: VerifyAnswer): VerifyAnswerBody {
  return {
    equal,
    position: tokenOf(position),
    replicas: replicas.map(({ id, equal: same, differing, repaired, error }) => ({
      id,
      equal: same,
      differing: differing.map(({ collection, buckets, points }) => ({ collection, buckets: [...buckets], points: [...points] })),
      repaired,
      ...(error !== undefined && { error }),
    })),
  };
}

function snapshotBody(progress: SnapshotProgress | null): ReplicaBody['snapshot'] {
  return progress === null ? null : { bytes: progress.bytes, bytes_total: progress.bytesTotal, eta_ms: progress.etaMs };
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
