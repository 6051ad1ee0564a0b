/** Between the wire's snake_case and the client's camelCase, for replication. Nothing is invented: null stays null. */

import type {
  PromoteAnswerBody,
  ReplicaBody,
  ReplicationStatsBody,
  ReplicationStatusBody,
  VerifyAnswerBody,
} from '../wire/http-bodies.js';
import type * as T from './replication-types.js';

export function statusFromWire(body: ReplicationStatusBody): T.ReplicationStatus {
  return {
    role: body.role,
    enabled: body.enabled,
    masterUrl: body.master_url,
    stats: body.stats === null ? null : statsFromWire(body.stats),
    replicas: body.replicas.map(replicaFromWire),
  };
}

export function statsFromWire(body: ReplicationStatsBody): T.ReplicationStats {
  return {
    role: body.role,
    nodeId: body.node_id,
    clusterId: body.cluster_id,
    lagMs: body.lag_ms,
    lagOperations: body.lag_operations,
    lagBytes: body.lag_bytes,
    bytesSent: body.bytes_sent,
    bytesReceived: body.bytes_received,
    lastSync: body.last_sync,
    operationsPending: body.operations_pending,
    snapshotSize: body.snapshot_size,
    connectedReplicas: body.connected_replicas,
    position: body.position,
    epoch: body.epoch,
    historyId: body.history_id,
    heartbeatsSent: body.heartbeats_sent,
    heartbeatsReceived: body.heartbeats_received,
    lastHeartbeat: body.last_heartbeat,
    fullSyncs: body.full_syncs,
    partialSyncs: body.partial_syncs,
    reconnects: body.reconnects,
    digest: body.digest,
    digestVerifiedAt: body.digest_verified_at,
    divergences: body.divergences,
    link: body.link,
    snapshot: snapshotFromWire(body.snapshot),
  };
}

export function replicaFromWire(body: ReplicaBody): T.Replica {
  return {
    id: body.id,
    host: body.host,
    port: body.port,
    status: body.status,
    voter: body.voter,
    lagMs: body.lag_ms,
    lagOperations: body.lag_operations,
    lagBytes: body.lag_bytes,
    lastHeartbeat: body.last_heartbeat,
    operationsSynced: body.operations_synced,
    bytesSent: body.bytes_sent,
    position: body.position,
    protocolVersion: body.protocol_version,
    connectedAt: body.connected_at,
    diverged: body.diverged,
    snapshot: snapshotFromWire(body.snapshot),
  };
}

export function promotionFromWire({ epoch, history_id: historyId, position, maybe_lost: lost }: PromoteAnswerBody): T.Promotion {
  const maybeLost = lost === null ? null : { fromSeq: lost.from_seq, toSeq: lost.to_seq, knownSeq: lost.known_seq };
  return { epoch, historyId, position, maybeLost };
}

export function verificationFromWire({ equal, position, replicas }: VerifyAnswerBody): T.Verification {
  return { equal, position, replicas };
}

function snapshotFromWire(body: ReplicaBody['snapshot']): T.SnapshotProgress | null {
  return body === null ? null : { bytes: body.bytes, bytesTotal: body.bytes_total, etaMs: body.eta_ms };
}
