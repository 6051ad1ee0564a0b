/** A client of three nodes through all that happens to a cluster: the master is killed, a replica is promoted, the old master comes back as a replica,
 *  and all are restarted one after the other. Writes for a majority never fail and take effect once; each session sees its own writes. */

import * as assert from 'uvu/assert';
import { decodeToken } from '../../src/model/position.js';
import { SkeinClient } from '../../src/sdk/index.js';
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

  assert.equal(load.failures, []);
  await waitUntilEqual(nodes);
  assert.is(await client.count('c'), load.acknowledged.length);
  assert.is(new Set(load.acknowledged).size, load.acknowledged.length);
});

test.run();
