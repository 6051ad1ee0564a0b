/** Damage in the files of real nodes: rows are repaired from another node while it runs, or refused and listed where there is none; a replica whose
 *  store is beyond that takes its data again, once, and a master never does. */

import { closeSync, openSync, readdirSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { verifyStore } from '../../src/storage/verify-store.js';
import { type ClusterNode, startNode } from '../support/cluster.js';
import { waitUntilEqual } from '../support/node-calls.js';
import { Random } from '../support/random.js';
import { ServerDidNotStart } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/damage-repaired', { deadlineMs: 180_000 });
const COUNT = 300;
const FLAGS = ['--heartbeat-ms', '200'];
const vectorOf = (id: number): number[] => [...new Random(id + 1).vector(8)];
const storeOf = (node: ClusterNode): string => readFileSync(join(node.dataDir, 'CURRENT'), 'utf8').trim();
const databaseOf = (node: ClusterNode): string => join(node.dataDir, storeOf(node), 'skein.db');

async function fill(node: ClusterNode): Promise<void> {
  await node.request('PUT', '/v1/collections/c', { dimension: 8, distance: 'euclid' });
  for (let from = 0; from < COUNT; from += 100) {
    const points = Array.from({ length: 100 }, (_, i) => ({
      id: from + i,
      vector: vectorOf(from + i),
      payload: { text: `the text of point ${from + i}.` },
    }));
    const { status } = await node.request('PUT', '/v1/collections/c/points', { points });
    assert.is(status, 200);
  }
}

async function startPair(t: TestContext): Promise<{ master: ClusterNode; replica: ClusterNode }> {
  const master = await startNode(t, 'master', { flags: FLAGS });
  const replica = await startNode(t, 'replica', { master: master.replicationUrl, flags: FLAGS });
  await waitUntil(async () => (await replica.stats())['link'] === 'following', { what: 'the replica follows' });
  // Written now, so that both have it in their logs.
  await fill(master);
  await waitUntilEqual([master, replica]);
  return { master, replica };
}

/** Changes one byte wherever these bytes stand in a file. @returns how often */
function flip(path: string, wanted: Buffer): number {
  const bytes = readFileSync(path);
  const file = openSync(path, 'r+');
  let count = 0;
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at + wanted.length - 1);
    byte[0] = (byte[0] as number) ^ 0x01;
    writeSync(file, byte, 0, 1, at + wanted.length - 1);
    count += 1;
  }
  closeSync(file);
  return count;
}

const floats = (id: number): Buffer => Buffer.from(Float32Array.from(vectorOf(id)).buffer);
/** Of a payload, in the row and in the entry of the log that brought it. */
const textOf = (id: number): Buffer => Buffer.from(`the text of point ${id}.`);

async function metric(node: ClusterNode, line: RegExp): Promise<number> {
  const { body } = await node.request<string>('GET', '/metrics');
  return Number(line.exec(String(body))?.[1] ?? Number.NaN);
}

async function untilWhole(node: ClusterNode): Promise<void> {
  await waitUntil(async () => (await metric(node, /^skein_scrub_last_completed_timestamp_seconds (\S+)$/m)) > 0, {
    what: `${node.name} has read every row`,
  });
  await waitUntil(async () => (await metric(node, /^skein_scrub_damaged_rows (\S+)$/m)) === 0, {
    what: `${node.name} has nothing damaged`,
  });
}

async function answersRightly(node: ClusterNode): Promise<void> {
  for (const id of [7, 11, 250]) {
    const { body } = await node.request<{ hits: { id: number }[]; complete: boolean }>(
      'POST',
      '/v1/collections/c/points/search',
      {
        vector: vectorOf(id),
        limit: 1,
      },
    );
    assert.equal([body.hits[0]?.id, body.complete], [id, true]);
    const point = await node.request<{ payload: { text: string } }>('GET', `/v1/collections/c/points/${id}`);
    assert.is(point.body.payload.text, `the text of point ${id}.`);
  }
}

for (const [who, way] of [
  ['replica', 'master'],
  ['master', 'replica'],
] as const) {
  test(`rows of a ${who} that were damaged while it was away come from its ${way}`, async (t) => {
    const pair = await startPair(t);
    const { [who]: damaged, [way]: helper } = pair;
    await damaged.stop();
    // A payload in its row and in the log, where there is one; a vector, in its row and in the log.
    const changed = flip(databaseOf(damaged), textOf(7)) + flip(databaseOf(damaged), floats(11));
    assert.ok(changed >= 2, `${changed} places were changed`);
    await damaged.start();
    await untilWhole(damaged);
    await answersRightly(damaged);
    await waitUntilEqual([damaged, helper]);
    const repaired = (by: string): RegExp =>
      new RegExp(`^skein_recovery_attempts_total{way="${by}",outcome="repaired"} (\\S+)$`, 'm');
    // Once the log is whole again, rows may come from there.
    const [near, far] = [await metric(damaged, repaired('log')), await metric(damaged, repaired(way))];
    assert.ok(far >= 1 && far + (near || 0) >= 3, `${near} from the log, ${far} from the ${way}`);
    assert.is((await damaged.stats()).full_syncs, 0, 'no copy of all data was taken');
    assert.is(await damaged.stop(), 0);
    assert.equal(verifyStore(damaged.dataDir, 'full').findings, [], 'what is on the disk is whole again');
  });
}

