/** Whatever a program says is looked at by the client or by the server: what neither knows is refused by its name, and nothing is done meanwhile.
 *  Programs in plain JavaScript have no compiler that would tell them. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openSkein } from '../../src/embedded/open-skein.js';
import { type Encoding, SkeinApiError, SkeinClient } from '../../src/sdk/index.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('sdk/nothing-passed-over', { deadlineMs: 60_000 });

/** As from a program that no compiler has looked at. */
const untyped = (value: unknown): never => value as never;

async function filledClient(t: TestContext, encoding: Encoding = 'msgpack'): Promise<SkeinClient> {
  const dataDir = t.folder();
  const settings = { backup_folder: join(t.folder(), 'backups') };
  const { client, close } = await openSkein({ dataDir, settings, client: { encoding } });
  t.after(close);
  await client.createCollection('c', { dimension: 2, distance: 'euclid', payloadIndexes: [{ path: 'n', type: 'integer' }] });
  const points = [1, 2, 3, 4].map((id) => ({ id, vector: [id, 0], payload: { n: id, at: { lat: 0, lon: id } } }));
  await client.upsert('c', points);
  return client;
}

async function refusalOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    if (error instanceof SkeinApiError) return `${error.type}: ${error.message}`;
    if (error instanceof TypeError) return `TypeError: ${error.message}`;
    throw error;
  }
  return 'it was done';
}

const vector = [1, 0];

/** What is wrong, and how it is done. */
const SLIPS: readonly (readonly [string, (client: SkeinClient) => Promise<unknown>])[] = [
  ['signal', (client) => client.count('c', untyped({ signal: new AbortController().signal }))],
  ['matches', (client) => client.count('c', { must: [untyped({ key: 'n', matches: { value: 1 } })] })],
  ['equals', (client) => client.count('c', { must: [untyped({ key: 'n', match: { equals: 1 } })] })],
  ['above', (client) => client.count('c', { must: [untyped({ key: 'n', range: { above: 1 } })] })],
  ['must', (client) => client.count('c', { must: untyped({ key: 'n', match: { value: 1 } }) })],
  ['least', (client) => client.count('c', untyped({ minShould: { conditions: [], minCount: 1, least: 1 } }))],
  ['topK', (client) => client.search('c', untyped({ vector, topK: 3 }))],
  ['rerank', (client) => client.search('c', untyped({ text: 'a', fusion: { method: 'rrf', rerank: true } }))],
  ['include', (client) => client.scroll('c', untyped({ include: ['n'] }))],
  ['select', (client) => client.getMany('c', [1], untyped({ select: ['n'] }))],
  ['top', (client) => client.facet('c', untyped({ key: 'n', top: 3 }))],
  ['groups', (client) => client.searchGroups('c', untyped({ vector, groupBy: 'n', groups: 2 }))],
  ['than', (client) => client.recommend('c', untyped({ positive: [1], than: 2 }))],
  ['k', (client) => client.searchBatch('c', [untyped({ vector, k: 1 })])],
  ['samples', (client) => client.measureRecall('c', untyped({ samples: 3 }))],
  ['metadata', (client) => client.upsert('c', [untyped({ id: 9, vector, metadata: { n: 9 } })])],
  ['metadata', (client) => client.batch([{ upsert: { collection: 'c', points: [untyped({ id: 9, vector, metadata: {} })] } }])],
  [
    'exactly one',
    (client) => client.batch([untyped({ upsert: { collection: 'c', points: [] }, delete: { collection: 'c', ids: [1] } })]),
  ],
  ['drop', (client) => client.batch([untyped({ drop: 'c' })])],
  ['set', (client) => client.patch('c', [untyped({ id: 1, set: { n: 9 } })])],
  ['0', (client) => client.delete('c', untyped([1, 2]))],
  ['id', (client) => client.delete('c', untyped({ id: 1 }))],
  ['ids', (client) => client.delete('c', untyped({ ids: [1], filter: { must: [] } }))],
  ['metric', (client) => client.createCollection('d', untyped({ dimension: 2, metric: 'cosine' }))],
  ['M', (client) => client.createCollection('d', untyped({ dimension: 2, distance: 'cosine', hnsw: { M: 8 } }))],
  ['size', (client) => client.createCollection('d', untyped({ vectors: { a: { size: 2, dimension: 2, distance: 'cosine' } } }))],
  ['stemmer', (client) => client.updateCollection('c', untyped({ text: { stemmer: 'english' } }))],
  ['maxLimit', (client) => client.updateCollection('c', untyped({ strictMode: { enabled: true, maxLimit: 1 } }))],
  ['ttl', (client) => client.updateCollection('c', untyped({ ttl: 1_000 }))],
  ['expires', (client) => client.keys.create(untyped({ name: 'k', role: 'admin', expires: '2099-01-01T00:00:00Z' }))],
  ['type', (client) => client.backups.create(untyped({ type: 'full' }))],
  ['time', (client) => client.backups.restore(untyped({ time: '2026-01-01T00:00:00Z' }))],
  ['trial', (client) => client.backups.restore({}, untyped({ trial: true }))],
  ['timeout', (client) => client.count('c', undefined, untyped({ timeout: 5 }))],
  ['writeConcern', (client) => client.upsert('c', [], untyped({ writeConcern: 2 }))],
  ['deadline', (client) => client.waitFor('', untyped({ deadline: 5 }))],
  ['since', (client) => client.changes(untyped({ since: 'now' })).next()],
  ['retry', (client) => client.changes({}, untyped({ retry: 3 })).next()],
];

