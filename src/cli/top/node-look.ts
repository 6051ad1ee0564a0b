/** One look at one node: what it says of itself, and its metrics. A node that is down, starting, or does not show everything to this key is a look like
 *  any other. Must not know: terminals, time between looks. */

import { messageOf } from '../../model/errors.js';
import { type ReplicationStatus, type SkeinClient, SkeinConnectionError } from '../../sdk/index.js';
import { type Metrics, readMetrics } from './prometheus-text.js';

export interface NodeLook {
  readonly name: string;
  readonly url: string;
  /** By a clock that only goes forward. */
  readonly atMs: number;
  /** healthy, degraded, unhealthy; starting, draining, stopping; or down. */
  readonly state: string;
  /** Why it is not healthy; what could not be seen. */
  readonly reasons: readonly string[];
  readonly replication: ReplicationStatus | null;
  readonly metrics: Metrics | null;
}

export interface LookedAt {
  readonly name: string;
  readonly url: string;
  readonly client: SkeinClient;
}

/** @throws the reason of the signal */
export async function lookAt({ name, url, client }: LookedAt, timeoutMs: number, signal: AbortSignal): Promise<NodeLook> {
  const options = { timeoutMs, signal };
  const notSeen: string[] = [];
  const seen = async <Value>(what: string, asked: Promise<Value>): Promise<Value | null> => {
    try {
      return await asked;
    } catch (error) {
      if (signal.aborted) throw error;
      notSeen.push(`${what}: ${error instanceof SkeinConnectionError ? error.code : messageOf(error)}`);
      return null;
    }
  };
  const look = { name, url, atMs: performance.now(), replication: null, metrics: null };
  const ready = await seen('no answer', client.server.ready(options));
  if (ready === null) return { ...look, state: 'down', reasons: notSeen };
  if (ready.status !== 'ready') return { ...look, state: ready.status, reasons: [`${ready.step}: ${ready.message}`] };
  const [health, replication, metrics] = await Promise.all([
    seen('health', client.server.health(options)),
    seen('replication', client.replication.status(options)),
    seen('metrics', client.server.metrics(options)),
  ]);
  return {
    ...{ ...look, replication, metrics: metrics === null ? null : readMetrics(metrics) },
    state: health?.status ?? 'unknown',
    reasons: [...(health?.reasons ?? []), ...notSeen],
  };
}
