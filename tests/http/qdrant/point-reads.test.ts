/** Stored points through the dialect: by id, some by theirs, counted. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/point-reads');
const UUID = '5c56c793-69f3-4fbf-87e6-c4bf54c28c26';
const POINTS = '/collections/c/points';

async function written(t: TestContext): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'cosine' });
  const points = [
    { id: 1, vector: [3, 4], payload: { a: { b: 1, c: 2 }, list: [{ x: 1, y: 2 }], d: 3 } },
    { id: UUID, vector: [0, 2] },
    { id: 'a text', vector: [1, 0], payload: { d: 4 } },
  ];
  assert.is((await http.ask('PUT', '/v1/collections/c/points', { points })).status, 200);
  return http;
}

test('one point has payload and vector, the vector with length 1', async (t) => {
  const { ask } = await written(t);
  const { status, body } = await ask('GET', `${POINTS}/1`);
  assert.is(status, 200);
  assert.equal(body.result.payload.d, 3);
  assert.equal(
    body.result.vector.map((value: number) => value.toFixed(6)),
    ['0.600000', '0.800000'],
  );
  assert.is((await ask('GET', `${POINTS}/${UUID.toUpperCase()}`)).body.result.id, UUID);
  assert.is((await ask('GET', `${POINTS}/a%20text`)).body.result.id, 'a text');
  const absent = await ask('GET', `${POINTS}/7`);
  assert.is(absent.status, 404);
  assert.is(absent.body.status.error, 'Not found: Point with id 7 does not exists!');
});

test('some points: absent ids are left out, spellings of a UUID are one, and the payload is cut as asked', async (t) => {
  const { ask } = await written(t);
  const ids = async (list: unknown[], more = {}): Promise<unknown[]> => {
    const { body } = await ask('POST', POINTS, { ids: list, ...more });
    return body.result;
  };
  assert.equal(await ids([1, 99, UUID.replaceAll('-', ''), `urn:uuid:${UUID}`], { with_payload: false }), [
    { id: 1 },
    { id: UUID },
  ]);
  assert.equal(await ids([1], { with_payload: ['a.b', 'list[].y', 'none'] }), [
    { id: 1, payload: { a: { b: 1 }, list: [{ y: 2 }] } },
  ]);
  assert.equal(await ids([1], { with_payload: { exclude: ['a', 'list.x'] } }), [{ id: 1, payload: { list: [{ y: 2 }], d: 3 } }]);
  assert.equal(Object.keys((await ids([UUID], { with_vector: true }))[0] as object), ['id', 'payload', 'vector']);
});

test('counts are exact, with a filter or none', async (t) => {
  const { ask } = await written(t);
  assert.equal((await ask('POST', `${POINTS}/count`, {})).body.result, { count: 3 });
  const filter = { must: [{ key: 'd', match: { value: 4 } }] };
  assert.equal((await ask('POST', `${POINTS}/count`, { filter, exact: false })).body.result, { count: 1 });
});

test('what is wrong is told in the dialect', async (t) => {
  const { ask } = await written(t);
  const cases: readonly [string, unknown, number, RegExp][] = [
    [POINTS, { ids: ['x'.repeat(300)] }, 400, /^Format error in JSON body: ids\[0\]: /],
    [POINTS, { ids: [-1] }, 400, /^Format error in JSON body: ids\[0\]: /],
    [POINTS, { ids: [1.5] }, 400, /^Format error in JSON body: ids\[0\]: /],
    [POINTS, { ids: 7 }, 400, /^Format error in JSON body: ids: /],
    [POINTS, {}, 400, /^Format error in JSON body: ids: missing/],
    [POINTS, { ids: [1], with_payload: 7 }, 400, /^Format error in JSON body: with_payload: /],
    [POINTS, { ids: [1], with_payload: { include: ['a'], exclude: ['b'] } }, 400, /^Format error in JSON body: with_payload: /],
    [POINTS, { ids: [1], shard_key: 'a' }, 400, /^Wrong input: shard_key: /],
    [POINTS, { ids: [1], other: 1 }, 400, /^Format error in JSON body: other: unknown field/],
    ['/collections/none/points', { ids: [1] }, 404, /^Not found: Collection `none` doesn't exist!$/],
    ['/collections/no%20name/points', { ids: [1] }, 422, /^Validation error in path parameters: \[name: /],
  ];
  for (const [path, body, status, message] of cases) {
    const answer = await ask('POST', path, body);
    assert.is(answer.status, status, JSON.stringify(body));
    assert.match(answer.body.status.error, message);
  }
  const broken = await ask('POST', POINTS);
  assert.is(broken.status, 400);
});

test.run();
