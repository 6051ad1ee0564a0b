/** Points and collections removed through the dialect. */

import * as assert from 'uvu/assert';
import { SkeinError } from '../../../src/model/errors.js';
import { fakeReplication } from '../../support/fake-replication.js';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/deletes');
const POINTS = '/collections/c/points';

async function written(t: TestContext): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  const points = Array.from({ length: 10 }, (_, id) => ({ id, vector: [id, 1], payload: { even: id % 2 === 0 } }));
  assert.is((await http.ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return http;
}

const left = async ({ ask }: TestHttp): Promise<number> => (await ask('POST', `${POINTS}/count`, {})).body.result.count;

test('points go by ids and by filter, and the answer says how far it is', async (t) => {
  const http = await written(t);
  const byIds = await http.ask('POST', `${POINTS}/delete?wait=true&ordering=weak`, { points: [1, 3, 77] });
  assert.is(byIds.body.result.status, 'completed');
  assert.type(byIds.body.result.operation_id, 'number');
  assert.is(await left(http), 8);
  const filter = { must: [{ key: 'even', match: { value: true } }] };
  assert.is((await http.ask('POST', `${POINTS}/delete`, { filter })).body.result.status, 'acknowledged');
  assert.is(await left(http), 3);
});

test('neither or both of points and filter, and bad parameters, are refused', async (t) => {
  const http = await written(t);
  for (const body of [{}, { points: [1], filter: {} }, { points: ['no uuid'.repeat(99)] }, { points: 'all' }]) {
    assert.is((await http.ask('POST', `${POINTS}/delete`, body)).status, 400, JSON.stringify(body));
  }
  assert.is((await http.ask('POST', `${POINTS}/delete?wait=yes`, { points: [1] })).status, 400);
  assert.is((await http.ask('POST', `${POINTS}/delete?ordering=loose`, { points: [1] })).status, 400);
  assert.is(await left(http), 10);
});

test('a write that is durable and not yet to be found when its time is over says so', async (t) => {
  const http = await startHttp(t);
  http.engine.write = () => Promise.reject(new SkeinError('Timeout', 'not applied yet', { state: 'durable', seq: 12 }));
  const late = await http.ask('POST', `${POINTS}/delete?wait=true&timeout=1`, { points: [1] });
  assert.equal([late.status, late.body.result], [200, { operation_id: 12, status: 'wait_timeout' }]);
  const unasked = await http.ask('POST', `${POINTS}/delete?wait=true`, { points: [1] });
  assert.equal([unasked.status, unasked.body.status.error], [408, 'Timeout: not applied yet']);
});

test('a collection goes once; one that is not there is no mistake', async (t) => {
  const { ask } = await written(t);
  assert.is((await ask('DELETE', '/collections/c')).body.result, true);
  assert.is((await ask('DELETE', '/collections/c')).body.result, false);
  assert.equal((await ask('GET', '/collections/c/exists')).body.result, { exists: false });
});

test('a replica sends a write to its master, with the same path', async (t) => {
  const replication = { ...fakeReplication(), role: () => 'replica' as const, masterUrl: () => 'http://master:7171' };
  const { ask } = await startHttp(t, { service: { replication } });
  const answer = await ask('POST', `${POINTS}/delete?wait=true`, { points: [1] });
  assert.is(answer.status, 307);
  assert.is(answer.headers.get('location'), `http://master:7171${POINTS}/delete?wait=true`);
  assert.type(answer.body.status.error, 'string');
});

test.run();
