/** The bounds that docs/QDRANT.md lists: one more than may be is refused by its place, in the dialect. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/bounds');

type Case = readonly [path: string, body: unknown, status: number, message: RegExp];

async function started(t: TestContext): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  await http.ask('PUT', '/collections/c', { vectors: { size: 1, distance: 'Dot' } });
  await http.ask('PUT', '/collections/c/points?wait=true', { points: [{ id: 1, vector: [1], payload: { n: 1 } }] });
  return http;
}

async function mustRefuse({ ask }: TestHttp, cases: readonly Case[], method = 'POST'): Promise<void> {
  for (const [path, body, status, message] of cases) {
    const answer = await ask(method, `/collections/c/${path}`, body);
    const shown = `${path} ${JSON.stringify(body).slice(0, 80)}: ${JSON.stringify(answer.body).slice(0, 300)}`;
    assert.is(answer.status, status, shown);
    assert.match(answer.body.status.error, message, shown);
  }
}

const many = <T>(length: number, of: (i: number) => T): T[] => Array.from({ length }, (_, i) => of(i));
const nested = (depth: number): object => (depth === 1 ? {} : { must: [nested(depth - 1)] });

test('of reads', async (t) => {
  const http = await started(t);
  const query = [1];
  await mustRefuse(http, [
    ['points/scroll', { limit: 10_001 }, 422, /limit/],
    ['points/query', { query, limit: 9_000, offset: 1_001 }, 422, /limit/],
    ['points/query', { query, params: { hnsw_ef: 10_001 } }, 422, /hnsw_ef/],
    ['points/query', { query: { nearest: query, mmr: { candidates_limit: 10_001 } } }, 422, /candidates_limit/],
    ['points/query', { prefetch: many(64, () => ({ query })), query }, 422, /prefetch/],
    ['points/query', { prefetch: many(6, () => ({ query, limit: 10_000 })), query }, 422, /prefetch/],
    ['points/query', { query: { recommend: { positive: many(101, () => query) } } }, 422, /positive/],
    ['points/query', { query: { context: many(101, () => ({ positive: query, negative: query })) } }, 422, /context/],
    ['points/query/batch', { searches: many(101, () => ({ query })) }, 400, /searches/],
    ['points/query/groups', { query, group_by: 'n', group_size: 101 }, 422, /group_size/],
    ['points/query/groups', { query, group_by: 'n', group_size: 100, limit: 101 }, 422, /limit/],
    ['points/search/matrix/pairs', { sample: 1_001 }, 422, /sample/],
    ['points/search/matrix/pairs', { limit: 101 }, 422, /limit/],
    ['facet', { key: 'n', limit: 10_001 }, 422, /limit/],
    ['points', { ids: many(10_001, (id) => id) }, 400, /ids/],
    ['points', { ids: ['x'.repeat(257)] }, 400, /ids\[0\]/],
  ]);
  const patient = await http.ask('POST', '/collections/c/points/scroll?timeout=86400', {});
  assert.is(patient.status, 200, 'a longer time than may be is cut');
});

test('of filters and paths', async (t) => {
  const http = await started(t);
  const counted = (filter: object, message: RegExp): Case => ['points/count', { filter }, 400, message];
  const key = 'n';
  await mustRefuse(http, [
    counted({ must: many(1_001, () => ({ is_null: { key } })) }, /1000/),
    counted({ must: [{ has_id: many(20_001, (id) => id) }] }, /20000/),
    counted({ must: [{ key, match: { text: 'x'.repeat(10_001) } }] }, /10000/),
    counted(nested(18), /16/),
    counted({ must: [{ is_null: { key: many(65, () => 'a').join('.') } }] }, /64/),
    ['facet', { key: 'k'.repeat(513) }, 400, /512/],
  ]);
});

test('of writes', async (t) => {
  const http = await started(t);
  const points = many(10_001, (id) => ({ id, vector: [1] }));
  const operation = { delete: { points: [1] } };
  await mustRefuse(http, [
    ['points/delete', { points: many(10_001, (id) => id) }, 400, /points/],
    ['points/batch', { operations: many(1_001, () => operation) }, 400, /operations/],
    ['points/payload', { payload: { a: [0, 2 ** 60] }, points: [1] }, 400, /payload\.a\[1\].*2\^53/],
  ]);
  const large = { id: 1, vector: [1], payload: { text: 'x'.repeat(1_048_576) } };
  const beyond = { id: 1, vector: [1], payload: { n: 2 ** 60 } };
  await mustRefuse(
    http,
    [
      ['points', { points }, 400, /points/],
      ['points', { points: [large] }, 413, /1048576/],
      ['points', { points: [beyond] }, 400, /points\[0\]\.payload: .*2\^53/],
    ],
    'PUT',
  );
  const actions = many(101, (i) => ({ delete_alias: { alias_name: `a${i}` } }));
  assert.is((await http.ask('POST', '/collections/aliases', { actions })).status, 422);
  assert.equal((await http.ask('POST', '/collections/c/points/count', {})).body.result, { count: 1 });
});

test.run();
