/** The published JS client of Qdrant, unmodified, against a running server: what it calls works as it expects. */

import { QdrantClient } from '@qdrant/js-client-rest';
import * as assert from 'uvu/assert';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/js-client');

async function clientOf(t: TestContext): Promise<QdrantClient> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { url, ask } = await startHttp(t, { engine });
  await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  const points = Array.from({ length: 10 }, (_, id) => ({ id, vector: [id, 1], payload: { even: id % 2 === 0 } }));
  assert.is((await ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return new QdrantClient({ url });
}

test('collections are listed and known, points read, counted and deleted', async (t) => {
  const client = await clientOf(t);
  assert.equal(await client.getCollections(), { collections: [{ name: 'c' }] });
  assert.equal(await client.collectionExists('c'), { exists: true });
  assert.equal(await client.retrieve('c', { ids: [3, 99], with_vector: true }), [
    { id: 3, payload: { even: false }, vector: [3, 1] },
  ]);
  assert.is((await client.delete('c', { wait: true, points: [3] })).status, 'completed');
  assert.equal(await client.count('c', { filter: { must: [{ key: 'even', match: { value: false } }] } }), { count: 4 });
  assert.is(await client.deleteCollection('c'), true);
});

test.run();
