/** A replica joins an empty master and one with data, then follows: after every kind of change it holds what the master holds, bit for bit,
 *  and finds what the master finds. */

import * as assert from 'uvu/assert';
import { type ClusterNode, startNode } from '../support/cluster.js';
import { contentOf, QUICK_BEATS, waitForVoters } from '../support/cluster-watch.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('scenarios/replication-stream', { deadlineMs: 90_000 });
const DIMENSION = 8;
/** Nobody is given up here, so every link lasts to the end, also on a machine that stands still for seconds. */
const PATIENT_BEATS = ['--heartbeat-ms', '100', '--replica-timeout-ms', '20000', '--snapshot-min-interval-ms', '0'] as const;

function vector(seed: number): number[] {
  return Array.from({ length: DIMENSION }, (_, index) => Math.sin(seed * (index + 1)) * 10);
}

function points(from: number, count: number, more: object = {}): object[] {
  return Array.from({ length: count }, (_, index) => ({
    id: from + index,
    vector: vector(from + index),
    payload: { group: (from + index) % 7, text: `point ${from + index}`, deep: { list: [1, null, 'x'] } },
    ...more,
  }));
}

async function ok(
  node: ClusterNode,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<void> {
  const answer = await node.request(method, path, body, headers);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body).slice(0, 500)}`);
}

async function importLines(node: ClusterNode, collection: string, lines: readonly object[]): Promise<void> {
  const answer = await fetch(`${node.url}/v1/collections/${collection}/points/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  });
  assert.is(answer.status, 200);
  assert.match(await answer.text(), new RegExp(`"imported":${lines.length}`));
}

/** Every route that changes data, in the ways it can. */
async function changeEverything(master: ClusterNode): Promise<void> {
  const soon = new Date(Date.now() + 1_000).toISOString();
  const changes: (() => Promise<void>)[] = [
    () =>
      ok(master, 'PUT', '/v1/collections/new', { dimension: DIMENSION, distance: 'cosine', hnsw: { m: 8, ef_construct: 50 } }),
    () => ok(master, 'PUT', '/v1/collections/dot', { dimension: DIMENSION, distance: 'dot', ttl_ms: 600_000 }),
    () => ok(master, 'PUT', '/v1/collections/gone', { dimension: DIMENSION, distance: 'euclid' }),
    () => ok(master, 'PUT', '/v1/collections/gone/points', { points: points(0, 50) }),
    () => ok(master, 'PUT', '/v1/collections/new/points', { points: points(1, 300) }),
    () => ok(master, 'PUT', '/v1/collections/new/points', { points: points(100, 20, { payload: { replaced: true } }) }),
    () =>
      ok(master, 'PUT', '/v1/collections/new/points', {
        points: [
          { id: '7', vector: vector(3) },
          { id: 'é\u0000"', vector: vector(4), payload: { '': null } },
        ],
      }),
    () =>
      ok(
        master,
        'PUT',
        '/v1/collections/new/points',
        { points: points(1_000, 1, { if_version: 0 }) },
        { 'idempotency-key': 'once' },
      ),
    () =>
      ok(
        master,
        'PUT',
        '/v1/collections/new/points',
        { points: points(1_000, 1, { if_version: 0 }) },
        { 'idempotency-key': 'once' },
      ),
    () => ok(master, 'PUT', '/v1/collections/dot/points', { points: points(0, 200, { expires_at: soon }) }),
    () => ok(master, 'PUT', '/v1/collections/dot/points', { points: points(200, 100) }),
    () =>
      ok(master, 'PATCH', '/v1/collections/new/points', {
        points: [
          { id: 5, payload: { deep: { more: 1 } }, unset: ['text'] },
          { id: 6, vector: vector(60) },
        ],
      }),
    () => ok(master, 'POST', '/v1/collections/new/points/delete', { ids: [1, 2, 3, '7', 'absent'] }),
    () => ok(master, 'POST', '/v1/collections/new/points/delete', { filter: { must: [{ key: 'group', match: { value: 3 } }] } }),
    () => ok(master, 'PATCH', '/v1/collections/new', { hnsw: { ef_search: 99 }, ttl_ms: 3_600_000 }),
    () => importLines(master, 'new', points(5_000, 700)),
    () =>
      ok(master, 'POST', '/v1/batch', {
        operations: [
          { create_collection: { collection: 'batched', dimension: DIMENSION, distance: 'euclid' } },
          { upsert: { collection: 'batched', points: points(0, 30) } },
          { patch: { collection: 'new', points: [{ id: 8, payload: { by: 'batch' } }] } },
          { delete: { collection: 'batched', ids: [4, 5] } },
          { delete_collection: { collection: 'gone' } },
        ],
      }),
    () => ok(master, 'PUT', '/v1/collections/gone', { dimension: 2, distance: 'dot' }),
    () => ok(master, 'PUT', '/v1/collections/gone/points', { points: [{ id: 0, vector: [1, -0] }] }),
    () => ok(master, 'PUT', '/v1/aliases/now', { collection: 'gone' }),
    () => ok(master, 'PUT', '/v1/aliases/then', { collection: 'batched' }),
    () => ok(master, 'PUT', '/v1/aliases/never', { collection: 'new' }),
    () => ok(master, 'PUT', '/v1/aliases/now', { collection: 'new' }),
    () => ok(master, 'DELETE', '/v1/aliases/never'),
    () => ok(master, 'PUT', '/v1/collections/now/points', { points: points(7_000, 5) }),
    () => ok(master, 'DELETE', '/v1/collections/batched'),
  ];
  for (const change of changes) await change();
  const swept = async (): Promise<boolean> => {
    const { body } = await master.request<{ count: number }>('POST', '/v1/collections/dot/points/count', {});
    return body.count === 100;
  };
  await waitUntil(swept, { what: 'points to expire' });
}

