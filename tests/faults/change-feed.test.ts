/** A million changes through a failover: readers whose connections break at random hear of each once, in the order of the log.
 *
 *  One reader is the client's iterator, one reads Server-Sent Events by itself and comes back with the last id. Both read from replicas, while the writer
 *  writes for a majority; in the middle the master is killed, the furthest replica is promoted, and the old master comes back as a replica. */

import * as assert from 'uvu/assert';
import { decodeToken } from '../../src/model/position.js';
import { SkeinClient } from '../../src/sdk/index.js';
import { type ClusterNode, startCluster } from '../support/cluster.js';
import { CuttingTransport } from '../support/cutting-transport.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/change-feed', { deadlineMs: 900_000 });
const POINTS = 1_000;
const UNITS = 1_000;
/** Vectors are written anew with every so many units; between them payloads alone change. */
const VECTORS_EVERY = 20;
const CUT_BYTES_MAX = 4_000_000;

interface Told {
  readonly type: string;
  readonly id?: unknown;
  readonly payload?: unknown;
}

/** Unit n writes all points, in the order of their ids, with n as their payload. */
class Expected {
  count = 0;

  take({ type, id, payload }: Told): void {
    const [unit, at] = [Math.floor(this.count / POINTS), this.count % POINTS];
    const n = (payload as { readonly n?: number } | undefined)?.n;
    if (type !== 'upsert' || id !== at || n !== unit)
      throw new Error(`change ${this.count} is ${type} of ${String(id)} by unit ${n}, not of ${at} by unit ${unit}`);
    this.count += 1;
  }

  get isWhole(): boolean {
    return this.count === POINTS * UNITS;
  }
}

async function isReady(urls: readonly string[]): Promise<boolean> {
  const answers = await Promise.all(urls.map((url) => fetch(`${url}/health/ready`).catch(() => null)));
  return answers.some((answer) => answer?.status === 200);
}

/** Reads events by hand, each connection up to some byte and then the next one, from node to node. */
async function readRaw(
  urls: readonly string[],
  from: string,
  random: Random,
  expected: Expected,
): Promise<{ connections: number }> {
  let id = from;
  let connections = 0;
  while (!expected.isWhole) {
    connections += 1;
    const url = `${urls[random.integer(0, urls.length - 1)]}/v1/changes?collection=c`;
    const controller = new AbortController();
    let left = random.integer(0, CUT_BYTES_MAX);
    try {
      const response = await fetch(url, { headers: { 'last-event-id': id }, signal: controller.signal });
      if (response.status !== 200) {
        // Behind, starting, or with a log that begins later: another one may do.
        if (![410, 503].includes(response.status)) throw new Error(`${response.status} ${await response.text()}`);
        await response.arrayBuffer();
        await waitUntil(() => isReady(urls), { what: 'a node that serves', deadlineMs: 60_000 });
        continue;
      }
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        const blocks = (text + decoder.decode(chunk.subarray(0, left), { stream: true })).split('\n\n');
        left -= chunk.length;
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (/^event: error$/m.test(block)) break;
          if (data !== undefined) expected.take(JSON.parse(data) as Told);
          id = /^id: (.*)$/m.exec(block)?.[1] ?? id;
        }
        if (left <= 0 || expected.isWhole) break;
      }
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      await waitUntil(() => isReady(urls), { what: 'a node that serves', deadlineMs: 60_000 });
    } finally {
      controller.abort();
    }
  }
  return { connections };
}

async function furthest(nodes: readonly ClusterNode[]): Promise<ClusterNode> {
  const seqs = await Promise.all(nodes.map(async (node) => decodeToken((await node.stats()).position, 'position').seq));
  return nodes[seqs.indexOf(Math.max(...seqs))] as ClusterNode;
}

test('a million changes come once and in order, over broken connections and a failover', async (t) => {
  const random = new Random(t.seed());
  const { master, replicas, nodes } = await startCluster(t, { replicas: 2 });
  const urls = nodes.map(({ url }) => url);
  const writer = new SkeinClient({ nodes: urls, timeoutMs: 60_000, tryTimeoutMs: 5_000 });
  const transport = new CuttingTransport(random, CUT_BYTES_MAX);
  const reader = new SkeinClient({ nodes: urls, transport, readPreference: 'replica', retries: { delayMsMax: 500 } });
  t.after(() => writer.close());
  t.after(() => reader.close());
  const { position: from } = await writer.createCollection('c', { dimension: 2, distance: 'dot' }, { w: 3 });

  const startMs = performance.now();
  const [iterated, raw] = [new Expected(), new Expected()];
  const iterating = (async () => {
    for await (const change of reader.changes({ from, collection: 'c' })) {
      iterated.take(change);
      if (iterated.isWhole) return;
    }
  })();
  const reading = readRaw(
    replicas.map(({ url }) => url),
    from,
    random,
    raw,
  );
  const failed = Promise.all([iterating, reading]).then(() => undefined);

  const ids = Array.from({ length: POINTS }, (_, id) => id);
  const write = async (n: number): Promise<void> => {
    const options = { w: 'majority', wait: 'durable' } as const;
    const payload = { n };
    if (n % VECTORS_EVERY === 0)
      await writer.upsert(
        'c',
        ids.map((id) => ({ id, vector: [id, n], payload })),
        options,
      );
    else
      await writer.patch(
        'c',
        ids.map((id) => ({ id, payload })),
        options,
      );
  };
  for (let n = 0; n < UNITS; n++) {
    if (n === UNITS / 2) {
      // With a write under way.
      const writing = write(n);
      await master.kill();
      const next = await furthest(replicas);
      await next.promote({ force: true });
      await (replicas.find((node) => node !== next) as ClusterNode).follow(next.replicationUrl);
      await writing;
      await master.start({ master: next.replicationUrl });
    } else await Promise.race([write(n), failed.then(() => write(n))]);
  }
  const writtenMs = performance.now() - startMs;
  await failed;
  const readMs = performance.now() - startMs;
  await waitUntil(async () => (await master.stats()).role === 'replica', { what: 'the old master to follow' });
  assert.equal([iterated.count, raw.count], [POINTS * UNITS, POINTS * UNITS]);
  const { connections } = await reading;
  assert.ok(transport.cuts > 20 && connections > 20, `${transport.cuts} and ${connections} connections`);
  process.stdout.write(
    `\n  ${iterated.count} changes to each of 2 readers; written in ${Math.round(writtenMs / 1_000)} s, read in ${Math.round(readMs / 1_000)} s; ` +
      `${transport.cuts} connections cut of the iterator, ${connections} of the other\n`,
  );
});

test.run();
