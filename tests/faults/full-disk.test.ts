/** A disk that runs full: a clean refusal first by the watermark, then by the disk itself; reads and searches go on, nothing that was
 *  acknowledged is lost, and freed space heals without a restart. A checkpoint of an index that does not fit costs only itself. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startNode } from '../support/cluster.js';
import { mountPrivateDisk, type PrivateDisk } from '../support/private-disk.js';
import { Random } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/full-disk', { deadlineMs: 180_000 });
const MIB = 1024 * 1024;
const WRITERS = 4;

const start = (t: TestContext, disk: PrivateDisk, freeMin: number): Promise<ServerProcess> =>
  startServer(t, join(disk.path, 'data'), ['--disk-free-bytes-min', String(freeMin)], { prefix: disk.prefix });

async function heals(server: ServerProcess, ledger: WriteLedger): Promise<void> {
  await waitUntil(async () => (await ledger.write(server, 0)) === 'acknowledged', { what: 'a write to go through again' });
}

async function seesFull(server: ServerProcess): Promise<void> {
  const sees = async (): Promise<boolean> => /^skein_disk_full 1$/m.test(await (await fetch(`${server.url}/metrics`)).text());
  await waitUntil(sees, { what: 'the server to see that its disk is full' });
}

async function refuses(server: ServerProcess, reason: string): Promise<void> {
  const { status, body } = await server.request('PUT', '/v1/collections/left/points', {
    points: [{ id: 'refused', vector: [1, 2, 3, 4], payload: { fill: 'x'.repeat(200_000) } }],
  });
  assert.is(status, 507, JSON.stringify(body));
  assert.is(body.error.type, 'DiskLimitExceeded');
  assert.is(body.error.details['reason'], reason);
}

test('below the watermark writes are refused, reads and searches go on, and freed space is enough to go on', async (t) => {
  const disk = await mountPrivateDisk(t, 64 * MIB);
  const ledger = new WriteLedger({ fillBytes: 1_000 });
  const server = await start(t, disk, 16 * MIB);
  await ledger.makeCollections(server);
  for (let round = 0; round < 3; round++) {
    await disk.fillUpTo(8 * MIB);
    // Writers that begin before it has looked again could fill the disk itself.
    await seesFull(server);
    await ledger.load(server, WRITERS, (outcome) => outcome === 'acknowledged');
    await refuses(server, 'disk_watermark');
    await ledger.check(server);
    await ledger.checkSearch(server);
    disk.empty();
    await heals(server, ledger);
  }
  assert.equal([...ledger.refused.keys()], ['DiskLimitExceeded']);
  assert.is(await server.stop(), 0);
  await ledger.check(await start(t, disk, 16 * MIB));
});

test('a promotion that cannot be written down leaves a node that says so, acknowledges nothing, and is promoted once there is room', async (t) => {
  const disk = await mountPrivateDisk(t, 64 * MIB);
  const master = await startNode(t, 'master');
  assert.is((await master.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' })).status, 201);
  const flags = ['--master', master.replicationUrl, '--disk-free-bytes-min', String(16 * MIB)];
  const replica = await startServer(t, join(disk.path, 'data'), flags, { prefix: disk.prefix });
  const isThere = async (): Promise<boolean> => (await replica.request('GET', '/v1/collections/c')).status === 200;
  await waitUntil(isThere, { what: 'the replica to have the collection' });
  await disk.fillUpTo(2 * MIB);
  await seesFull(replica);
  await master.kill();
  const promote = () => replica.request('POST', '/replication/promote', { force: true });
  const isFull = async (): Promise<boolean> => {
    const { status, body } = await promote();
    return status === 507 && body.error.type === 'DiskLimitExceeded';
  };
  await waitUntil(isFull, { what: 'the promotion to be refused' });
  const put = () => replica.request('PUT', '/v1/collections/c/points', { points: [{ id: 1, vector: [1, 2] }] });
  assert.is.not((await put()).status, 200);
  // Health shows a look that may be a second old.
  const health = async (): Promise<string> => JSON.stringify((await replica.request('GET', '/health')).body);
  await waitUntil(async () => /promotion could not be completed/.test(await health()), { what: 'health to say so' });
  disk.empty();
  await waitUntil(async () => (await promote()).status === 200, { what: 'the promotion' });
  assert.is((await put()).status, 200);
  await waitUntil(async () => !/promotion/.test(await health()), { what: 'health to say that it is done' });
});

test('a disk that is really full refuses the whole group and heals; after a stop and after a kill every acknowledged write is there', async (t) => {
  const disk = await mountPrivateDisk(t, 48 * MIB);
  const ledger = new WriteLedger({ fillBytes: 30_000 });
  let server = await start(t, disk, 0);
  await ledger.makeCollections(server);
  for (const end of ['go on', 'stop', 'kill', 'stop full', 'kill full']) {
    await disk.fillUpTo(3 * MIB);
    await ledger.load(server, WRITERS, (outcome) => outcome === 'acknowledged');
    await refuses(server, 'disk_full');
    await ledger.check(server);
    await ledger.checkSearch(server);
    const full = end.endsWith('full');
    if (!full) {
      disk.empty();
      await heals(server, ledger);
    }
    if (end.startsWith('stop')) assert.is(await server.stop(), 0);
    if (end.startsWith('kill')) await server.kill();
    if (end !== 'go on') server = await start(t, disk, 0);
    await ledger.check(server);
    disk.empty();
    await heals(server, ledger);
  }
  assert.equal([...ledger.refused.keys()], ['DiskLimitExceeded']);
  console.log(
    `${ledger.tried} writes tried, ${ledger.acknowledged} acknowledged, ${ledger.refused.get('DiskLimitExceeded')} refused`,
  );
});

test('an index checkpoint that does not fit is given up, leaves nothing behind, and the server stops and starts as ever', async (t) => {
  const disk = await mountPrivateDisk(t, 64 * MIB);
  const random = new Random(t.seed());
  const points = Array.from({ length: 2_100 }, (_, id) => ({ id, vector: [...random.vector(96)] }));
  let server = await start(t, disk, 0);
  await server.request('PUT', '/v1/collections/c', { dimension: 96, distance: 'euclid' });
  for (let from = 0; from < points.length; from += 700) {
    const { status } = await server.request('PUT', '/v1/collections/c/points', { points: points.slice(from, from + 700) });
    assert.is(status, 200);
  }
  await disk.fillUpTo(0);
  assert.is(await server.stop(), 0);
  assert.match(server.output(), /index_checkpoint_failed/);
  const left = readdirSync(join(disk.seen, 'data', 'store-1'), { recursive: true, encoding: 'utf8' });
  assert.equal(
    left.filter((name) => /hnsw|json/.test(name)),
    [],
  );
  disk.empty();
  server = await start(t, disk, 0);
  for (const id of [0, 777, 2_099]) {
    const { body } = await server.request<{ hits: { id: number }[] }>('POST', '/v1/collections/c/points/search', {
      vector: points[id]?.vector,
      limit: 1,
    });
    assert.is(body.hits[0]?.id, id);
  }
  assert.is(await server.stop(), 0);
  assert.match((await start(t, disk, 0)).output(), /index_checkpoint_loaded/);
});

test.run();
