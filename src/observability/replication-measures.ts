/** Measures of replication: read when they are printed, at no cost in between. What is not known has no series; a replica that was
 *  forgotten has none any more. Must not know: links, routes. */

import { SkeinError } from '../model/errors.js';
import type { Meter } from '../model/meter.js';
import type { ReplicaInfo, ReplicaStatus, ReplicationStats, Role } from '../model/replication.js';
import { grownCounter } from './grown-counter.js';

/** Of whoever runs replication. */
export interface ReplicationFigures {
  role(): Role;
  /** @throws Starting until the store is open */
  stats(): ReplicationStats;
  replicas(): readonly ReplicaInfo[];
}

/** More have no series: a cluster has tens. */
const REPLICAS_MAX = 256;
const ROLES: readonly Role[] = ['master', 'replica'];
const STATUSES: readonly ReplicaStatus[] = ['Connected', 'Syncing', 'Lagging', 'Disconnected'];

export function measureReplication(meter: Meter, replication: ReplicationFigures): void {
  const role = meter.gauge({ name: 'replication_role', help: '1 for the role that the node has, else 0.', labels: ['role'] });
  const roles = ROLES.map((name) => ({ name, series: role.series({ role: name }) }));
  const showStats = nodeMeasures(meter);
  const showReplicas = replicaMeasures(meter);
  meter.beforePrinting(() => {
    const current = replication.role();
    for (const { name, series } of roles) series.set(name === current ? 1 : 0);
    showStats(statsUnlessStarting(replication));
    showReplicas(replication.replicas());
  });
}

/** Nothing is known before the store is open, and at the very end. */
function statsUnlessStarting(replication: ReplicationFigures): ReplicationStats | null {
  try {
    return replication.stats();
  } catch (error) {
    if (error instanceof SkeinError && (error.type === 'Starting' || error.type === 'ShuttingDown')) return null;
    throw error;
  }
}

function nodeMeasures(meter: Meter): (stats: ReplicationStats | null) => void {
  const gauge = (name: string, help: string) => meter.gauge({ name: `replication_${name}`, help }).series();
  const counter = (name: string, help: string) => grownCounter(meter, `replication_${name}_total`, help);
  const lag = gauge('lag_seconds', 'How old the state is: of the slowest voter on a master, its own on a replica.');
  const lagOperations = gauge('lag_operations', 'The same in operations.');
  const lagBytes = gauge('lag_bytes', 'The same in bytes of the log.');
  const pending = gauge('operations_pending', 'Operations that are not applied everywhere.');
  const connected = gauge('connected_replicas', 'Replicas that are not disconnected; on a master.');
  const bytesSent = counter('bytes_sent', 'Framed bytes sent to other nodes.');
  const bytesReceived = counter('bytes_received', 'Framed bytes received from other nodes.');
  const heartbeatsSent = counter('heartbeats_sent', 'Heartbeats sent.');
  const heartbeatsReceived = counter('heartbeats_received', 'Heartbeats received.');
  const fullSyncs = counter('full_syncs', 'Syncs by a snapshot.');
  const partialSyncs = counter('partial_syncs', 'Syncs from the log alone.');
  const reconnects = counter('reconnects', 'Links that were made again.');
  const divergences = counter('divergences', 'Times that data was found to differ.');
  return (stats) => {
    lag.set(secondsOf(stats?.lagMs));
    lagOperations.set(stats?.lagOperations ?? null);
    lagBytes.set(stats?.lagBytes ?? null);
    pending.set(stats?.operationsPending ?? null);
    connected.set(stats?.connectedReplicas ?? null);
    if (stats === null) return;
    bytesSent(stats.bytesSent);
    bytesReceived(stats.bytesReceived);
    heartbeatsSent(stats.heartbeatsSent);
    heartbeatsReceived(stats.heartbeatsReceived);
    fullSyncs(stats.fullSyncs);
    partialSyncs(stats.partialSyncs);
    reconnects(stats.reconnects);
    divergences(stats.divergences);
  };
}

function replicaMeasures(meter: Meter): (replicas: readonly ReplicaInfo[]) => void {
  const gauge = (name: string, help: string, labels = ['replica']) =>
    meter.gauge({ name: `replication_replica_${name}`, help, labels });
  const lag = gauge('lag_seconds', 'How old the state of a replica is.');
  const lagOperations = gauge('lag_operations', 'Operations that a replica has not applied.');
  const lagBytes = gauge('lag_bytes', 'Bytes of the log that a replica has not applied.');
  const bytesSent = gauge('sent_bytes', 'Framed bytes sent to a replica.');
  const status = gauge('status', '1 for the status that a replica has, else 0.', ['replica', 'status']);
  const all = [lag, lagOperations, lagBytes, bytesSent, status];
  return (replicas) => {
    for (const measure of all) measure.clear();
    for (const info of replicas.slice(0, REPLICAS_MAX)) {
      const labels = { replica: info.id };
      if (info.lagMs !== null) lag.series(labels).set(secondsOf(info.lagMs));
      if (info.lagOperations !== null) lagOperations.series(labels).set(info.lagOperations);
      if (info.lagBytes !== null) lagBytes.series(labels).set(info.lagBytes);
      bytesSent.series(labels).set(info.bytesSent);
      for (const name of STATUSES) status.series({ ...labels, status: name }).set(info.status === name ? 1 : 0);
    }
  };
}

function secondsOf(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / 1_000;
}
