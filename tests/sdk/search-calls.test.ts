/** The client's facets, groups and recommendations: in the wire's own words there, in the client's back. */

import * as assert from 'uvu/assert';
import { floatBytes } from '../../src/codec/msgpack.js';
import { type Encoding, SkeinClient } from '../../src/sdk/index.js';
import { suite, type TestContext } from '../support/suite.js';
import { type StubServer, stubServer } from './stub-server.js';

const test = suite('sdk/search-calls');
const floats = new Float32Array([1, 2]);
const end = { complete: false, incomplete_reason: 'why', mode: 'hybrid', degraded: true, took_ms: 2, position: 'p' };
const endHere = { complete: false, incompleteReason: 'why', mode: 'hybrid', degraded: true, tookMs: 2, position: 'p' };

async function clientOf(t: TestContext, body: object, encoding: Encoding = 'msgpack') {
  const stub = await stubServer(t, () => ({ body }));
  const client = new SkeinClient({ url: stub.url, retries: false, encoding });
  t.after(() => client.close());
  const sent = (): StubServer['received'][0] => {
    const last = stub.received.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last;
  };
  return { client, sent };
}

test('a facet asks for a field and what passes, and gives values with their counts', async (t) => {
  const answer = { values: [{ value: true, count: 3 }], exact: true, position: 'p' };
  const { client, sent } = await clientOf(t, answer);
  assert.equal(await client.facet('films', { key: 'aB.c' }), answer);
  assert.equal([sent().method, sent().path, sent().body], ['POST', '/v1/collections/films/points/facet', { key: 'aB.c' }]);
  await client.facet('films', { key: 'a', filter: { mustNot: [{ key: 'b', isNull: true }] }, limit: 3, exact: false });
  const filter = { must_not: [{ key: 'b', is_null: true }] };
  assert.equal(sent().body, { key: 'a', filter, limit: 3, exact: false });
});

test('a search by groups says all that a search says, and gives values with their hits', async (t) => {
  const hit = { id: 1, score: 0.5, version: 7, payload: { camelCase: { snake_case: 1 } }, vector: floatBytes(floats) };
  const { client, sent } = await clientOf(t, { groups: [{ value: 'x', hits: [hit] }], ...end });
  const answer = await client.searchGroups('films', {
    groupBy: 'kind',
    groupSize: 2,
    limit: 5,
    vector: floats,
    text: 'a',
    fusion: { rrfK: 5 },
    scoreThreshold: 0.1,
    withVector: true,
    searchTimeoutMs: 9,
  });
  assert.equal(answer, { groups: [{ value: 'x', hits: [{ ...hit, vector: floats }] }], ...endHere });
  assert.is(sent().path, '/v1/collections/films/points/search/groups');
  assert.equal(sent().body, {
    group_by: 'kind',
    group_size: 2,
    limit: 5,
    vector: Buffer.from(floatBytes(floats)),
    text: 'a',
    fusion: { rrf_k: 5 },
    score_threshold: 0.1,
    with_vector: true,
    timeout_ms: 9,
  });
});

test('examples travel as ids and as vectors, binary or as numbers', async (t) => {
  const request = { positive: [1, 'one', floats, [3, 4]], negative: [[0.5, 1]], limit: 3, efSearch: 9, exact: true } as const;
  const rest = { limit: 3, ef_search: 9, exact: true };
  const packed = await clientOf(t, { hits: [], ...end });
  assert.equal(await packed.client.recommend('films', request), { hits: [], ...endHere });
  assert.is(packed.sent().path, '/v1/collections/films/points/recommend');
  const bytes = (values: readonly number[]): Buffer => Buffer.from(floatBytes(Float32Array.from(values)));
  const positive = [1, 'one', bytes([1, 2]), bytes([3, 4])];
  assert.equal(packed.sent().body, { positive, negative: [bytes([0.5, 1])], ...rest });
  const text = await clientOf(t, { hits: [], ...end }, 'json');
  await text.client.recommend('films', { ...request, strategy: 'average_vector' });
  assert.equal(text.sent().body, {
    positive: [1, 'one', [1, 2], [3, 4]],
    negative: [[0.5, 1]],
    strategy: 'average_vector',
    ...rest,
  });
  await text.client.recommend('films', { positive: [7] });
  assert.equal(text.sent().body, { positive: [7] });
});

test.run();
