/** The route of facets. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { type Answer, startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/routes/facets');
const FACET = '/v1/collections/c/points/facet';

async function withPoints(t: TestContext): Promise<TestHttp> {
  const http = await startHttp(t);
  await http.ask('PUT', '/v1/collections/c', { dimension: 1, distance: 'dot' });
  const tags = [['a', 'b'], ['b'], [7, true], [true]];
  await http.ask('PUT', '/v1/collections/c/points', {
    points: tags.map((tag, id) => ({ id, vector: [id], payload: { tag, id } })),
  });
  return http;
}

test('a facet answers values and counts, most frequent first, in both forms', async (t) => {
  const { ask, askPacked } = await withPoints(t);
  const values = [
    { value: true, count: 2 },
    { value: 'b', count: 2 },
    { value: 7, count: 1 },
    { value: 'a', count: 1 },
  ];
  for (const one of [ask, askPacked]) {
    const { status, body, headers } = await one('POST', FACET, { key: 'tag' });
    assert.equal([status, body.values, body.exact], [200, values, true]);
    assert.is(headers.get('x-skein-position'), body.position);
  }
});

test('key, filter, limit and exact reach the engine with their defaults', async (t) => {
  const { ask, engine } = await withPoints(t);
  await ask('POST', FACET, { key: 'tag' });
  const filter = { must: [{ key: 'id', range: { lt: 2 } }] };
  const { body } = await ask('POST', FACET, { key: 'a.b', filter, limit: 3, exact: false });
  assert.equal(body.values, []);
  assert.equal(engine.facets, [
    { path: 'tag', limit: 10, exact: true },
    {
      path: 'a.b',
      filter: { must: [{ kind: 'range', key: 'id', time: false, bounds: { lt: 2 } }] },
      limit: 3,
      exact: false,
    },
  ]);
});

test('requests that make no sense are refused by their place', async (t) => {
  const { ask } = await withPoints(t);
  for (const [body, path] of [
    [{}, 'key'],
    [{ key: '' }, 'key'],
    [{ key: 7 }, 'key'],
    [{ key: ['a'] }, 'key'],
    [{ key: 'a..b' }, 'key'],
    [{ key: 'x'.repeat(513) }, 'key'],
    [{ key: 'a.'.repeat(64).concat('a') }, 'key'],
    [{ key: 'a', limit: 0 }, 'limit'],
    [{ key: 'a', limit: 10_001 }, 'limit'],
    [{ key: 'a', limit: 1.5 }, 'limit'],
    [{ key: 'a', exact: 1 }, 'exact'],
    [{ key: 'a', vector: [1] }, 'vector'],
    [{ key: 'a', min_position: 7 }, 'min_position'],
  ] as const) {
    const { status, body: answer }: Answer = await ask('POST', FACET, body);
    assert.equal([status, answer.error.type, answer.error.details.issues[0].path], [400, 'InvalidRequest', path]);
  }
  const bad = await ask('POST', FACET, { key: 'a', filter: { must: [{ key: 'a', range: { gt: 'x' } }] } });
  assert.equal([bad.body.error.type, bad.body.error.details.path], ['InvalidFilter', 'must[0].range.gt']);
  assert.is((await ask('POST', '/v1/collections/none/points/facet', { key: 'a' })).body.error.type, 'CollectionNotFound');
  assert.is((await ask('POST', FACET, '[1]')).status, 400);
});

test('what the engine refuses is told as it is', async (t) => {
  const { ask, engine } = await withPoints(t);
  engine.failNext('facet', new SkeinError('PayloadTooLarge', 'too many', { limit_bytes: 5 }));
  const { status, body } = await ask('POST', FACET, { key: 'tag' });
  assert.equal([status, body.error.details.limit_bytes], [413, 5]);
});

test.run();
