/** What is written down while nodes die and come back: who acknowledged writes of which epoch, where the nodes stood, and a writer whose every
 *  write must happen exactly once. */

import * as assert from 'uvu/assert';
import { decodeToken } from '../../src/model/position.js';
import type { ClusterNode } from '../support/cluster.js';
import type { NodeStats } from '../support/node-calls.js';
import { checkDigestsAgree, type DigestSeen } from '../support/replication-checks.js';
import type { HttpAnswer } from '../support/server-process.js';

const PAUSE_MS = 50;
const POLL_MS = 100;

/** Who acknowledged writes of which epoch. */
export class AckBook {
  readonly breaches: string[] = [];
  readonly #masters = new Map<number, string>();

  note({ url, headers }: Pick<HttpAnswer<unknown>, 'url' | 'headers'>): void {
    const { epoch, historyId } = decodeToken(headers.get('x-skein-position') ?? '', 'position');
    const master = `${new URL(url).origin} with history ${historyId}`;
    const known = this.#masters.get(epoch) ?? master;
    this.#masters.set(epoch, known);
    if (known !== master) this.breaches.push(`epoch ${epoch}: ${known} and ${master}`);
  }
}

/** Puts one point after the other that must not be there yet, each with a key of its own, and asks until it is told that it was done:
 *  a write that was lost is missing in the end, and one that happened twice is refused. */
export class KeyedWriter {
  acknowledged = 0;
  lastToken = '';
  /** The last answer that was no acknowledgement. */
  last = '';
  readonly #nodes: readonly ClusterNode[];
  readonly #w: string;
  readonly #acks: AckBook;
  #running: Promise<void> | null = null;
  #stopped = false;
  #isOpen = false;

  constructor(nodes: readonly ClusterNode[], w: string, acks: AckBook) {
    this.#nodes = nodes;
    this.#w = w;
    this.#acks = acks;
  }

  start(): void {
    if (this.#running !== null) return;
    this.#stopped = false;
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** The write that is open then goes on with the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.#running = null;
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      const node = this.#nodes[turn % this.#nodes.length] as ClusterNode;
      const isFirst = !this.#isOpen;
      this.#isOpen = true;
      const answer = await this.#ask(node).catch((error: Error) => error);
      if (answer instanceof Error || answer.status >= 500) {
        this.last = answer instanceof Error ? answer.message : JSON.stringify(answer.body);
        continue;
      }
      assert.is(answer.status, 200, JSON.stringify(answer.body));
      this.#isOpen = false;
      this.acknowledged += 1;
      this.lastToken = answer.headers.get('x-skein-position') ?? '';
      // An earlier try may have been done by another master: then the answer is that one's.
      if (isFirst) this.#acks.note(answer);
    }
  }

  #ask(node: ClusterNode): Promise<HttpAnswer<unknown>> {
    const id = this.acknowledged;
    const points = [{ id, vector: [id, 1, 0, 0], if_version: 0 }];
    return node.request(
      'PUT',
      `/v1/collections/keyed/points?w=${this.#w}&timeout_ms=2000`,
      { points },
      { 'idempotency-key': `k${id}` },
    );
  }

  /** While it is stopped. */
  async check(node: ClusterNode): Promise<void> {
    const { body } = await node.request<{ count: number }>('POST', '/v1/collections/keyed/points/count', {});
    const most = this.acknowledged + (this.#isOpen ? 1 : 0);
    assert.ok(body.count >= this.acknowledged && body.count <= most, `${node.name} has ${body.count} keyed points, not ${most}`);
  }
}

/** Asks all nodes all the time where they stand. */
export class NodeWatch {
  readonly #nodes: readonly ClusterNode[];
  readonly #seen: DigestSeen[] = [];
  readonly #ended: Promise<void>;
  #stopped = false;

  constructor(nodes: readonly ClusterNode[]) {
    this.#nodes = nodes;
    this.#ended = this.#run();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await Promise.all(this.#nodes.map((node) => this.#look(node)));
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #look(node: ClusterNode): Promise<void> {
    const stats: NodeStats | null = await node.stats().catch(() => null);
    // A node that never had data has no position.
    if (stats !== null && stats.position !== null)
      this.#seen.push({ node: node.name, position: stats.position, digest: stats.digest });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
  }

  /** Forgets what was seen, as data is about to be taken away on purpose. */
  forget(): void {
    this.#seen.length = 0;
  }

  /** An epoch that fell, a seq that fell within a history, one position with two digests. */
  breaches(): string[] {
    const fallen: string[] = [];
    const last = new Map<string, ReturnType<typeof decodeToken>>();
    for (const { node, position } of this.#seen) {
      const now = decodeToken(position, 'position');
      const before = last.get(node) ?? now;
      last.set(node, now);
      const isBack = now.historyId === before.historyId && now.seq < before.seq;
      if (now.epoch < before.epoch || isBack)
        fallen.push(`${node} fell from ${before.epoch}/${before.seq} to ${now.epoch}/${now.seq}`);
    }
    return [...fallen, ...checkDigestsAgree(this.#seen)];
  }
}
