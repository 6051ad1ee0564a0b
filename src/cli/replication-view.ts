/** Replication as `skein status` shows it. What is not known is a question mark for people and null for programs, never 0. */

import type { Replica, ReplicationStatus, SnapshotProgress } from '../sdk/index.js';
import { counted, grouped, roughBytes, roughMs } from './numbers.js';
import { tableLines } from './table.js';

const COLUMNS = [
  { title: 'replica' },
  { title: 'address' },
  { title: 'status' },
  { title: 'votes' },
  { title: 'lag', right: true },
  { title: 'behind', right: true },
  { title: 'sent', right: true },
];

/** One object for the node, then one for each replica. */
export function replicationObjects({ role, enabled, masterUrl, stats, replicas }: ReplicationStatus): object[] {
  const node = {
    kind: 'replication',
    role,
    enabled,
    master_url: masterUrl,
    node_id: stats?.nodeId ?? null,
    epoch: stats?.epoch ?? null,
    history_id: stats?.historyId ?? null,
    position: stats?.position ?? null,
    digest: stats?.digest ?? null,
    lag_ms: stats?.lagMs ?? null,
    lag_operations: stats?.lagOperations ?? null,
    lag_bytes: stats?.lagBytes ?? null,
    operations_pending: stats?.operationsPending ?? null,
    connected_replicas: stats?.connectedReplicas ?? null,
    link: stats?.link ?? null,
    divergences: stats?.divergences ?? null,
    snapshot: progressObject(stats?.snapshot ?? null),
  };
  return [node, ...replicas.map(replicaObject)];
}

function replicaObject(replica: Replica): object {
  return {
    kind: 'replica',
    id: replica.id,
    host: replica.host,
    port: replica.port,
    status: replica.status,
    voter: replica.voter,
    lag_ms: replica.lagMs,
    lag_operations: replica.lagOperations,
    lag_bytes: replica.lagBytes,
    last_heartbeat: replica.lastHeartbeat,
    operations_synced: replica.operationsSynced,
    bytes_sent: replica.bytesSent,
    position: replica.position,
    diverged: replica.diverged,
    snapshot: progressObject(replica.snapshot),
  };
}

function progressObject(progress: SnapshotProgress | null): object | null {
  return progress === null ? null : { bytes: progress.bytes, bytes_total: progress.bytesTotal, eta_ms: progress.etaMs };
}

export function replicationLines({ role, masterUrl, stats, replicas }: ReplicationStatus): string[] {
  const lines = [role === 'master' ? masterLine(replicas) : `replica of ${masterUrl ?? 'a master that is not known now'}`];
  if (stats !== null) {
    if (role === 'replica')
      lines[0] += `: ${stats.link ?? 'no link'}, lag ${lagOf(stats.lagMs)}, ${behind(stats.lagOperations)} behind`;
    if (stats.snapshot !== null) lines.push(`snapshot ${progressOf(stats.snapshot)}`);
    if (stats.divergences > 0)
      lines.push(`data was found to differ ${counted(stats.divergences, 'time')}: see "skein verify --url"`);
  }
  if (replicas.length === 0) return lines;
  const rows = replicas.map((replica) => [
    replica.id,
    `${replica.host}:${replica.port}`,
    statusOf(replica),
    replica.voter ? 'yes' : 'no',
    lagOf(replica.lagMs),
    behind(replica.lagOperations),
    roughBytes(replica.bytesSent),
  ]);
  return [...lines, '', ...tableLines(COLUMNS, rows)];
}

function masterLine(replicas: readonly Replica[]): string {
  if (replicas.length === 0) return 'master, no replicas';
  const connected = replicas.filter(({ status }) => status !== 'Disconnected').length;
  return `master, ${connected} of ${counted(replicas.length, 'replica')} connected`;
}

function statusOf({ status, diverged, snapshot }: Replica): string {
  if (snapshot !== null) return `${status} ${progressOf(snapshot)}`;
  return diverged ? `${status}, DIFFERENT` : status;
}

function progressOf({ bytes, bytesTotal, etaMs }: SnapshotProgress): string {
  const share = bytesTotal === 0 ? 0 : Math.floor((bytes * 100) / bytesTotal);
  return `${share} % of ${roughBytes(bytesTotal)}${etaMs === null ? '' : `, about ${roughMs(etaMs)} to go`}`;
}

function lagOf(ms: number | null): string {
  return ms === null ? '?' : roughMs(ms);
}

function behind(operations: number | null): string {
  return operations === null ? '?' : grouped(operations);
}