test('a name that nobody knows is refused by its name, and nothing is done', async (t) => {
  for (const encoding of ['msgpack', 'json'] as const) {
    const client = await filledClient(t, encoding);
    const before = client.position;
    for (const [name, slip] of SLIPS) {
      const refusal = await refusalOf(() => slip(client));
      assert.ok(refusal !== 'it was done' && refusal.includes(name), `${name}: ${refusal}`);
    }
    assert.is(await client.count('c'), 4);
    assert.equal(
      (await client.collections()).map(({ name }) => name),
      ['c'],
    );
    assert.is(client.position, before, 'nothing was written');
  }
});

test("names of the wire, which other clients' programs bring along, mean what they mean there", async (t) => {
  const client = await filledClient(t);
  assert.is(await client.count('c', untyped({ must_not: [{ key: 'n', match: { value: 1 } }] })), 3);
  const near = { center: { lat: 0, lon: 1 }, radius_m: 1_000 };
  assert.is(
    await client.count('c', untyped({ must: [{ must_not: [{ has_id: [1, 2] }] }, { key: 'n', values_count: { gte: 1 } }] })),
    2,
  );
  assert.is(await client.count('c', untyped({ must: [{ key: 'at', geo_radius: near }] })), 1);
  const { hits } = await client.search('c', untyped({ vector, with_payload: false, score_threshold: 1.5, limit: 10 }));
  assert.equal(
    hits.map(({ id, payload }) => [id, payload]),
    [
      [1, undefined],
      [2, undefined],
    ],
  );
  await client.backups.create();
  await client.upsert('c', [{ id: 5, vector }]);
  const restored = await client.backups.restore({}, untyped({ dry_run: true }));
  assert.equal([restored.dryRun, await client.count('c')], [true, 5]);
});

test('what was read can be written as it is', async (t) => {
  const client = await filledClient(t);
  const { points } = await client.scroll('c', { withVector: true });
  assert.is((await client.upsert('c', points)).upserted, 4);
  const { hits } = await client.search('c', { vector, withVector: true });
  assert.is((await client.upsert('c', hits)).upserted, 4);
});

test('a client is made of what it knows, and of values that mean something', () => {
  const url = 'http://127.0.0.1:1';
  for (const [name, settings] of [
    ['apikey', { url, apikey: 'secret' }],
    ['timeout', { url, timeout: 5 }],
    ['maxRetries', { url, retries: { maxRetries: 3 } }],
    ['encoding', { url, encoding: 'xml' }],
    ['connectionsMax', { url, connectionsMax: 0 }],
    ['timeoutMs', { url, timeoutMs: Number.NaN }],
    ['tryTimeoutMs', { url, tryTimeoutMs: -1 }],
    ['after', { url, hedge: { afterMs: 5, after: 5 } }],
  ] as const) {
    let message = '';
    try {
      new SkeinClient(untyped(settings)).close();
    } catch (error) {
      message = (error as Error).message;
    }
    assert.match(message, name);
    assert.not.match(message, 'secret');
  }
});

test.run();
