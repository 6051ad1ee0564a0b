/** Clients that were written for Qdrant, over a real master and a real replica: writes at the replica reach the master, with the key, and what was
 *  acknowledged outlives a master that is killed. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { QdrantClient } from '@qdrant/js-client-rest';
import * as assert from 'uvu/assert';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('scenarios/qdrant-clients', { deadlineMs: 60_000 });
const KEY = 'a-key-for-clients-of-qdrant';

test('a client of a replica writes at its master; what was acknowledged is there after kill -9', async (t) => {
  const folder = t.folder();
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, KEY, { mode: 0o600 });
  const flags = ['--api-key-file', keyFile, '--cluster-key', 'k'.repeat(20)];
  const master = await startServer(t, join(folder, 'master'), flags);
  const replica = await startServer(t, join(folder, 'replica'), [...flags, '--master', master.url]);
  const client = new QdrantClient({ url: replica.url, apiKey: KEY, checkCompatibility: false });

  assert.is(await client.createCollection('c', { vectors: { size: 2, distance: 'Cosine' } }), true);
  const points = [1, 2, 3].map((id) => ({ id, vector: [id, 1], payload: { text: 'x'.repeat(1_000) } }));
  assert.is((await client.upsert('c', { points, wait: true })).status, 'completed');
  assert.is((await client.delete('c', { points: [2], wait: true })).status, 'completed');
  await waitUntil(async () => (await client.collectionExists('c')).exists && (await client.count('c')).count === 2, {
    what: 'the replica to have what its master has',
  });
  assert.equal(
    (await client.scroll('c', { with_payload: false })).points.map(({ id }) => id),
    [1, 3],
  );

  await client.upsert('c', { points: [{ id: 9, vector: [1, 9] }], wait: false });
  await master.kill();
  const port = Number(new URL(master.url).port);
  const again = await startServer(t, join(folder, 'master'), flags, { port });
  const direct = new QdrantClient({ url: again.url, apiKey: KEY, checkCompatibility: false });
  assert.equal(
    (await direct.scroll('c', { with_payload: false })).points.map(({ id }) => id),
    [1, 3, 9],
  );
  const { points: found } = await direct.query('c', { query: [1, 9], limit: 1 });
  assert.is(found[0]?.id, 9);
});

test('snapshots are made, listed and removed; the last one stays', async (t) => {
  const folder = t.folder();
  const flags = ['--backup-folder', join(folder, 'backups'), '--backup-every-operations', '0', '--backup-interval-ms', '0'];
  const server = await startServer(t, join(folder, 'data'), [...flags, '--backup-drill-interval-ms', '0']);
  const client = new QdrantClient({ url: server.url, checkCompatibility: false });
  await client.createCollection('c', { vectors: { size: 2, distance: 'Dot' } });
  const first = await client.createFullSnapshot();
  await client.upsert('c', { points: [{ id: 1, vector: [1, 1] }], wait: true });
  const second = await client.createSnapshot('c');
  const names = async (): Promise<(string | undefined)[]> => (await client.listFullSnapshots()).map(({ name }) => name);
  assert.is((await names()).length, 3, 'and what was written between them');
  assert.is(await client.deleteFullSnapshot(first?.name ?? ''), true);
  assert.equal(await names(), [second?.name]);
  const refusal = async (work: Promise<unknown>): Promise<[number, string]> => {
    const error = await work.then(
      () => null,
      (thrown: { status: number; data: { status: { error: string } } }) => thrown,
    );
    return [error?.status ?? 200, error?.data.status.error ?? ''];
  };
  const [kept, why] = await refusal(client.deleteSnapshot('c', second?.name ?? ''));
  assert.equal([kept, why.includes('the only good full one')], [409, true], why);
  assert.is((await refusal(client.deleteFullSnapshot('none')))[0], 404);
  const third = await client.createFullSnapshot();
  assert.is(await client.deleteSnapshot('c', second?.name ?? ''), true);
  assert.equal(await names(), [third?.name]);
  assert.is(await server.stop(), 0);
});

test.run();