interface Hit {
  readonly id: number | string;
  readonly score: number;
}

/** The same questions, exact and over the graph, to both. */
async function assertAnswersAlike(master: ClusterNode, replica: ClusterNode, collection: string): Promise<void> {
  for (const exact of [true, false]) {
    for (let seed = 0; seed < 10; seed++) {
      const question = { vector: vector(seed + 0.5), limit: 10, exact, ef_search: 400, with_payload: false };
      const path = `/v1/collections/${collection}/points/search`;
      const [one, other] = await Promise.all(
        [master, replica].map((node) => node.request<{ hits: Hit[]; complete: boolean }>('POST', path, question)),
      );
      assert.is(other?.status, 200, JSON.stringify(other?.body).slice(0, 300));
      assert.equal(other?.body.hits, one?.body.hits, `${collection}, exact ${exact}, question ${seed}`);
      assert.ok((one?.body.hits.length ?? 0) > 0, 'something is found');
    }
  }
}

async function assertSame(master: ClusterNode, replica: ClusterNode): Promise<void> {
  await waitUntilEqual([master, replica]);
  assert.equal(await contentOf(replica), await contentOf(master));
  for (const collection of ['new', 'dot', 'now']) await assertAnswersAlike(master, replica, collection);
  const { body } = await replica.request('GET', '/v1/aliases');
  assert.equal(body, { aliases: [{ alias: 'now', collection: 'new' }] });
}

test('replicas that joined before, in between and after hold what the master holds, and answer alike', async (t) => {
  const master = await startNode(t, 'master', { flags: [...PATIENT_BEATS] });
  const early = await startNode(t, 'early', { flags: [...PATIENT_BEATS], master: master.replicationUrl });
  await changeEverything(master);
  await assertSame(master, early);
  assert.is((await early.stats()).full_syncs, 1, 'the empty store was taken over, the rest streamed');

  const late = await startNode(t, 'late', { flags: [...PATIENT_BEATS], master: master.replicationUrl.replace('ws:', 'http:') });
  await waitForVoters(master, [early, late]);
  await assertSame(master, late);
  assert.not.match(late.process.output(), /index_rebuilt|rebuild/, 'the graphs came with the data');
  await ok(master, 'PUT', '/v1/collections/new/points', { points: points(9_000, 10) });
  await assertSame(master, late);
  await assertSame(master, early);
  const stats = await master.stats();
  assert.equal([stats.full_syncs, stats.partial_syncs, stats.divergences], [2, 0, 0]);
  const counts = await Promise.all([early, late].map((node) => node.stats()));
  assert.equal(
    counts.map((of) => [of.full_syncs, of.partial_syncs, of.divergences]),
    [
      [1, 0, 0],
      [1, 0, 0],
    ],
  );
});