test('alone, a damaged row is refused and listed, all else serves', async (t) => {
  const node = await startNode(t, 'alone', { flags: FLAGS });
  await fill(node);
  await node.stop();
  flip(databaseOf(node), textOf(7));
  flip(databaseOf(node), floats(11));
  await node.start();
  await waitUntil(async () => (await metric(node, /^skein_scrub_quarantined_rows (\S+)$/m)) >= 3, {
    what: 'three tries of the own log, then quarantine',
    deadlineMs: 40_000,
  });
  assert.is((await node.request('GET', '/v1/collections/c/points/7')).body.error.type, 'CorruptData');
  const health = await node.request<{ status: string; reasons: string[] }>('GET', '/health');
  assert.is(health.body.status, 'degraded');
  assert.match(health.body.reasons.join(), /damaged rows/);
  const search = { vector: vectorOf(11), limit: 3 };
  const { body } = await node.request<{ hits: { id: number }[]; complete: boolean }>(
    'POST',
    '/v1/collections/c/points/search',
    search,
  );
  assert.equal([body.hits.length, body.complete, body.hits.some(({ id }) => id === 11)], [3, false, false]);
  const folder = join(node.dataDir, 'quarantine');
  const [file] = readdirSync(folder);
  const lines = readFileSync(join(folder, file ?? ''), 'utf8')
    .trim()
    .split('\n');
  const ids = lines.map((line) => JSON.parse(line) as { collection: string; id: number | null; reason: string });
  assert.equal(
    ids.filter(({ id }) => id !== null).map(({ collection, id }) => [collection, id]),
    [
      ['c', 7],
      ['c', 11],
    ],
  );
});

test('alone, with backups, damaged rows and entries of the log come from there', async (t) => {
  const flags = [...FLAGS, '--backup-folder', t.folder(), '--backup-every-operations', '0'];
  const node = await startNode(t, 'alone', { flags });
  await node.request('PUT', '/v1/collections/before', { dimension: 2, distance: 'dot' });
  const made = await node.request<{ kind: string }>('POST', '/v1/backups', { kind: 'full' });
  assert.is(made.status, 200, JSON.stringify(made.body));
  await fill(node);
  assert.is((await node.request('POST', '/v1/backups', { kind: 'incremental' })).status, 200);
  await node.stop();
  const changed = flip(databaseOf(node), textOf(7)) + flip(databaseOf(node), floats(11));
  assert.ok(changed >= 4, `${changed} places were changed`);
  await node.start();
  await untilWhole(node);
  await answersRightly(node);
  const repaired = await metric(node, /^skein_recovery_attempts_total\{way="backup",outcome="repaired"\} (\S+)$/m);
  assert.ok(repaired >= 1, `${repaired} from the backups`);
  assert.is(await node.stop(), 0);
  assert.equal(verifyStore(node.dataDir, 'full').findings, [], 'what is on the disk is whole again');
  assert.not.ok(readdirSync(node.dataDir).some((name) => name.startsWith('restoring-')));
});

/** The header of the database, which no row check survives. */
function trash(node: ClusterNode): void {
  const bytes = readFileSync(databaseOf(node));
  writeFileSync(databaseOf(node), Buffer.concat([Buffer.alloc(100, 7), bytes.subarray(100)]));
}

async function refuses(node: ClusterNode, saying: RegExp): Promise<void> {
  try {
    await node.start();
    assert.unreachable('the server started');
  } catch (error) {
    assert.instance(error, ServerDidNotStart);
    assert.match((error as ServerDidNotStart).output, saying);
  }
}

test('a replica with a trashed store takes its data again, once, when it may; a master never gives up its store', async (t) => {
  const { master, replica } = await startPair(t);
  const { node_id: id } = await replica.stats();
  const store = storeOf(replica);
  await replica.stop();
  trash(replica);
  await refuses(replica, /--recover-at-start resync/);
  const resync = { flags: [...FLAGS, '--recover-at-start', 'resync'] };
  await replica.start(resync);
  await waitUntilEqual([master, replica]);
  assert.is((await replica.stats()).node_id, id, 'it is the same node');
  await answersRightly(replica);
  const moved = readdirSync(join(replica.dataDir, 'quarantine'));
  assert.is(moved.length, 1);
  assert.equal(readdirSync(join(replica.dataDir, 'quarantine', moved[0] ?? '')).sort(), ['CURRENT', 'MANIFEST', store]);
  assert.match(JSON.stringify((await replica.request('GET', '/health')).body), /quarantine\//);
  await replica.restart();
  assert.is(readdirSync(join(replica.dataDir, 'quarantine')).length, 1, 'the next start has nothing to recover');

  await replica.stop();
  await master.stop();
  trash(master);
  const before = readdirSync(master.dataDir);
  await refuses(await withFlags(master, resync), /damaged/);
  assert.equal(readdirSync(master.dataDir), before, 'nothing was moved');
});

/** Its next start has these flags. */
async function withFlags(node: ClusterNode, options: { readonly flags: readonly string[] }): Promise<ClusterNode> {
  return Object.assign(Object.create(node) as ClusterNode, { start: () => node.start(options) });
}

test('a replica whose master is away keeps its damaged store where it is', async (t) => {
  const { master, replica } = await startPair(t);
  await replica.stop();
  await master.stop();
  trash(replica);
  await refuses(await withFlags(replica, { flags: [...FLAGS, '--recover-at-start', 'resync'] }), /no master answers/);
  assert.not.ok(readdirSync(replica.dataDir).includes('quarantine'));
});

test.run();
