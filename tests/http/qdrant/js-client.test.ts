/** The published JS client of Qdrant, unmodified, against a running server: what it calls works as it expects. */

import { QdrantClient } from '@qdrant/js-client-rest';
import * as assert from 'uvu/assert';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/js-client');

async function clientOf(t: TestContext, apiKey?: string): Promise<QdrantClient> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { url } = await startHttp(t, { engine, ...(apiKey !== undefined && { apiKey }) });
  return new QdrantClient({ url, ...(apiKey !== undefined && { apiKey }) });
}

/** What the client throws: a status, and the text in the body. */
async function refusal(work: Promise<unknown>): Promise<readonly [number, string]> {
  const error = await work.then(
    () => assert.unreachable('it was not refused'),
    (thrown: unknown) => thrown,
  );
  const { status, data } = error as { status: number; data: { status: { error: string } } };
  return [status, data.status.error];
}

test('collections: made, listed, shown, changed, aliased, indexed, dropped', async (t) => {
  const client = await clientOf(t);
  assert.is(await client.createCollection('c', { vectors: { size: 2, distance: 'Dot' }, timeout: 5 }), true);
  assert.equal(await refusal(client.createCollection('c', { vectors: { size: 2, distance: 'Dot' } })), [
    409,
    'Wrong input: Collection `c` already exists!',
  ]);
  assert.equal(await client.getCollections(), { collections: [{ name: 'c' }] });
  assert.equal(await client.collectionExists('c'), { exists: true });
  assert.is(await client.updateCollection('c', { optimizers_config: { indexing_threshold: 10 } }), true);
  const actions = [{ create_alias: { collection_name: 'c', alias_name: 'now' } }];
  assert.is(await client.updateCollectionAliases({ actions }), true);
  assert.equal(await client.getAliases(), { aliases: [{ alias_name: 'now', collection_name: 'c' }] });
  assert.equal((await client.getCollectionAliases('c')).aliases.length, 1);
  const indexed = await client.createPayloadIndex('c', { field_name: 'city', field_schema: 'keyword', wait: true });
  assert.is(indexed?.status, 'completed');
  const info = await client.getCollection('now');
  assert.equal(
    [info.status, info.points_count, info.payload_schema],
    ['green', 0, { city: { data_type: 'keyword', points: 0 } }],
  );
  assert.is((await client.deletePayloadIndex('c', 'city', { wait: true }))?.status, 'completed');
  assert.is(await client.recreateCollection('c', { vectors: { size: 3, distance: 'Cosine' } }), true);
  assert.is(await client.deleteCollection('c'), true);
  assert.equal(await client.collectionExists('c'), { exists: false });
});

test('points: upserted, read, scrolled, counted, changed, deleted', async (t) => {
  const client = await clientOf(t);
  await client.createCollection('c', { vectors: { size: 2, distance: 'Dot' } });
  const points = Array.from({ length: 10 }, (_, id) => ({ id, vector: [id, 1], payload: { even: id % 2 === 0 } }));
  assert.is((await client.upsert('c', { points })).status, 'completed');
  const batch = {
    ids: [20, 21],
    vectors: [
      [1, 1],
      [2, 2],
    ],
    payloads: [{ a: 1 }, {}],
  };
  assert.is((await client.upsert('c', { batch, wait: false })).status, 'acknowledged');
  const isOdd = { must: [{ key: 'even', match: { value: false } }] };
  assert.equal(await client.count('c', { filter: isOdd, exact: true }), { count: 5 });
  assert.equal(await client.retrieve('c', { ids: [3, 99], with_vector: true }), [
    { id: 3, payload: { even: false }, vector: [3, 1] },
  ]);
  const first = await client.scroll('c', { limit: 3, filter: isOdd });
  assert.equal([first.points.map(({ id }) => id), first.next_page_offset], [[1, 3, 5], 7]);
  const rest = await client.scroll('c', { limit: 3, filter: isOdd, offset: 7 });
  assert.equal([rest.points.map(({ id }) => id), rest.next_page_offset], [[7, 9], null]);
  assert.is((await client.setPayload('c', { payload: { seen: 1 }, points: [1] })).status, 'completed');
  assert.is((await client.overwritePayload('c', { payload: { n: 2 }, filter: isOdd, wait: true })).status, 'completed');
  assert.is((await client.deletePayload('c', { keys: ['n'], points: [3], wait: true })).status, 'completed');
  assert.is((await client.clearPayload('c', { points: [5], wait: true })).status, 'completed');
  assert.is((await client.updateVectors('c', { points: [{ id: 1, vector: [8, 8] }] })).status, 'completed');
  assert.equal(
    await client.retrieve('c', { ids: [1, 3, 5], with_vector: [''] }).then((found) => found.map(({ payload }) => payload)),
    [{ n: 2 }, {}, {}],
  );
  const done = await client.batchUpdate('c', { operations: [{ delete: { points: [1] } }], wait: true });
  assert.equal(
    done.map(({ status }) => status),
    ['completed'],
  );
  assert.is((await client.delete('c', { wait: true, points: [3] })).status, 'completed');
  assert.equal((await client.facet('c', { key: 'even', exact: true })).hits, [{ value: true, count: 5 }]);
  assert.equal(await client.count('c'), { count: 10 });
});

test('the server: version, with a key and without', async (t) => {
  const client = await clientOf(t, 'a-key-of-16-chars');
  assert.equal(await client.getCollections(), { collections: [] });
  assert.is((await client.versionInfo()).version, '1.18.0');
  assert.is((await client.api().clusterStatus({})).data.result?.status, 'disabled');
});

test.run();
