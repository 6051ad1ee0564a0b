/** A replica that silently loses a change: it is found at once, nothing more is applied, a verification names what differs and a repair
 *  fetches just that. Real processes; the change is dropped by SKEIN_TEST_DROP. */

import * as assert from 'uvu/assert';
import type { ErrorRecord } from '../../src/model/errors.js';
import { type ClusterNode, startNode } from '../support/cluster.js';
import { waitForStatus } from '../support/cluster-watch.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/verify-and-repair', { deadlineMs: 120_000 });

interface Verification {
  readonly equal: boolean;
  readonly position: string;
  readonly replicas: readonly {
    readonly id: string;
    readonly equal: boolean;
    readonly differing: readonly { collection: string; buckets: number[]; points: (string | number)[] }[];
    readonly repaired: number;
  }[];
}

const COUNT = 200;
/** Milliseconds; a difference is found with a heartbeat. */
const HEARTBEAT = 200;
/** So many may pass until what was found is read from the node. */
const HEARTBEATS_MAX = 10;
const FLAGS = ['--heartbeat-ms', String(HEARTBEAT)];
const vectorOf = (value: number): number[] => [value, value % 7, 1, 0];

async function call<Body>(node: ClusterNode, method: string, path: string, body?: unknown): Promise<Body> {
  const answer = await node.request<Body>(method, path, body);
  assert.is(answer.status < 300, true, `${method} ${path} of ${node.name}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function put(master: ClusterNode, name: string, ids: readonly (number | string)[], value = 0): Promise<void> {
  const points = ids.map((id) => ({ id, vector: vectorOf(typeof id === 'number' ? id + value : value), payload: { value } }));
  await call(master, 'PUT', `/v1/collections/${name}/points`, { points });
}

async function remove(master: ClusterNode, name: string, ids: readonly (number | string)[]): Promise<void> {
  await call(master, 'POST', `/v1/collections/${name}/points/delete`, { ids });
}

function verify(node: ClusterNode, repair: boolean): Promise<Verification> {
  return call(node, 'POST', '/replication/verify', { repair });
}

async function nearest(node: ClusterNode, name: string, value: number): Promise<unknown> {
  const { hits } = await call<{ hits: { id: unknown; score: number }[] }>(node, 'POST', `/v1/collections/${name}/points/search`, {
    vector: vectorOf(value),
    limit: 5,
  });
  return hits.map(({ id, score }) => [id, score]);
}

interface Pair {
  readonly master: ClusterNode;
  readonly replica: ClusterNode;
}

/** Nothing is written any more by the nodes themselves. */
async function untilVoter(master: ClusterNode): Promise<void> {
  const isVoter = async (): Promise<boolean> => {
    const { replicas } = await call<{ replicas: { voter: boolean }[] }>(master, 'GET', '/replication/replicas');
    return replicas.some(({ voter }) => voter);
  };
  await waitUntil(isVoter, { what: 'the replica to be a voter' });
}

/** A master with two collections of points 1 … COUNT, and a replica that drops its n-th change from now on. */
async function startPair(t: TestContext, drop = 1): Promise<Pair> {
  const master = await startNode(t, 'master', { flags: FLAGS });
  for (const name of ['left', 'right']) {
    await call(master, 'PUT', `/v1/collections/${name}`, { dimension: 4, distance: 'euclid' });
    await put(
      master,
      name,
      Array.from({ length: COUNT }, (_, i) => i + 1),
    );
  }
  const replica = await startNode(t, 'replica', {
    master: master.replicationUrl,
    flags: FLAGS,
    environment: { SKEIN_TEST_DROP: String(drop) },
  });
  // Behind its snapshot it links again, and then the master logs it as a voter.
  await waitUntil(() => isVoter(master), { what: 'the replica is a voter' });
  await waitUntilEqual([master, replica]);
  return { master, replica };
}

async function isVoter(master: ClusterNode): Promise<boolean> {
  const { replicas } = await call<{ replicas: { status: string; voter: boolean }[] }>(master, 'GET', '/replication/replicas');
  return replicas.length === 1 && replicas.every(({ status, voter }) => status === 'Connected' && voter);
}

async function diverged({ master }: Pick<Pair, 'master'>): Promise<boolean> {
  const { replicas } = await call<{ replicas: { diverged: boolean }[] }>(master, 'GET', '/replication/replicas');
  return replicas.some((replica) => replica.diverged);
}

async function untilFound({ master, replica }: Pair): Promise<void> {
  await waitUntil(async () => (await replica.stats()).divergences > 0, { what: 'the replica finds that it differs' });
  await waitUntil(() => diverged({ master }), { what: 'the master knows that it differs' });
}

async function beats(node: ClusterNode): Promise<number> {
  return Number((await node.stats())['heartbeats_received']);
}

async function untilMended({ master, replica }: Pair): Promise<void> {
  await waitUntilEqual([master, replica]);
  await waitUntil(async () => !(await diverged({ master })), { what: 'the master sees equal digests' });
  const isHealthy = async (node: ClusterNode): Promise<boolean> =>
    (await node.request<{ status: string }>('GET', '/health')).body.status === 'healthy';
  for (const node of [master, replica]) await waitUntil(() => isHealthy(node), { what: `${node.name} is healthy` });
}

const CHANGES: Readonly<Record<string, { readonly point: number | string; run(master: ClusterNode): Promise<void> }>> = {
  'put of a new point': { point: 'new', run: (master) => put(master, 'left', ['new'], 500) },
  'replacement of a point': { point: 5, run: (master) => put(master, 'left', [5], 500) },
  'change of a payload alone': {
    point: 6,
    run: (master) => call(master, 'PATCH', '/v1/collections/left/points', { points: [{ id: 6, payload: { other: true } }] }),
  },
  'delete of a point': { point: 7, run: (master) => remove(master, 'left', [7]) },
};

for (const [what, { point, run }] of Object.entries(CHANGES)) {
  test(`a lost ${what} is found with a heartbeat, named and repaired`, async (t) => {
    const pair = await startPair(t);
    const { master, replica } = pair;
    await run(master);
    const { position } = await master.stats();
    await waitUntil(async () => (await replica.stats()).position === position, { what: 'the replica has the seq' });
    const before = await beats(replica);
    await untilFound(pair);
    assert.ok((await beats(replica)) <= before + HEARTBEATS_MAX, 'found with one of the next heartbeats');
    const degraded = async (): Promise<boolean> => {
      const health = await call<Record<string, unknown>>(replica, 'GET', '/health');
      return health['status'] === 'degraded' && /the data differs from the master/.test(JSON.stringify(health));
    };
    await waitUntil(degraded, { what: 'health says so' });
    assert.match(JSON.stringify(await call(master, 'GET', '/health')), /the data of replica [0-9a-f]{32} differs/);

    await put(master, 'right', ['later'], 3);
    const seen = await beats(replica);
    await waitUntil(async () => (await beats(replica)) > seen + 1, { what: 'two heartbeats' });
    assert.is((await replica.stats()).position, position, 'nothing more is applied');

    const id = String((await replica.stats())['node_id']);
    const found = await verify(master, false);
    assert.is(found.equal, false);
    assert.equal(
      found.replicas.map(({ id: own, repaired }) => [own, repaired]),
      [[id, 0]],
    );
    assert.equal(
      found.replicas[0]?.differing.map(({ collection, points }) => [collection, points]),
      [['left', [point]]],
    );
    assert.is(found.replicas[0]?.differing[0]?.buckets.length, 1);
    assert.equal((await verify(replica, false)).replicas, found.replicas, 'the replica says the same of itself');

    const { full_syncs: snapshots } = await replica.stats();
    const repaired = await verify(master, true);
    assert.is(repaired.replicas[0]?.repaired, 1);
    await untilMended(pair);
    for (const name of ['left', 'right'])
      for (const value of [5, 7, 500, 505]) assert.equal(await nearest(replica, name, value), await nearest(master, name, value));
    assert.equal([(await replica.stats()).divergences, (await replica.stats()).full_syncs], [1, snapshots]);
    assert.equal(
      (await verify(master, true)).replicas.map(({ equal, repaired: count }) => [equal, count]),
      [[true, 0]],
    );
  });
}

test('a repair while the master is being written to', async (t) => {
  const pair = await startPair(t, 40);
  const { master, replica } = pair;
  let stop = false;
  let turn = 0;
  const load = (async () => {
    for (; !stop; turn++) {
      await put(master, 'left', [1_000 + turn, (turn % COUNT) + 1], turn);
      if (turn % 3 === 0) await remove(master, 'left', [1_000 + turn]);
    }
  })();
  try {
    await untilFound(pair);
    const [found] = (await verify(master, false)).replicas;
    assert.is(found?.equal, false);
    assert.ok((found?.differing.flatMap(({ points }) => points).length ?? 9) <= 2, JSON.stringify(found));
    const at = turn;
    await verify(master, true);
    await waitUntil(async () => (await replica.stats()).digest !== '' && !(await diverged({ master })), {
      what: 'equal digests under writes',
    });
    await waitUntil(() => turn > at + 20, { what: 'more writes' });
  } finally {
    stop = true;
    await load;
  }
  await untilMended(pair);
  assert.equal(await nearest(replica, 'left', 77), await nearest(master, 'left', 77));
  assert.is((await replica.stats()).divergences, 1);
});

test('a replica that is far behind when it is repaired catches up', async (t) => {
  const pair = await startPair(t);
  const { master } = pair;
  await put(master, 'left', ['lost'], 5);
  await untilFound(pair);
  for (let round = 0; round < 150; round++) {
    await put(
      master,
      'left',
      Array.from({ length: 100 }, (_, i) => 10_000 + round * 100 + i),
    );
    if (round % 5 === 0) await remove(master, 'left', [round + 1]);
  }
  const { replicas } = await verify(master, true);
  assert.equal(
    replicas[0]?.differing.map(({ points }) => points),
    [['lost']],
  );
  assert.is(replicas[0]?.repaired, 1);
  await untilMended(pair);
});

test('with nothing to repair nothing is done', async (t) => {
  const { master, replica } = await startPair(t, 1_000);
  await untilVoter(master);
  await waitUntilEqual([master, replica]);
  const before = await replica.stats();
  for (const node of [master, replica])
    for (const repair of [false, true]) {
      const { equal, position, replicas } = await verify(node, repair);
      assert.is(equal, true);
      assert.is(position, before.position);
      assert.equal(replicas, [{ id: String(before['node_id']), equal: true, differing: [], repaired: 0 }]);
    }
  assert.equal([(await replica.stats())['reconnects'], (await replica.stats()).divergences], [before['reconnects'], 0]);
});

test('a replica that is not known is not found, and one without a link is asked again later', async (t) => {
  const { master, replica } = await startPair(t, 1_000);
  await untilVoter(master);
  const nodeId = (await replica.stats()).node_id;
  const outcome = async (node: ClusterNode, call: string, replica_id: unknown): Promise<unknown> => {
    const { status, body } = await node.request<{ error: ErrorRecord }>('POST', `/replication/${call}`, { replica_id });
    return [status, body.error.type, body.error.details];
  };
  const unknown = 'ab'.repeat(16);
  for (const node of [master, replica])
    for (const call of ['verify', 'resync'])
      assert.equal(await outcome(node, call, unknown), [404, 'ReplicaNotFound', { id: unknown }], call);
  await replica.stop();
  await waitForStatus(master, replica, 'Disconnected');
  for (const call of ['verify', 'resync'])
    assert.equal(await outcome(master, call, nodeId), [503, 'Overloaded', { reason: 'replica_not_linked', id: nodeId }], call);
});

for (const [place, whole] of [
  ['apply.before_commit', 'old'],
  ['apply.after_commit', 'new'],
] as const) {
  test(`a replica that dies in a repair (${place}) has the ${whole} data`, async (t) => {
    const pair = await startPair(t);
    const { master, replica } = pair;
    await put(master, 'left', ['lost', 'lost too', 3], 5);
    await untilFound(pair);
    const { digest } = await replica.stats();
    await replica.restart({ environment: { SKEIN_TEST_FAIL: place } });
    await untilFound(pair);
    const died = replica.process.ended;
    await verify(replica, true).catch(() => undefined);
    await died;
    await replica.start({ environment: {} });
    if (whole === 'old') {
      await untilFound(pair);
      assert.is((await replica.stats()).digest, digest);
      const { replicas } = await verify(master, true);
      assert.equal(replicas[0]?.differing[0]?.points.toSorted(), [3, 'lost', 'lost too']);
    }
    await untilMended(pair);
    assert.equal(await nearest(replica, 'left', 5), await nearest(master, 'left', 5));
  });
}

test('a master that dies in a repair leaves old data or new', async (t) => {
  const pair = await startPair(t);
  const { master, replica } = pair;
  await put(master, 'left', ['lost'], 5);
  await untilFound(pair);
  const { digest } = await master.stats();
  const before = (await replica.stats()).digest;
  const outcome = verify(replica, true).then(
    () => 'new',
    () => 'old',
  );
  await master.kill();
  const after = (await outcome) === 'new' ? digest : before;
  assert.is((await replica.stats()).digest, after);
  await master.start();
  await waitUntil(async () => (await replica.stats())['link'] === 'following' || (await diverged(pair)), { what: 'a link' });
  if ((await replica.stats()).digest !== digest) {
    await untilFound(pair);
    await verify(master, true);
  }
  await untilMended(pair);
});

test.run();
