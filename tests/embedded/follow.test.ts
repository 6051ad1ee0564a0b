/** A program that is a read replica of a server: reads of its own, writes sent on, and data without the server. */

import * as assert from 'uvu/assert';
import { openSkein, SkeinClient } from '../../src/embedded/skein.js';
import { startNode } from '../support/cluster.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('embedded/follow', { deadlineMs: 120_000 });
const vector = (x: number): Float32Array => new Float32Array([x, 1]);

test('it reads what the server has, sees its own writes, and reads on when the server is gone, also when it is opened again', async (t) => {
  const master = await startNode(t, 'master');
  const remote = new SkeinClient({ url: master.url });
  t.after(() => remote.close());
  await remote.createCollection('c', { dimension: 2, distance: 'euclid' });
  await remote.upsert('c', [{ id: 1, vector: vector(1) }]);
  const dataDir = t.folder();
  const first = await openSkein({ dataDir, follow: master.url });
  t.after(() => first.close());
  const { client } = first;
  assert.is((await client.search('c', { vector: vector(1), limit: 1 })).hits[0]?.id, 1);
  const written = await client.upsert('c', [{ id: 2, vector: vector(2) }]);
  assert.equal(
    (await client.search('c', { vector: vector(2), limit: 1 })).hits.map(({ id }) => id),
    [2],
  );
  assert.is(await remote.count('c'), 2, 'it is on the server');
  const { imported } = await client.importPoints('c', [{ id: 5, vector: vector(5) }]);
  assert.equal([imported, await remote.count('c'), await client.count('c')], [1, 3, 3], 'a stream goes on to the master too');
  await client.delete('c', { ids: [5] });
  assert.is((await client.search('c', { vector: vector(5), limit: 5 })).hits.length, 2);
  const { role, lagOperations } = await client.replication.stats();
  assert.equal([role, lagOperations], ['replica', 0]);
  const connected = async () => (await remote.replication.replicas()).find(({ status }) => status === 'Connected');
  const listed = await waitUntil(connected, { what: 'the server to count it as connected' });
  assert.equal([listed.port, listed.voter], [0, false]);
  assert.is(written.writeConcern.required, 1, 'it is no voter');
  const digest = (await client.replication.stats()).digest;
  assert.is(digest, (await remote.replication.stats()).digest);

  await master.kill();
  await waitUntil(async () => (await client.replication.stats()).link !== 'following', {
    what: 'that the master is gone is known',
  });
  assert.is(await client.count('c'), 2);
  const unsent = await client.upsert('c', [{ id: 3, vector: vector(3) }], { timeoutMs: 1_000 }).catch((error: unknown) => error);
  assert.ok(unsent instanceof Error, 'nobody takes writes');
  await first.close();
  const again = await openSkein({ dataDir, follow: master.url });
  t.after(() => again.close());
  assert.equal(
    (await again.client.search('c', { vector: vector(2), limit: 5 })).hits.map(({ id }) => id),
    [2, 1],
  );

  await master.start();
  await remote.upsert('c', [{ id: 4, vector: vector(4) }]);
  await waitUntil(async () => (await again.client.count('c')) === 3, { what: 'it follows again' });
});

test('a new replica without its server waits for it, until it is told to stop waiting', async (t) => {
  const dataDir = t.folder();
  const signal = AbortSignal.timeout(300);
  const options = { dataDir, follow: 'http://127.0.0.1:9', logLevel: 'silent' } as const;
  const stopped = await openSkein({ ...options, signal }).catch((error: unknown) => error);
  assert.match((stopped as Error).name, /TimeoutError|AbortError/);
  const again = await openSkein({ ...options, signal: AbortSignal.timeout(300) }).catch((error: unknown) => error);
  assert.match((again as Error).name, /TimeoutError|AbortError/, 'the folder is free');
});

test.run();
