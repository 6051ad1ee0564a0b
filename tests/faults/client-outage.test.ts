/** A client of three nodes through all that happens to a cluster: the master is killed, a replica is promoted, the old master comes back as a replica,
 *  and all are restarted one after the other. Writes for a majority never fail and take effect once; each session sees its own writes; and a read that
 *  may be a second old, hedged, from whichever node, shows what had been confirmed a second before it was asked. */

import * as assert from 'uvu/assert';
import { decodeToken } from '../../src/model/position.js';
import { SkeinApiError, SkeinClient } from '../../src/sdk/index.js';
import { type ClusterNode, startCluster } from '../support/cluster.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/client-outage', { deadlineMs: 300_000 });
const LOOPS = 4;
const WRITES_MORE = 40;

class Load {
  readonly acknowledged: number[] = [];
  readonly failures: string[] = [];
  readonly #client: SkeinClient;
  readonly #loops: Promise<void>[];
  #stopped = false;

  constructor(client: SkeinClient) {
    this.#client = client;
    this.#loops = Array.from({ length: LOOPS }, (_, loop) => this.#run(loop));
  }

  /** So many writes were acknowledged since. */
  async more(what: string): Promise<void> {
    const until = this.acknowledged.length + WRITES_MORE;
    await waitUntil(() => this.acknowledged.length >= until || this.failures.length > 0, { what, deadlineMs: 60_000 });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #run(loop: number): Promise<void> {
    const session = this.#client.session();
    for (let turn = 0; !this.#stopped; turn++) {
      const id = turn * LOOPS + loop;
      try {
        // A second effect of one write would find that the point exists.
        await session.upsert('c', [{ id, vector: [id, 1], payload: { turn }, ifVersion: 0 }], { w: 'majority' });
        this.acknowledged.push(id);
        const found = await session.get('c', id);
        if (found.payload?.['turn'] !== turn) this.failures.push(`point ${id} was read as ${JSON.stringify(found.payload)}`);
      } catch (error) {
        this.failures.push(`point ${id}: ${String(error)}`);
      }
    }
  }
}

const STALENESS_MS = 1_000;

/** One point counts up; readers without a session look at it, and what they may not see is older than allowed. */
class FreshReads {
  readonly failures: string[] = [];
  answered = 0;
  refused = 0;
  readonly #confirmed: { readonly count: number; readonly atMs: number }[] = [];
  readonly #loops: Promise<void>[];
  #stopped = false;

  constructor(writer: SkeinClient, reader: SkeinClient) {
    this.#loops = [this.#write(writer), this.#read(reader), this.#read(reader)];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #write(writer: SkeinClient): Promise<void> {
    for (let count = 1; !this.#stopped; count++) {
      await writer.upsert('counter', [{ id: 0, vector: [0], payload: { count } }], { w: 'majority' });
      this.#confirmed.push({ count, atMs: performance.now() });
    }
  }

  async #read(reader: SkeinClient): Promise<void> {
    while (!this.#stopped) {
      const startMs = performance.now();
      const least = this.#confirmed.findLast(({ atMs }) => atMs <= startMs - STALENESS_MS)?.count ?? 0;
      try {
        const { payload } = await reader.get('counter', 0);
        this.answered += 1;
        if (Number(payload?.['count']) < least)
          this.failures.push(`${String(payload?.['count'])} was read where ${least} was due`);
      } catch (error) {
        // Nobody has to be fresh enough at every moment; but nobody else may answer. Before the first write there is no point.
        this.refused += 1;
        if (error instanceof SkeinApiError && !error.retryable && error.type !== 'PointNotFound')
          this.failures.push(String(error));
      }
    }
  }
}

/** Of those that are left, the one that holds most: what a majority holds is there. */
async function furthest(nodes: readonly ClusterNode[]): Promise<ClusterNode> {
  const seqs = await Promise.all(nodes.map(async (node) => decodeToken((await node.stats()).position, 'position').seq));
  return nodes[seqs.indexOf(Math.max(...seqs))] as ClusterNode;
}

test('no write for a majority fails, none happens twice, and no session misses its own writes', async (t) => {
  const { master, replicas, nodes } = await startCluster(t, { replicas: 2 });
  const client = new SkeinClient({ nodes: nodes.map(({ url }) => url), timeoutMs: 60_000, tryTimeoutMs: 3_000 });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 2, distance: 'dot' }, { w: 3 });
  const load = new Load(client);
  await client.createCollection('counter', { dimension: 1, distance: 'dot' }, { w: 3 });
  const reader = new SkeinClient({
    ...{ nodes: nodes.map(({ url }) => url), session: false, tryTimeoutMs: 1_000, timeoutMs: 3_000 },
    ...{ readPreference: 'fresh', maxStalenessMs: STALENESS_MS, hedge: { afterMs: 'p95' } },
  });
  t.after(() => reader.close());
  const fresh = new FreshReads(client, reader);
  await load.more('writes before anything happens');

  await master.kill();
  const next = await furthest(replicas);
  await next.promote({ force: true });
  const other = replicas.find((node) => node !== next) as ClusterNode;
  await other.follow(next.replicationUrl);
  await load.more('writes after the promotion');

  await master.start({ master: next.replicationUrl });
  await waitUntil(async () => (await master.stats()).role === 'replica', { what: 'the old master to follow' });
  await load.more('writes beside the old master');

  for (const node of nodes) {
    await node.restart();
    await load.more(`writes after ${node.name} was started again`);
  }
  await load.stop();
  await fresh.stop();

  assert.equal(load.failures, []);
  assert.equal(fresh.failures, []);
  assert.ok(fresh.answered > 10 * fresh.refused, `${fresh.answered} answered, ${fresh.refused} refused`);
  await waitUntilEqual(nodes);
  assert.is(await client.count('c'), load.acknowledged.length);
  assert.is(new Set(load.acknowledged).size, load.acknowledged.length);
});

test.run();
