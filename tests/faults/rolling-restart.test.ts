/** Every node of a cluster is stopped and started again under load, the master first: it hands its mastership over, and no majority write
 *  fails for a client that tries again. */

import * as assert from 'uvu/assert';
import { type ClusterNode, startCluster } from '../support/cluster.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/rolling-restart', { deadlineMs: 180_000 });
const FLAGS = ['--handover-at-stop', '--heartbeat-ms', '200', '--replica-timeout-ms', '2000'];
const WRITERS = 3;
const PATIENCE_MS = 30_000;
const POINTS = '/v1/collections/c/points';

/** Tries node after node until one has it on a majority. */
async function write(nodes: readonly ClusterNode[], id: number): Promise<void> {
  const body = JSON.stringify({ points: [{ id, vector: [id, 1] }] });
  const headers = { 'content-type': 'application/json', 'idempotency-key': `write-${id}` };
  let turn = id;
  await waitUntil(
    async () => {
      const node = nodes[turn++ % nodes.length] as ClusterNode;
      const url = `${node.url}${POINTS}?w=majority&timeout_ms=3000&wait=durable`;
      const answer = await fetch(url, { method: 'PUT', body, headers, signal: AbortSignal.timeout(5_000) }).catch(() => null);
      await answer?.arrayBuffer();
      return answer?.status === 200;
    },
    { what: `write ${id} to go through`, deadlineMs: PATIENCE_MS },
  );
}

async function masters(nodes: readonly ClusterNode[]): Promise<ClusterNode[]> {
  const roles = await Promise.all(
    nodes.map(async (node) => {
      const answer = await fetch(`${node.url}/replication/status`).catch(() => null);
      return answer?.ok === true && ((await answer.json()) as { role: string }).role === 'master';
    }),
  );
  return nodes.filter((_, index) => roles[index]);
}

async function linkedReplicas(node: ClusterNode): Promise<number> {
  const answer = await fetch(`${node.url}/replication/replicas`);
  const { replicas } = (await answer.json()) as { replicas: { status: string }[] };
  return replicas.filter(({ status }) => status === 'Connected').length;
}

test('a rolling restart under load: the mastership is handed over, and no majority write fails after retries', async (t) => {
  const { nodes } = await startCluster(t, { flags: FLAGS });
  const [first] = nodes as [ClusterNode];
  await waitUntil(async () => (await linkedReplicas(first)) === 2, { what: 'both replicas' });
  const made = await fetch(`${first.url}/v1/collections/c`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ dimension: 2, distance: 'euclid' }),
  });
  assert.is(made.status, 201);
  let goOn = true;
  let nextId = 0;
  let done = 0;
  const load = Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (goOn) {
        await write(nodes, nextId++);
        done += 1;
      }
    }),
  );
  // A failure is told where it is awaited.
  load.catch(() => undefined);
  for (const node of nodes) {
    const wasMaster = (await masters(nodes)).includes(node);
    const before = done;
    await waitUntil(() => done > before + 5, { what: 'writes', deadlineMs: PATIENCE_MS });
    assert.is(await node.stop(), 0);
    if (node === first) assert.ok(wasMaster, 'the first node is the master');
    await waitUntil(async () => (await masters(nodes)).length === 1, { what: 'one master among those that are left' });
    const without = done;
    await waitUntil(() => done > without + 5, { what: 'writes without it', deadlineMs: PATIENCE_MS });
    await node.start();
    const [master] = (await masters(nodes)) as [ClusterNode];
    assert.is.not(master, node);
    await waitUntil(async () => (await linkedReplicas(master)) === 2, { what: 'it to be linked again', deadlineMs: PATIENCE_MS });
  }
  goOn = false;
  await load;
  for (const node of nodes) {
    await waitUntil(
      async () => {
        const answer = await fetch(`${node.url}${POINTS}/count`, { method: 'POST' });
        return answer.ok && ((await answer.json()) as { count: number }).count === nextId;
      },
      { what: `all ${nextId} points on every node` },
    );
  }
});

test.run();
