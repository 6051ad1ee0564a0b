/** The route of recommendations. */

import * as assert from 'uvu/assert';
import { floatBytes } from '../../src/codec/msgpack.js';
import { SkeinError } from '../../src/model/errors.js';
import { type Answer, startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/routes/recommend');
const RECOMMEND = '/v1/collections/c/points/recommend';

async function withPoints(t: TestContext): Promise<TestHttp> {
  const http = await startHttp(t);
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  const points = Array.from({ length: 20 }, (_, id) => ({ id, vector: [id, 0], payload: { id } }));
  await http.ask('PUT', '/v1/collections/c/points', { points });
  return http;
}

test('examples are ids and vectors, mixed as they come, in both forms', async (t) => {
  const { ask, askPacked, engine } = await withPoints(t);
  const { status, body, headers } = await ask('POST', RECOMMEND, {
    positive: [[3.2, 0], 7, '7'],
    negative: [[1, 2], 4],
    limit: 2,
  });
  assert.equal([status, body.hits.map((hit: { id: number }) => hit.id), body.complete], [200, [3, 4], true]);
  assert.is(headers.get('x-skein-position'), body.position);
  await askPacked('POST', RECOMMEND, { positive: [7, floatBytes(Float32Array.of(0.1, 2))], strategy: 'average_vector' });
  assert.equal(
    engine.searches.map(({ examples }) => examples),
    [
      { positive: [Float32Array.of(3.2, 0), 7, '7'], negative: [Float32Array.of(1, 2), 4] },
      { positive: [7, Float32Array.of(0.1, 2)], negative: [] },
    ],
  );
});

test('the other fields of a search reach the engine with their defaults', async (t) => {
  const { ask, engine } = await withPoints(t);
  const usual = {
    fusion: { method: 'rrf', rrfK: 60, weights: { vector: 1, text: 1 } },
    cache: true,
    exact: false,
    explain: false,
  };
  const wanted = {
    ...usual,
    withPayload: true,
    withVector: false,
    limit: 10,
    offset: 0,
    examples: { positive: [1], negative: [] },
  };
  await ask('POST', RECOMMEND, { positive: [1] });
  const filter = { must: [{ key: 'id', range: { lt: 5 } }] };
  const rest = {
    filter,
    limit: 3,
    offset: 1,
    score_threshold: 9,
    ef_search: 9,
    with_payload: false,
    with_vector: true,
    cache: false,
  };
  await ask('POST', RECOMMEND, { positive: [1], ...rest, timeout_ms: 70, exact: true, explain: true });
  assert.equal(engine.searches, [
    wanted,
    {
      ...wanted,
      filter: { must: [{ kind: 'range', key: 'id', time: false, bounds: { lt: 5 } }] },
      ...{ limit: 3, offset: 1, scoreThreshold: 9, efSearch: 9, withPayload: false, withVector: true, cache: false },
      ...{ timeoutMs: 70, exact: true, explain: true },
    },
  ]);
});

test('requests that make no sense are refused by their place', async (t) => {
  const { ask, askPacked } = await withPoints(t);
  const positive = [1];
  for (const [body, type, path] of [
    [{}, 'InvalidRequest', 'positive'],
    [{ positive: [] }, 'InvalidRequest', 'positive'],
    [{ positive: 1 }, 'InvalidRequest', 'positive'],
    [{ positive: null }, 'InvalidRequest', 'positive'],
    [{ positive: new Array(101).fill(1) }, 'InvalidRequest', 'positive'],
    [{ positive, negative: new Array(101).fill(1) }, 'InvalidRequest', 'negative'],
    [{ positive, negative: {} }, 'InvalidRequest', 'negative'],
    [{ positive: [1, -1] }, 'InvalidRequest', 'positive[1]'],
    [{ positive: [1, ''] }, 'InvalidRequest', 'positive[1]'],
    [{ positive: [1, 1.5] }, 'InvalidRequest', 'positive[1]'],
    [{ positive: [null] }, 'InvalidRequest', 'positive[0]'],
    [{ positive: [{ id: 1 }] }, 'InvalidRequest', 'positive[0].id'],
    [
      {
        positive: [
          [1, 2],
          [1, 'x'],
        ],
      },
      'InvalidVector',
      'positive[1][1]',
    ],
    [{ positive, negative: [[1e39, 2]] }, 'InvalidVector', 'negative[0][0]'],
    [{ positive, strategy: 'best_score' }, 'InvalidRequest', 'strategy'],
    [{ positive, limit: 10_001 }, 'InvalidRequest', 'limit'],
    [{ positive, vector: [1, 2] }, 'InvalidRequest', 'vector'],
    [{ positive, id: 1 }, 'InvalidRequest', 'id'],
    [{ positive, text: 'x' }, 'InvalidRequest', 'text'],
    [{ positive, fusion: {} }, 'InvalidRequest', 'fusion'],
    [{ positive, candidates: 5 }, 'InvalidRequest', 'candidates'],
    [{ positive, filter: { must: 1 } }, 'InvalidFilter', 'must'],
  ] as const) {
    for (const one of [ask, askPacked]) {
      const { status, body: answer }: Answer = await one('POST', RECOMMEND, body);
      const { error } = answer;
      const place = error.details.path ?? error.details.issues?.[0].path;
      assert.equal([status, error.type, place], [400, type, path], `${JSON.stringify(body)} ${error.message}`);
    }
  }
  assert.is((await ask('POST', RECOMMEND, [])).body.error.type, 'InvalidRequest');
  const short = await askPacked('POST', RECOMMEND, { positive: [Buffer.from([1, 2, 3])] });
  assert.equal([short.status, short.body.error.type], [400, 'InvalidRequest']);
  const lost = await ask('POST', RECOMMEND, { positive: [99_007_199_254_740_992] });
  assert.equal([lost.status, lost.body.error.details.issues[0].path], [400, 'positive[0]']);
});

test('an example that the engine refuses is named by its place', async (t) => {
  const { ask, engine } = await withPoints(t);
  engine.failNext('search', new SkeinError('PointNotFound', 'no such point', { id: 'x', path: 'negative[3]' }));
  const { status, body } = await ask('POST', RECOMMEND, { positive: [1] });
  assert.equal(
    [status, body.error.type, body.error.details.path, body.error.details.id],
    [404, 'PointNotFound', 'negative[3]', 'x'],
  );
  assert.match(body.error.message, 'negative[3]');
});

test.run();
