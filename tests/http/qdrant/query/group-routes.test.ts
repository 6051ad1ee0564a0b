/** What is a group, and what passes into one. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../../../support/http-server.js';
import { openTestEngine } from '../../../support/open-test-engine.js';
import { suite, type TestContext } from '../../../support/suite.js';

const test = suite('http/qdrant/query/group-routes');
const KEYWORDS = { payload_indexes: [{ path: 'doc', type: 'keyword' }] };

async function started(t: TestContext, docs: readonly unknown[], more = {}): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  await http.ask('PUT', '/v1/collections/c', { dimension: 1, distance: 'dot', ...more });
  // The later the nearer.
  const points = docs.map((doc, id) => ({ id, vector: [id], payload: { doc } }));
  assert.is((await http.ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return http;
}

async function groupsOf({ ask }: TestHttp, body: object): Promise<[unknown, number[]][]> {
  const answer = await ask('POST', '/collections/c/points/query/groups', { group_by: 'doc', ...body });
  assert.is(answer.status, 200, JSON.stringify(answer.body));
  const groups = answer.body.result.groups as { id: unknown; hits: { id: number }[] }[];
  return groups.map(({ id, hits }) => [id, hits.map((hit) => hit.id)]);
}

/** Grouped by the engine, and by the dialect itself. */
const QUERIES: readonly object[] = [{ query: [1] }, { prefetch: [{ query: [1], limit: 1_000 }], query: [1] }];

test('hits whose score is the threshold itself are in no group', async (t) => {
  const http = await started(t, ['a', 'a', 'b', 'a', 'b', 'c']);
  for (const query of QUERIES) {
    assert.equal(await groupsOf(http, { ...query, score_threshold: 3 }), [
      ['c', [5]],
      ['b', [4]],
    ]);
    assert.equal(await groupsOf(http, { ...query, score_threshold: 5 }), []);
  }
});

test('texts and integers are groups; booleans, fractions and integers without all their digits are none', async (t) => {
  const docs = [1, 1.5, true, 'x', false, 3, [2, 'x', true, 0.1], 1e21, null, {}, -4];
  for (const more of [{}, KEYWORDS]) {
    const http = await started(t, docs, more);
    for (const query of QUERIES)
      assert.equal(await groupsOf(http, query), [
        [-4, [10]],
        [2, [6]],
        ['x', [6, 3]],
        [3, [5]],
        [1, [0]],
      ]);
  }
});

test('groups are found behind many points that are in none', async (t) => {
  const docs = Array.from({ length: 2_000 }, (_, id) => (id < 3 ? `text ${id}` : id % 2 === 0));
  const http = await started(t, docs, KEYWORDS);
  assert.equal(await groupsOf(http, { query: [1], limit: 2, group_size: 1 }), [
    ['text 2', [2]],
    ['text 1', [1]],
  ]);
});

test('a path that names one place of a list, or a key with a dot, is refused', async (t) => {
  const { ask } = await started(t, ['a']);
  for (const group_by of ['doc[0]', '"a.b"', 'doc[', '', 7]) {
    const answer = await ask('POST', '/collections/c/points/query/groups', { query: [1], group_by });
    assert.is(answer.status, 400, JSON.stringify(group_by));
    assert.match(answer.body.status.error, /^Format error in JSON body: group_by: /);
  }
  assert.is((await ask('POST', '/collections/c/points/query/groups', { query: [1], group_by: 'doc[]' })).status, 200);
});

test.run();
