/** What tests of clusters ask again and again: the row that a master shows of a replica, whether nodes answer alike, and calls that go
 *  where the master is.
 *
 *  Must not know: what is tested. */

import * as assert from 'uvu/assert';
import type { ClusterNode } from './cluster.js';
import type { ErrorBody, HttpAnswer } from './server-process.js';
import { waitUntil } from './wait-until.js';

/** A row of GET /replication/replicas, as far as tests read it. */
export interface ReplicaRow {
  readonly id: string;
  readonly port: number;
  readonly status: 'Connected' | 'Syncing' | 'Lagging' | 'Disconnected';
  readonly voter: boolean;
  readonly lag_ms: number | null;
  readonly lag_operations: number | null;
  readonly operations_synced: number | null;
  readonly diverged: boolean;
}

/** Short enough for a test, long enough for a busy machine. */
export const QUICK_BEATS = ['--heartbeat-ms', '100', '--replica-timeout-ms', '2000', '--snapshot-min-interval-ms', '0'] as const;

/** @returns null when the master knows of no such replica */
export async function rowOf(master: ClusterNode, replica: ClusterNode): Promise<ReplicaRow | null> {
  const { body } = await master.request<{ replicas: ReplicaRow[] }>('GET', '/replication/replicas');
  return body.replicas.find(({ port }) => port === replica.port) ?? null;
}

export function waitForStatus(
  master: ClusterNode,
  replica: ClusterNode,
  status: ReplicaRow['status'],
  deadlineMs = 30_000,
): Promise<ReplicaRow> {
  const is = async (): Promise<ReplicaRow | null> => {
    const row = await rowOf(master, replica).catch(() => null);
    return row?.status === status ? row : null;
  };
  return waitUntil(is, { deadlineMs, what: `${replica.name} to be ${status} for ${master.name}` });
}

/** Waits until each replica is connected and registered as a voter. */
export async function waitForVoters(master: ClusterNode, replicas: readonly ClusterNode[], deadlineMs = 30_000): Promise<void> {
  for (const replica of replicas) {
    const voter = async (): Promise<boolean> => {
      const row = await rowOf(master, replica).catch(() => null);
      return row?.status === 'Connected' && row.voter;
    };
    await waitUntil(voter, { deadlineMs, what: `${replica.name} to be a voter of ${master.name}` });
  }
}

/** Everything that can be read of a node's collections: settings, and all points with vectors, payloads and versions. */
export async function contentOf(node: ClusterNode): Promise<unknown> {
  const { body } = await node.request<{ collections: Record<string, unknown>[] }>('GET', '/v1/collections');
  const all: Record<string, unknown> = {};
  for (const { name, dimension, distance, hnsw, points_count, ttl_ms, created_at } of body.collections) {
    const points: unknown[] = [];
    let cursor: string | null = null;
    do {
      const scroll = { limit: 1_000, with_vector: true, with_payload: true, ...(cursor === null ? {} : { cursor }) };
      const page: HttpAnswer<{ points: unknown[]; next_cursor: string | null }> = await node.request(
        'POST',
        `/v1/collections/${String(name)}/points/scroll`,
        scroll,
      );
      assert.is(page.status, 200, JSON.stringify(page.body).slice(0, 300));
      points.push(...page.body.points);
      cursor = page.body.next_cursor;
    } while (cursor !== null);
    all[String(name)] = { dimension, distance, hnsw, points_count, ttl_ms, created_at, points };
  }
  return all;
}

/** A write as a client does it: goes where a replica sends it, and asks again, with the same key, while no master takes it. */
export async function persistently<Body = ErrorBody>(
  nodes: readonly ClusterNode[],
  method: string,
  path: string,
  body: unknown,
  { key, deadlineMs = 30_000 }: { readonly key: string; readonly deadlineMs?: number },
): Promise<HttpAnswer<Body>> {
  let turn = 0;
  const answered = async (): Promise<HttpAnswer<Body> | null> => {
    const node = nodes[turn++ % nodes.length] as ClusterNode;
    const answer = await node.request<Body>(method, path, body, { 'idempotency-key': key }).catch(() => null);
    return answer !== null && answer.status < 500 ? answer : null;
  };
  return waitUntil(answered, { deadlineMs, what: `${method} ${path} to be answered` });
}
