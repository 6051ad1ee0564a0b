/** What a node says of replication, as far as benches read it. */

import { decodeToken } from '../../src/model/position.js';
import type { HttpConnection } from './http-connection.js';
import { get, prepare } from './requests.js';

export interface NodeStats {
  readonly role: string;
  readonly seq: number;
  readonly digest: string;
  /** Null: the node does not know. */
  readonly lagMs: number | null;
  /** Operations that it has not applied; a master: that not all have. */
  readonly pending: number | null;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly snapshotBytes: number;
  readonly fullSyncs: number;
  readonly partialSyncs: number;
}

const STATS = prepare('GET', '/replication/stats', 'json', null);

/** @returns null while the node has nothing to tell: it starts, or exchanges its data for a snapshot */
export async function statsOf(connection: HttpConnection): Promise<NodeStats | null> {
  const { status, body } = await connection.send(STATS);
  if (status === 503) return null;
  if (status !== 200) throw new Error(`/replication/stats answered ${status}: ${body.toString('utf8').slice(0, 500)}`);
  const stats = JSON.parse(body.toString('utf8')) as Readonly<Record<string, never>>;
  return {
    role: stats['role'] ?? '',
    seq: stats['position'] === null ? 0 : decodeToken(stats['position'] ?? '', 'position').seq,
    digest: stats['digest'] ?? '',
    lagMs: stats['lag_ms'] ?? null,
    pending: stats['operations_pending'] ?? null,
    bytesSent: Number(stats['bytes_sent']),
    bytesReceived: Number(stats['bytes_received']),
    snapshotBytes: Number(stats['snapshot_size']),
    fullSyncs: Number(stats['full_syncs']),
    partialSyncs: Number(stats['partial_syncs']),
  };
}

/** @throws Error when the node does not know yet */
export async function knownStats(connection: HttpConnection): Promise<NodeStats> {
  const stats = await statsOf(connection);
  if (stats === null) throw new Error('the node has no stats');
  return stats;
}

/** A replica as its master tells of it. */
export interface ToldReplica {
  readonly port: number;
  readonly status: string;
  readonly voter: boolean;
  readonly lag_ms: number | null;
}

export async function replicasToldBy(master: HttpConnection): Promise<readonly ToldReplica[]> {
  const { replicas } = await get(master, '/replication/replicas');
  return replicas as readonly ToldReplica[];
}
