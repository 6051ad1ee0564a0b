/** Health of replication: role, links, lag, divergences. A node alone is healthy; so is a master whose voters are all there.
 *  Must not know: links, how roles change. */

import type { HealthCheck, HealthFinding } from '../model/health.js';
import type { ReplicaInfo, ReplicationStats } from '../model/replication.js';

export interface ReplicationFacts {
  readonly stats: ReplicationStats;
  readonly replicas: readonly ReplicaInfo[];
  /** What the node itself knows to be wrong: no link, two masters, other data. */
  readonly concerns: readonly string[];
}

export interface ReplicationCheckParts {
  /** @throws Starting until the store is open */
  facts(): ReplicationFacts;
  /** How far behind is degraded, in milliseconds. */
  readonly lagMaxMs: number;
  readonly timeoutMs: number;
}

export function replicationCheck({ facts, lagMaxMs, timeoutMs }: ReplicationCheckParts): HealthCheck {
  return {
    name: 'replication',
    deadlineMs: timeoutMs,
    whenSilent: 'degraded',
    check: () => replicationFinding(facts(), lagMaxMs),
  };
}

export function replicationFinding({ stats, replicas, concerns }: ReplicationFacts, lagMaxMs: number): HealthFinding {
  const { role, link, lagMs, divergences, connectedReplicas } = stats;
  const reasons = [...concerns];
  if (role === 'replica' && lagMs !== null && lagMs > lagMaxMs) reasons.push(`the data is ${seconds(lagMs)} behind the master's`);
  for (const { id, status, voter, lagMs: behindMs } of replicas) {
    if (status === 'Disconnected' && voter) reasons.push(`replica ${id} is disconnected`);
    else if (status !== 'Disconnected' && behindMs !== null && behindMs > lagMaxMs)
      reasons.push(`replica ${id} is ${seconds(behindMs)} behind`);
  }
  return {
    status: reasons.length > 0 ? 'degraded' : 'healthy',
    message: reasons.length > 0 ? reasons.join('; ') : wellSaid(stats, replicas.length),
    latencyMs: null,
    details: { role, link, lag_ms: lagMs, divergences, connected_replicas: connectedReplicas, replicas: replicas.length },
  };
}

function wellSaid({ role, link, lagMs, connectedReplicas }: ReplicationStats, known: number): string {
  if (role === 'replica') return `replica, ${link ?? 'no link'}${lagMs === null ? '' : `, ${seconds(lagMs)} behind`}`;
  return known === 0 ? 'master without replicas' : `master, ${connectedReplicas ?? 0} of ${known} replicas connected`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}
