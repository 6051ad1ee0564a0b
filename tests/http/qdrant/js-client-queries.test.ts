/** The published JS client of Qdrant, unmodified: every call of it that searches. */

import { QdrantClient } from '@qdrant/js-client-rest';
import * as assert from 'uvu/assert';
import { startHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/js-client-queries', { deadlineMs: 30_000 });

const COUNT = 12;
/** On a circle, so that what is near what is plain: each is nearest to those before and behind it. */
const onCircle = (place: number): [number, number] => [
  Math.cos((2 * Math.PI * place) / COUNT),
  Math.sin((2 * Math.PI * place) / COUNT),
];

async function clientOf(t: TestContext): Promise<QdrantClient> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const { url, ask } = await startHttp(t, { engine });
  const declared = {
    vectors: { around: { dimension: 2, distance: 'cosine' }, along: { dimension: 1, distance: 'euclid' } },
    sparse_vectors: { words: {} },
    payload_indexes: [
      { path: 'n', type: 'integer' },
      { path: 'color', type: 'keyword' },
    ],
  };
  assert.is((await ask('PUT', '/v1/collections/c', declared)).status, 201);
  const points = Array.from({ length: COUNT }, (_, id) => ({
    id,
    vectors: { around: onCircle(id), along: [id], words: { indices: [id, id + 1], values: [1, 0.5] } },
    payload: { n: COUNT - id, color: id % 2 === 0 ? 'red' : 'blue' },
  }));
  assert.is((await ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  const client = new QdrantClient({ url });
  return client;
}

const idsOf = (hits: readonly { id: string | number }[]): (string | number)[] => hits.map(({ id }) => id);

test('pages in the order of times go on where the last one ended, and texts are declared with all that the client may say', async (t) => {
  const client = await clientOf(t);
  const wait = true;
  await client.createPayloadIndex('c', { field_name: 'at', field_schema: 'datetime', wait });
  const text = { type: 'text', tokenizer: 'word', min_token_len: 2, max_token_len: 20, lowercase: true } as const;
  assert.is((await client.createPayloadIndex('c', { field_name: 'note', field_schema: text, wait }))?.status, 'completed');
  for (let id = 0; id < COUNT; id++) {
    const payload = { at: `2026-01-01T00:00:00.00000${Math.floor(id / 2)}Z`, note: `a note of ${id < 3 ? 'foxes' : 'x'}` };
    await client.setPayload('c', { payload, points: [id], wait: id === COUNT - 1 });
  }
  const seen = new Set<string | number>();
  for (let start_from: number | undefined; ; ) {
    const order_by = { key: 'at', ...(start_from !== undefined && { start_from }) };
    const { points } = await client.scroll('c', { limit: 5, order_by, with_payload: false });
    const fresh = idsOf(points).filter((id) => !seen.has(id));
    for (const id of fresh) seen.add(id);
    const last = points.at(-1)?.order_value;
    if (fresh.length === 0 || typeof last !== 'number') break;
    start_from = last;
  }
  assert.is(seen.size, COUNT);
  const filter = { must: [{ key: 'note', match: { text: 'A foxes' } }] };
  assert.equal(await client.count('c', { filter }), { count: 3 });
  assert.equal((await client.getCollection('c')).payload_schema['note']?.points, COUNT);
});

test('search, one at a time, many at once, and by groups', async (t) => {
  const client = await clientOf(t);
  const vector = { name: 'along', vector: [4.2] };
  const hits = await client.search('c', { vector, limit: 3, with_payload: true });
  assert.equal(idsOf(hits), [4, 5, 3]);
  assert.ok(Math.abs((hits[0]?.score ?? 0) - 0.2) < 1e-6, 'a true distance');
  assert.equal(hits[0]?.payload, { n: 8, color: 'red' });
  assert.equal(idsOf(await client.search('c', { vector, limit: 9, score_threshold: 1 })), [4, 5]);
  const words = { name: 'words', vector: { indices: [3], values: [1] } };
  assert.equal(
    await client
      .searchBatch('c', {
        searches: [
          { vector, limit: 1 },
          { vector: words, limit: 5 },
        ],
      })
      .then((lists) => lists.map(idsOf)),
    [[4], [3, 2]],
  );
  const { groups } = await client.searchPointGroups('c', { vector, group_by: 'color', limit: 2, group_size: 2 });
  assert.equal(
    groups.map(({ id, hits: own }) => [id, idsOf(own)]),
    [
      ['red', [4, 6]],
      ['blue', [5, 3]],
    ],
  );
});

test('query: nearest, by id, recommend, discover, context, order, sample, fusion, batch, groups', async (t) => {
  const client = await clientOf(t);
  const query = async (body: Parameters<QdrantClient['query']>[1]) => idsOf((await client.query('c', body)).points);
  assert.equal(await query({ query: [0], using: 'along', limit: 2 }), [0, 1]);
  assert.equal((await query({ query: 3, using: 'around', limit: 2 })).sort(), [2, 4]);
  assert.equal(
    await query({ query: { nearest: [0], mmr: { diversity: 0.99, candidates_limit: COUNT } }, using: 'along', limit: 2 }),
    [0, 11],
  );
  assert.equal(
    (await query({ query: { recommend: { positive: [3], negative: [9] } }, using: 'around', limit: 2 })).sort(),
    [2, 4],
  );
  assert.equal(
    (await query({ query: { recommend: { positive: [3, 4], strategy: 'best_score' } }, using: 'around', limit: 2 })).sort(),
    [2, 5],
  );
  assert.equal(
    await query({ query: { discover: { target: 6, context: [{ positive: 3, negative: 9 }] } }, using: 'around', limit: 1 }),
    [5],
  );
  assert.is((await query({ query: { context: [{ positive: 3, negative: 9 }] }, using: 'around', limit: 3 })).length, 3);
  assert.equal(await query({ query: { order_by: { key: 'n', direction: 'asc' } }, limit: 3 }), [11, 10, 9]);
  assert.is((await query({ query: { sample: 'random' }, limit: 5 })).length, 5);
  const prefetch = [
    { query: [4.2], using: 'along', limit: 3 },
    { query: { indices: [3], values: [1] }, using: 'words', limit: 3 },
  ];
  assert.equal(await query({ prefetch, query: { fusion: 'rrf' }, limit: 1 }), [3]);
  assert.equal(await query({ prefetch, query: [2], using: 'along', limit: 2 }), [2, 3]);
  assert.equal(await query({ filter: { must: [{ key: 'color', match: { value: 'blue' } }] }, limit: 3 }), [1, 3, 5]);
  const batch = await client.queryBatch('c', {
    searches: [
      { query: [0], using: 'along', limit: 1 },
      { query: [9], using: 'along', limit: 1 },
    ],
  });
  assert.equal(
    batch.map(({ points }) => idsOf(points)),
    [[0], [9]],
  );
  const { groups } = await client.queryGroups('c', { query: [0], using: 'along', group_by: 'color', limit: 1, group_size: 2 });
  assert.equal(idsOf(groups[0]?.hits ?? []), [0, 2]);
});

test('recommend, discover, facet, matrix', async (t) => {
  const client = await clientOf(t);
  assert.equal(idsOf(await client.recommend('c', { positive: [0], negative: [], using: 'along', limit: 2 })), [1, 2]);
  const lists = await client.recommendBatch('c', { searches: [{ positive: [0], using: 'along', limit: 1 }] });
  assert.equal(lists.map(idsOf), [[1]]);
  const recommended = await client.recommendPointGroups('c', {
    positive: [0],
    using: 'along',
    group_by: 'color',
    limit: 2,
    group_size: 1,
  });
  assert.equal(
    recommended.groups.map(({ id }) => id),
    ['blue', 'red'],
  );
  const context = [{ positive: 3, negative: 9 }];
  assert.equal(idsOf(await client.discoverPoints('c', { target: 6, context, using: 'around', limit: 1 })), [5]);
  assert.is((await client.discoverBatchPoints('c', { searches: [{ context, using: 'around', limit: 2 }] })).length, 1);
  const { hits } = await client.facet('c', { key: 'color' });
  assert.equal(hits, [
    { value: 'blue', count: 6 },
    { value: 'red', count: 6 },
  ]);
  const { pairs } = await client.searchMatrixPairs('c', { sample: COUNT, limit: 1, using: 'along' });
  assert.ok(pairs.length === COUNT && pairs.every(({ a, b, score }) => Math.abs(Number(a) - Number(b)) === 1 && score === 1));
  const offsets = await client.searchMatrixOffsets('c', { sample: 3, limit: 2, using: 'along' });
  assert.is(offsets.scores.length, 6);
});

test('what is wrong reaches the caller with its message', async (t) => {
  const client = await clientOf(t);
  try {
    await client.query('c', { query: [1, 2, 3], using: 'around' });
    assert.unreachable('it was taken');
  } catch (error) {
    const { status, data } = error as { status: number; data: { status: { error: string } } };
    assert.is(status, 400);
    assert.match(data.status.error, /Vector dimension error: expected dim: 2, got 3/);
  }
});

test.run();
