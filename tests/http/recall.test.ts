/** The route that measures recall: what it hands to the engine, what it refuses, how it answers. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../src/model/errors.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/recall');
const PATH = '/v1/collections/c/recall';

async function start(t: TestContext): Promise<TestHttp> {
  const http = await startHttp(t, { limits: { searchLimitMax: 100, efSearchMax: 200 } });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  return http;
}

test('without words it takes a hundred points and ten hits of each', async (t) => {
  const { ask, engine } = await start(t);
  const { status, body, headers } = await ask('POST', PATH, {});
  assert.is(status, 200);
  assert.equal(engine.recalls, [{ sample: 100, limit: 10 }]);
  const { position, took_ms: tookMs, ...figures } = body;
  assert.equal(figures, { recall: 0.5, sampled: 100, limit: 10, ef_search: 64, worst: 0.25 });
  assert.is(position, headers.get('x-skein-position'));
  assert.type(tookMs, 'number');
});

test('everything that is asked for reaches the engine, and a filter is answered by its class', async (t) => {
  const { ask, engine } = await start(t);
  const filter = { must: [{ key: 'a', match: { value: 1 } }] };
  const { body } = await ask('POST', PATH, { sample: 7, limit: 3, ef_search: 20, filter, timeout_ms: 500 });
  const [asked] = engine.recalls;
  assert.equal([asked?.sample, asked?.limit, asked?.efSearch, asked?.timeoutMs], [7, 3, 20, 500]);
  assert.equal(asked?.filter, { must: [{ kind: 'match_value', key: 'a', value: 1 }] });
  assert.equal(body.by_filter_class, { below_1: { recall: 0.5, sampled: 7 } });
  assert.is(body.ef_search, 20);
});

test('what is out of bounds is refused before anything is measured', async (t) => {
  const { ask, engine } = await start(t);
  const bad = [
    { sample: 0 },
    { sample: 1_001 },
    { limit: 0 },
    { limit: 101 },
    { ef_search: 201 },
    { timeout_ms: 60_001 },
    { vector: [1, 2] },
  ];
  for (const body of bad) assert.is((await ask('POST', PATH, body)).status, 400, JSON.stringify(body));
  assert.is((await ask('POST', PATH, { filter: { must: 1 } })).body.error.type, 'InvalidFilter');
  assert.equal(engine.recalls, []);
  assert.is((await ask('POST', '/v1/collections/none/recall', {})).status, 404);
});

test('a second measurement beside the first is told to come back', async (t) => {
  const { ask, engine } = await start(t);
  engine.failNext('measureRecall', new SkeinError('Overloaded', 'it runs', { reason: 'recall_running' }));
  const { status, body } = await ask('POST', PATH, {});
  assert.equal([status, body.error.type, body.error.retryable], [503, 'Overloaded', true]);
});

test.run();
