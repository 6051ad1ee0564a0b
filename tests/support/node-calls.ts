/** What tests ask a node of a cluster about replication, over HTTP, each call with a deadline: a node may be frozen or cut off.
 *
 *  Must not know: how the node is run. */

import { type ErrorBody, type HttpAnswer, request } from './server-process.js';
import { waitUntil } from './wait-until.js';

/** GET /replication/stats, as far as tests read it. */
export interface NodeStats extends Readonly<Record<string, unknown>> {
  readonly role: 'master' | 'replica';
  readonly position: string;
  readonly digest: string;
  readonly epoch: number;
  readonly history_id: string;
  readonly full_syncs: number;
  readonly partial_syncs: number;
  readonly divergences: number;
}

export interface Promotion {
  readonly epoch: number;
  readonly history_id: string;
  readonly position: string;
  readonly maybe_lost: { readonly from_seq: number; readonly to_seq: number | null; readonly known_seq: number | null } | null;
}

const DEADLINE_MS = 10_000;

export class NodeCalls {
  readonly name: string;
  readonly url: string;
  /** Of every call, in ms; a write whose answer takes longer counts as lost. */
  readonly deadlineMs: number;

  constructor(name: string, url: string, deadlineMs = DEADLINE_MS) {
    this.name = name;
    this.url = url;
    this.deadlineMs = deadlineMs;
  }

  request<Body = ErrorBody>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<HttpAnswer<Body>> {
    return request(this.url, method, path, body, headers, this.deadlineMs);
  }

  stats(): Promise<NodeStats> {
    return this.#ask('GET', '/replication/stats');
  }

  promote(options: { readonly force?: boolean } = {}): Promise<Promotion> {
    return this.#ask('POST', '/replication/promote', options);
  }

  follow(masterUrl: string): Promise<unknown> {
    return this.#ask('POST', '/replication/follow', { master_url: masterUrl });
  }

  /** @throws Error with the answer when it is not 2xx */
  async #ask<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.request<Body>(method, path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${path} of ${this.name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }
}

/** Waits until all nodes have the same position and, at it, the same digest.
 *  @throws Error with the last stats of every node after the deadline */
export async function waitUntilEqual(
  nodes: readonly Pick<NodeCalls, 'name' | 'stats'>[],
  { deadlineMs = 30_000 }: { readonly deadlineMs?: number } = {},
): Promise<Pick<NodeStats, 'position' | 'digest'>> {
  if (nodes.length < 2) throw new Error('one node alone is always equal: nothing would be checked');
  let last: (NodeStats | Error)[] = [];
  const equal = async (): Promise<boolean> => {
    last = await Promise.all(nodes.map((node) => node.stats().catch((error: Error) => error)));
    return areEqual(last);
  };
  await waitUntil(equal, { deadlineMs, what: 'equal nodes' }).catch((error: Error) => {
    const lines = nodes.map(({ name }, index) => `${name}: ${shown(last[index])}`);
    throw new Error(`${error.message}\n${lines.join('\n')}`);
  });
  const { position, digest } = last[0] as NodeStats;
  return { position, digest };
}

function areEqual(stats: readonly (NodeStats | Error)[]): boolean {
  const [first] = stats;
  if (first === undefined || first instanceof Error || !first.position || !first.digest) return false;
  return stats.every((one) => !(one instanceof Error) && one.position === first.position && one.digest === first.digest);
}

function shown(stats: NodeStats | Error | undefined): string {
  return stats instanceof Error ? `${stats.name}: ${stats.message}` : JSON.stringify(stats);
}