test('a replica takes no write: it names the master, which takes it; and says what it is', async (t) => {
  const master = await startNode(t, 'master', { flags: [...QUICK_BEATS] });
  const replica = await startNode(t, 'replica', { flags: [...QUICK_BEATS], master: master.replicationUrl });
  await ok(master, 'PUT', '/v1/collections/c', { dimension: DIMENSION, distance: 'dot' });
  await waitForVoters(master, [replica]);
  await waitUntilEqual([master, replica]);
  const before = await replica.stats();
  const writes: [string, string, unknown][] = [
    ['PUT', '/v1/collections/d?w=1', { dimension: 2, distance: 'dot' }],
    ['PATCH', '/v1/collections/c', { ttl_ms: 1_000 }],
    ['DELETE', '/v1/collections/c', undefined],
    ['PUT', '/v1/collections/c/points?w=1', { points: points(1, 1) }],
    ['PATCH', '/v1/collections/c/points', { points: [{ id: 1, payload: {} }] }],
    ['POST', '/v1/collections/c/points/delete', { ids: [1] }],
    ['POST', '/v1/batch', { operations: [] }],
    ['PUT', '/v1/aliases/a', { collection: 'c' }],
    ['DELETE', '/v1/aliases/a', undefined],
  ];
  for (const [method, path, body] of writes) {
    const answer = await fetch(`${replica.url}${path}`, {
      method,
      redirect: 'manual',
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    assert.is(answer.status, 307, `${method} ${path}`);
    assert.is(answer.headers.get('location'), `${master.url}${path}`);
    const { error } = (await answer.json()) as { error: { type: string; details: { master_url: string } } };
    assert.equal([error.type, error.details.master_url], ['NotMaster', master.url]);
  }
  const after = await replica.stats();
  assert.equal([after.position, after.role], [before.position, 'replica']);
  await ok(replica, 'PUT', '/v1/collections/c/points', { points: points(1, 3) });
  await waitUntilEqual([master, replica]);
  assert.is((await replica.request('GET', '/v1/collections/c/points/2')).status, 200);
});

test('a master that hears of no majority of its voters does not know that nobody was promoted, and says how long ago it did', async (t) => {
  const master = await startNode(t, 'master', { flags: [...QUICK_BEATS] });
  const replica = await startNode(t, 'replica', { flags: [...QUICK_BEATS], master: master.replicationUrl });
  await ok(master, 'PUT', '/v1/collections/c', { dimension: DIMENSION, distance: 'dot' });
  await waitForVoters(master, [replica]);
  await waitUntilEqual([master, replica]);
  const read = (maxStalenessMs: number) =>
    fetch(`${master.url}/v1/collections/c?max_staleness_ms=${maxStalenessMs}`, { signal: AbortSignal.timeout(5_000) });
  const isFresh = async (): Promise<boolean> => (await read(0)).headers.get('x-skein-staleness-ms') === '0';
  await waitUntil(isFresh, { what: 'the replica to be heard' });

  await replica.kill();
  await waitUntil(async () => (await read(300)).status === 503, { what: 'a read that may not be old to be refused' });
  const { error } = (await (await read(300)).json()) as { error: { type: string; details: { lag_ms: number } } };
  assert.ok(error.type === 'ReplicaBehind' && error.details.lag_ms > 300, JSON.stringify(error));
  const old = await read(600_000);
  assert.is(old.status, 200);
  assert.ok(Number(old.headers.get('x-skein-staleness-ms')) > 300, String(old.headers.get('x-skein-staleness-ms')));

  await master.kill();
  await master.start();
  assert.is((await read(600_000)).status, 503, 'after a start nothing is known');
  const [known] = (await master.request<{ replicas: { id: string }[] }>('GET', '/replication/replicas')).body.replicas;
  await ok(master, 'DELETE', `/replication/replicas/${known?.id}`);
  assert.is((await read(0)).status, 200, 'alone it is never old');
});

test.run();
