/** Limits that an operator set hold wherever a request can ask for what they bound, and lower the defaults with them. */

import * as assert from 'uvu/assert';
import { type Answer, startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/limits');
const C = '/v1/collections/c';
const [vector, group] = [[1, 1], { vector: [1, 1], group_by: 'k' }];

async function startWith(t: TestContext, limits: object): Promise<TestHttp> {
  const http = await startHttp(t, { limits });
  assert.is((await http.ask('PUT', C, { dimension: 2, distance: 'euclid' })).status, 201);
  return http;
}

const refused = ({ status, body }: Answer): unknown => [status, body.error?.details.issues[0].path, body.error?.details.limit];

test('no search and no measurement is given more time than a request may wait, and none less than the operator allows', async (t) => {
  const { ask } = await startWith(t, { waitMsMax: 120_000 });
  const calls: readonly (readonly [string, object])[] = [
    ['/points/search', { vector }],
    ['/points/search/groups', group],
    ['/points/recommend', { positive: [vector] }],
    ['/recall', {}],
  ];
  for (const [path, body] of calls) {
    assert.is((await ask('POST', C + path, { ...body, timeout_ms: 120_000 })).status, 200, path);
    assert.equal(refused(await ask('POST', C + path, { ...body, timeout_ms: 120_001 })), [400, 'timeout_ms', 120_000], path);
  }
  const batch = { searches: [{ vector }, { vector, timeout_ms: 120_001 }] };
  assert.equal(refused(await ask('POST', `${C}/points/search/batch`, batch)), [400, 'searches[1].timeout_ms', 120_000]);
});

test('what a search in a batch says of freshness is named by its place, with a token and without', async (t) => {
  const { ask } = await startWith(t, { waitMsMax: 500 });
  const batch = (search: object): Promise<Answer> =>
    ask('POST', `${C}/points/search/batch`, { searches: [{ vector }, { vector, ...search }] });
  assert.equal(refused(await batch({ max_wait_ms: 501 })), [400, 'searches[1].max_wait_ms', 500]);
  assert.equal(refused(await batch({ min_position: 'none' })), [400, 'searches[1].min_position', undefined]);
  assert.equal(refused(await batch({ max_staleness_ms: -1 })), [400, 'searches[1].max_staleness_ms', undefined]);
  assert.is((await batch({ max_wait_ms: 500 })).status, 200);
});

test('ef_search is bounded where a collection is made or changed too', async (t) => {
  const { ask } = await startWith(t, { efSearchMax: 20_000 });
  const made = { dimension: 2, distance: 'dot' };
  const hnsw = (efSearch: number): object => ({ hnsw: { ef_search: efSearch } });
  assert.equal(refused(await ask('PUT', '/v1/collections/d', { ...made, ...hnsw(20_001) })), [400, 'hnsw.ef_search', 20_000]);
  assert.is((await ask('PUT', '/v1/collections/d', { ...made, ...hnsw(20_000) })).status, 201);
  assert.equal(refused(await ask('PATCH', '/v1/collections/d', hnsw(20_001))), [400, 'hnsw.ef_search', 20_000]);
  const operations = [{ create_collection: { collection: 'e', ...made, ...hnsw(20_001) } }];
  const batch = await ask('POST', '/v1/batch', { operations });
  assert.equal(refused(batch), [400, 'operations[0].create_collection.hnsw.ef_search', 20_000]);
});

test('a default that is beyond a lowered limit is that limit', async (t) => {
  const { ask, engine } = await startWith(t, { searchLimitMax: 7, scrollLimitMax: 3, efSearchMax: 50, waitMsMax: 500 });
  const points = Array.from({ length: 9 }, (_, id) => ({ id, vector: [id, 0] }));
  assert.is((await ask('PUT', `${C}/points`, { points })).status, 200);
  assert.ok((engine.writes.at(-1)?.options.timeoutMs ?? 501) <= 500);
  assert.is((await ask('GET', C)).body.hnsw.ef_search, 50);
  assert.is((await ask('POST', `${C}/points/search`, { vector })).body.hits.length, 7);
  assert.is((await ask('POST', `${C}/points/scroll`)).body.points.length, 3);
  for (const groups of [group, { ...group, group_size: 7 }, { ...group, limit: 2 }])
    assert.is((await ask('POST', `${C}/points/search/groups`, groups)).status, 200, JSON.stringify(groups));
  assert.equal(refused(await ask('POST', `${C}/points/search/groups`, { ...group, group_size: 8 })), [400, 'limit', 7]);
  assert.is((await ask('POST', `${C}/points/recommend`, { positive: [vector] })).body.hits.length, 7);
  await ask('POST', `${C}/recall`);
  assert.is(engine.recalls.at(-1)?.limit, 7);
});

test.run();
