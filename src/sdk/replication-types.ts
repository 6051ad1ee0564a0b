/** What users of the client see of replication. Unknown is null, never 0; times are ISO 8601. */

import type { MaybeLost, ReplicaStatus, Role, SnapshotProgress, VerifiedReplica } from '../model/replication.js';

export type {
  MaybeLost,
  ReplicaStatus,
  Role,
  SnapshotProgress,
  VerifiedReplica as ReplicaVerification,
} from '../model/replication.js';

export interface ReplicationStats {
  readonly role: Role;
  readonly nodeId: string;
  /** Like position, epoch, history and digest null until the node has data. */
  readonly clusterId: string | null;
  /** Master: the largest of its voters'. Replica: its own. */
  readonly lagMs: number | null;
  readonly lagOperations: number | null;
  readonly lagBytes: number | null;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly lastSync: string | null;
  readonly operationsPending: number | null;
  readonly snapshotSize: number;
  /** On a master only. */
  readonly connectedReplicas: number | null;
  readonly position: string | null;
  readonly epoch: number | null;
  readonly historyId: string | null;
  readonly heartbeatsSent: number;
  readonly heartbeatsReceived: number;
  readonly lastHeartbeat: string | null;
  readonly fullSyncs: number;
  readonly partialSyncs: number;
  readonly reconnects: number;
  readonly digest: string | null;
  readonly digestVerifiedAt: string | null;
  readonly divergences: number;
  /** What a replica does; null on a master. */
  readonly link: string | null;
  readonly snapshot: SnapshotProgress | null;
}

export interface Replica {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly status: ReplicaStatus;
  readonly voter: boolean;
  readonly lagMs: number | null;
  readonly lagOperations: number | null;
  readonly lagBytes: number | null;
  readonly lastHeartbeat: string | null;
  /** The seq that it has applied. */
  readonly operationsSynced: number | null;
  readonly bytesSent: number;
  readonly position: string | null;
  readonly protocolVersion: number | null;
  readonly connectedAt: string | null;
  readonly diverged: boolean;
  readonly snapshot: SnapshotProgress | null;
}

export interface ReplicationStatus {
  readonly role: Role;
  readonly enabled: boolean;
  readonly masterUrl: string | null;
  /** Null until the store of the node is open. */
  readonly stats: ReplicationStats | null;
  readonly replicas: readonly Replica[];
}

export interface Promotion {
  readonly epoch: number;
  readonly historyId: string;
  readonly position: string;
  /** Null when nothing can be missing. */
  readonly maybeLost: MaybeLost | null;
}

export interface Verification {
  /** Null: none was found to differ, and not all could be compared. */
  readonly equal: boolean | null;
  readonly position: string;
  readonly replicas: readonly VerifiedReplica[];
}
