/** What a node says about replication, as plain data: the words of /replication/*, shared by the room that knows and the rooms that show.
 *
 *  Unknown is null, never 0. Times of day are milliseconds since 1970; lags are milliseconds on a clock that never goes back. */

import { SkeinError } from './errors.js';
import type { Position } from './position.js';

export type Role = 'master' | 'replica';

/** A node that counts for a majority, and the HTTP address it advertises. */
export interface Voter {
  /** 32 lower-case hex digits. */
  readonly nodeId: string;
  readonly host: string;
  readonly port: number;
}

/** The fewest of so many voters that are more than half of them. */
export function majorityOf(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Disconnected: no link, or silent for longer than the timeout. Syncing: until it has reached the tail once. Lagging: behind for
 *  longer than allowed, until it is well below. Connected: all else. */
export type ReplicaStatus = 'Connected' | 'Syncing' | 'Lagging' | 'Disconnected';

/** One replica as its master sees it. */
export interface ReplicaInfo {
  /** Node id. */
  readonly id: string;
  /** The HTTP address that the replica advertises. */
  readonly host: string;
  readonly port: number;
  readonly status: ReplicaStatus;
  readonly voter: boolean;
  readonly lagMs: number | null;
  readonly lagOperations: number | null;
  readonly lagBytes: number | null;
  /** When it was last heard of, or null: not since this master started. */
  readonly lastHeartbeatMs: number | null;
  /** The seq that it has applied; null when not known. */
  readonly operationsSynced: number | null;
  readonly bytesSent: number;
  readonly position: Position | null;
  readonly protocolVersion: number | null;
  readonly connectedAtMs: number | null;
  /** What it is being sent, while it takes a snapshot. */
  readonly snapshot: SnapshotProgress | null;
  /** Its data was found to differ from this master's. */
  readonly diverged: boolean;
}

export interface SnapshotProgress {
  readonly bytes: number;
  readonly bytesTotal: number;
  /** Null until something came. */
  readonly etaMs: number | null;
}

/** @param spentMs since it began: the rest comes as quickly */
export function snapshotProgress(bytes: number, bytesTotal: number, spentMs: number): SnapshotProgress {
  return { bytes, bytesTotal, etaMs: bytes === 0 ? null : Math.round((spentMs * (bytesTotal - bytes)) / bytes) };
}

/** A node's own figures. */
export interface ReplicationStats {
  readonly role: Role;
  readonly nodeId: string;
  /** Like the position and the digest null until the node has data. */
  readonly clusterId: string | null;
  /** Master: the largest of its voters', null when none is connected. Replica: its own. */
  readonly lagMs: number | null;
  readonly lagOperations: number | null;
  readonly lagBytes: number | null;
  /** Framed bytes since the process started. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** When everything that was known was applied everywhere, last. */
  readonly lastSyncMs: number | null;
  readonly operationsPending: number | null;
  /** Bytes of the last complete snapshot that was sent or received; 0 when there was none. */
  readonly snapshotSize: number;
  /** Master only. */
  readonly connectedReplicas: number | null;
  readonly position: Position | null;
  readonly heartbeatsSent: number;
  readonly heartbeatsReceived: number;
  readonly lastHeartbeatMs: number | null;
  readonly fullSyncs: number;
  readonly partialSyncs: number;
  readonly reconnects: number;
  /** State digest, 32 hex digits. */
  readonly digest: string | null;
  /** When it was last held against the other side's at one position. */
  readonly digestVerifiedAtMs: number | null;
  readonly divergences: number;
  /** What a replica does: connecting, syncing, following, diverged …; null on a master. */
  readonly link: string | null;
  readonly snapshot: SnapshotProgress | null;
}

/** What another master may have acknowledged and this node has not: from this seq on. */
export interface MaybeLost {
  readonly fromSeq: number;
  /** Null: as far as it had come, which cannot be known. */
  readonly toSeq: number | null;
  /** The last seq that it was known to have; null when none beyond this node's own was. */
  readonly knownSeq: number | null;
}

export interface PromoteAnswer {
  readonly epoch: number;
  readonly historyId: string;
  readonly position: Position;
  /** Null when nothing can be missing. */
  readonly maybeLost: MaybeLost | null;
}

export interface DifferingRange {
  readonly collection: string;
  readonly buckets: readonly number[];
  /** Point ids, as many as fit. */
  readonly points: readonly (string | number)[];
}

export interface VerifiedReplica {
  readonly id: string;
  /** As found: before a repair. Null: it was not compared. */
  readonly equal: boolean | null;
  readonly differing: readonly DifferingRange[];
  /** Points that were fetched again or removed. */
  readonly repaired: number;
  /** Why it was not compared; only then. */
  readonly error?: { readonly type: string; readonly message: string };
}

export interface VerifyAnswer {
  /** Null: none was found to differ, and not all could be compared. */
  readonly equal: boolean | null;
  readonly position: Position;
  readonly replicas: readonly VerifiedReplica[];
}

export function replicaNotFound(id: string): SkeinError {
  return new SkeinError('ReplicaNotFound', `No replica has the id ${JSON.stringify(id)}`, { id });
}
