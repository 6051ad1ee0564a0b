/** Points written and read page by page through the dialect. */

import * as assert from 'uvu/assert';
import { startHttp, type TestHttp } from '../../support/http-server.js';
import { openTestEngine } from '../../support/open-test-engine.js';
import { suite, type TestContext } from '../../support/suite.js';

const test = suite('http/qdrant/points');
const POINTS = '/collections/c/points';
const UUID = '5c56c793-69f3-4fbf-87e6-c4bf54c28c26';

async function started(t: TestContext): Promise<TestHttp> {
  const { engine } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  const http = await startHttp(t, { engine });
  assert.is((await http.ask('PUT', '/collections/c', { vectors: { size: 2, distance: 'Dot' } })).status, 200);
  return http;
}

async function payloads({ ask }: TestHttp): Promise<Record<string, unknown>> {
  const { body } = await ask('POST', `${POINTS}/scroll`, { limit: 100 });
  const points = body.result.points as { id: string | number; payload: unknown }[];
  return Object.fromEntries(points.map(({ id, payload }) => [id, payload]));
}

const write = async ({ ask }: TestHttp, method: string, path: string, body: object): Promise<unknown> => {
  const answer = await ask(method, `${POINTS}${path}?wait=true`, body);
  return answer.status === 200 ? answer.body.result.status : [answer.status, answer.body.status.error];
};

test('points come as a list or in columns; of two with one id the later counts', async (t) => {
  const http = await started(t);
  const points = [
    { id: 1, vector: [1, 0], payload: { n: 'first' } },
    { id: UUID.toUpperCase(), vector: { '': [0, 1] }, payload: null },
    { id: 1, vector: [2, 0], payload: { n: 'second' } },
  ];
  assert.is(await write(http, 'PUT', '', { points }), 'completed');
  assert.equal(await payloads(http), { 1: { n: 'second' }, [UUID]: {} });
  const batch = {
    payloads: [null, { n: 3 }],
    vectors: [
      [5, 5],
      [6, 6],
    ],
    ids: [2, 3],
  };
  assert.is(await write(http, 'PUT', '', { batch }), 'completed');
  const { body } = await http.ask('POST', POINTS, { ids: [3], with_vector: true });
  assert.equal(body.result, [{ id: 3, payload: { n: 3 }, vector: [6, 6] }]);
  assert.is(await write(http, 'PUT', '', { points: [] }), 'completed');
  assert.is((await http.ask('PUT', POINTS, { points })).body.result.status, 'acknowledged');
});

test('a write that is repeated under its key is done once', async (t) => {
  const { ask } = await started(t);
  const put = (n: number) =>
    ask('PUT', `${POINTS}?wait=true`, { points: [{ id: 1, vector: [1, n] }] }, { 'idempotency-key': 'once' });
  const first = await put(1);
  assert.equal((await put(1)).body.result, first.body.result);
  assert.equal([(await put(2)).status, first.status], [409, 200]);
  const clear = () => ask('POST', `${POINTS}/payload/clear?wait=true`, { filter: {} }, { 'idempotency-key': 'twice' });
  const cleared = await clear();
  assert.equal([(await clear()).body.result, cleared.status], [cleared.body.result, 200]);
});

test('points are written where they are new, or there, or match as they are', async (t) => {
  const http = await started(t);
  const put = (by: string, more: object) =>
    write(http, 'PUT', '', { points: [1, 2].map((id) => ({ id, vector: [0, 1], payload: { by } })), ...more });
  await write(http, 'PUT', '', { points: [{ id: 1, vector: [1, 1], payload: { by: 'me' } }] });
  assert.is(await put('new', { update_mode: 'insert_only' }), 'completed');
  assert.equal(await payloads(http), { 1: { by: 'me' }, 2: { by: 'new' } });
  const update_filter = { must: [{ key: 'by', match: { value: 'me' } }] };
  await put('match', { update_mode: 'update_only', update_filter });
  assert.equal(await payloads(http), { 1: { by: 'match' }, 2: { by: 'new' } });
});

test('payloads are set, also at a key, replaced, cut and cleared, by ids or by filter', async (t) => {
  const http = await started(t);
  const payload = { a: { b: 1, c: 2 }, list: [{ x: 1 }, { x: 2 }], n: 1 };
  await write(http, 'PUT', '', { points: [1, 2].map((id) => ({ id, vector: [1, id], payload: { ...payload, id } })) });
  const one = { points: [1] };
  const second = { filter: { must: [{ key: 'id', match: { value: 2 } }] } };
  assert.is(await write(http, 'POST', '/payload', { payload: { a: { z: 1 }, n: null }, ...one }), 'completed');
  assert.is(await write(http, 'POST', '/payload', { payload: { y: 0 }, key: 'list[].deep', ...second }), 'completed');
  assert.equal(await payloads(http), {
    1: { a: { z: 1 }, list: [{ x: 1 }, { x: 2 }], id: 1 },
    2: {
      a: { b: 1, c: 2 },
      list: [
        { x: 1, deep: { y: 0 } },
        { x: 2, deep: { y: 0 } },
      ],
      n: 1,
      id: 2,
    },
  });
  assert.is(await write(http, 'POST', '/payload/delete', { keys: ['a.c', 'list[0]', 'none'], ...second }), 'completed');
  assert.is(await write(http, 'PUT', '/payload', { payload: { only: 1 }, ...one }), 'completed');
  const list = [1, 2].map((x) => ({ x, deep: { y: 0 } }));
  assert.equal(await payloads(http), { 1: { only: 1 }, 2: { a: { b: 1 }, list, n: 1, id: 2 } }, 'a place is passed over');
  assert.is(await write(http, 'POST', '/payload/clear', { points: [1, 2] }), 'completed');
  assert.equal(await payloads(http), { 1: {}, 2: {} });
  const absent = await write(http, 'POST', '/payload', { payload: { a: 1 }, points: [1, 9] });
  assert.equal(absent, [404, 'Not found: Point with id 9 does not exists!']);
  assert.equal(await payloads(http), { 1: {}, 2: {} });
});

test('vectors of points are changed, and nothing else of them', async (t) => {
  const http = await started(t);
  await write(http, 'PUT', '', { points: [1, 2].map((id) => ({ id, vector: [1, id], payload: { id } })) });
  assert.is(await write(http, 'PUT', '/vectors', { points: [{ id: 2, vector: [9, 9] }] }), 'completed');
  const { body } = await http.ask('POST', POINTS, { ids: [1, 2], with_vector: true });
  assert.equal(
    body.result.map(({ vector, payload }: { vector: unknown; payload: unknown }) => [vector, payload]),
    [
      [[1, 1], { id: 1 }],
      [[9, 9], { id: 2 }],
    ],
  );
  assert.is(((await write(http, 'PUT', '/vectors', { points: [{ id: 7, vector: [9, 9] }] })) as unknown[])[0], 404);
});

test('a batch runs its operations in their order, and stops at the first that is refused', async (t) => {
  const http = await started(t);
  const upsert = { points: [1, 2, 3].map((id) => ({ id, vector: [1, id], payload: { id } })) };
  const operations = [
    { upsert },
    { set_payload: { payload: { seen: true }, points: [1] } },
    { overwrite_payload: { payload: { id: 7 }, points: [2] } },
    { delete_payload: { keys: ['id'], points: [1] } },
    { update_vectors: { points: [{ id: 1, vector: [4, 4] }] } },
    { clear_payload: { filter: { must: [{ has_id: [2] }] } } },
    { delete: { points: [3] } },
  ];
  const { body } = await http.ask('POST', `${POINTS}/batch?wait=true`, { operations });
  assert.equal(
    body.result.map(({ status }: { status: string }) => status),
    operations.map(() => 'completed'),
  );
  assert.equal(await payloads(http), { 1: { seen: true }, 2: {} });
  const stopped = await http.ask('POST', `${POINTS}/batch?wait=true`, {
    operations: [{ delete: { points: [2] } }, { set_payload: { payload: {}, points: [9] } }, { delete: { points: [1] } }],
  });
  assert.is(stopped.status, 404);
  assert.equal(await payloads(http), { 1: { seen: true } });
  assert.is((await http.ask('POST', `${POINTS}/batch`, { operations: [{ upsert, delete: { points: [1] } }] })).status, 400);
});

test('what is malformed is refused by its place, and nothing of it is written', async (t) => {
  const http = await started(t);
  const good = { id: 1, vector: [1, 1] };
  const cases: readonly [unknown, number, RegExp][] = [
    [{ points: [good, { id: 'no uuid', vector: [1, 1] }] }, 400, /^Format error in JSON body: points\[1\]\.id: /],
    [{ points: [good, { id: -1, vector: [1, 1] }] }, 400, /^Format error in JSON body: points\[1\]\.id: /],
    [{ points: [good, { id: 18446744073709551615n, vector: [1, 1] }] }, 400, /^Format error in JSON body: points\[1\]\.id: /],
    [{ points: [good, { id: 2 }] }, 400, /^Format error in JSON body: points\[1\]\.vector: missing/],
    [{ points: [good, { id: 2, vector: [1, 2, 3] }] }, 400, /^Wrong input: Vector dimension error: expected dim: 2, got 3/],
    [{ points: [good, { id: 2, vector: [1, 'x'] }] }, 400, /^Wrong input: points\[1\]\.vector\[1\] is not a finite/],
    [{ points: [good, { id: 2, vector: [[1, 2]] }] }, 400, /points\[1\]\.vector/],
    [{ points: [good, { id: 2, vector: { none: [1, 2] } }] }, 400, /none/],
    [{ points: [good, { id: 2, vector: [1, 2], payload: [] }] }, 400, /^Format error in JSON body: points\[1\]\.payload: /],
    [
      { points: [good, { id: 2, vector: [1, 2], other: 1 }] },
      400,
      /^Format error in JSON body: points\[1\]\.other: unknown field/,
    ],
    [
      { points: [good], batch: { ids: [2], vectors: [[1, 1]] } },
      400,
      /^Format error in JSON body: exactly one of points and batch/,
    ],
    [{ batch: { ids: [1, 2], vectors: [[1, 1]] } }, 400, /^Format error in JSON body: batch\.vectors: has 1 entries/],
    [{ points: [good], update_mode: 'maybe' }, 400, /^Format error in JSON body: update_mode: /],
    [{ points: [good], shard_key: 'x' }, 400, /^Wrong input: shard_key: /],
  ];
  for (const [body, status, message] of cases) {
    const text = JSON.stringify(body, (_key, value: unknown) => (typeof value === 'bigint' ? 1.8446744073709552e19 : value));
    const answer = await http.send('PUT', `${POINTS}?wait=true`, text, { 'content-type': 'application/json' });
    assert.is(answer.status, status, text);
    assert.match(answer.body.status.error, message);
  }
  assert.equal(await payloads(http), {});
  const broken = await http.send('PUT', POINTS, '{"points": [', { 'content-type': 'application/json' });
  assert.equal([broken.status, /^Format error in JSON body: /.test(broken.body.status.error)], [400, true]);
});

test('pages begin with their offset, integers before texts, and say where the next begins', async (t) => {
  const http = await started(t);
  const uuids = ['0', '7', 'f'].map((digit) => `${digit.repeat(8)}-69f3-4fbf-87e6-c4bf54c28c26`);
  const ids = [0, 1, 5, 12, ...uuids];
  const points = ids.map((id, i) => ({ id, vector: [i, 1], payload: { even: i % 2 === 0 } }));
  await write(http, 'PUT', '', { points });
  await http.ask('PUT', '/v1/collections/c/points', { points: [{ id: 'zz: a text', vector: [1, 1] }] });
  const all = [...ids, 'zz: a text'];
  const walk = async (limit: number, filter?: object): Promise<unknown[]> => {
    const seen: unknown[] = [];
    for (let offset: unknown = null; ; ) {
      const { body } = await http.ask('POST', `${POINTS}/scroll`, { limit, offset, filter, with_payload: false });
      const page = body.result.points as { id: unknown }[];
      assert.ok(page.length <= limit);
      if (offset !== null) assert.is(page[0]?.id, offset);
      seen.push(...page.map(({ id }) => id));
      offset = body.result.next_page_offset;
      if (offset === null) return seen;
    }
  };
  for (const limit of [1, 3, 7, 8, 100]) assert.equal(await walk(limit), all, String(limit));
  assert.equal(await walk(2, { must: [{ key: 'even', match: { value: true } }] }), [0, 5, ...[uuids[0], uuids[2]]]);
});

test('pages in the order of an indexed field', async (t) => {
  const http = await started(t);
  const values = [5, 1, [9, 2], null, 3];
  const points = values.map((n, id) => ({ id, vector: [1, 1], payload: { n, at: `2026-01-0${id + 1}T00:00:00Z` } }));
  await write(http, 'PUT', '', { points });
  const order = async (order_by: unknown, more = {}): Promise<unknown> => {
    const { status, body } = await http.ask('POST', `${POINTS}/scroll`, { order_by, with_payload: false, ...more });
    return status === 200 ? body.result.points.map(({ id }: { id: number }) => id) : status;
  };
  assert.is(await order('n'), 400);
  for (const [field_name, field_schema] of [
    ['n', 'integer'],
    ['at', 'datetime'],
  ])
    await http.ask('PUT', '/collections/c/index?wait=true', { field_name, field_schema });
  assert.equal(await order('n'), [1, 2, 4, 0]);
  assert.equal(await order({ key: 'n', direction: 'desc', start_from: 4 }), [4, 2, 1]);
  assert.equal(await order({ key: 'at', direction: 'desc', start_from: '2026-01-03T00:00:00Z' }, { limit: 2 }), [2, 1]);
  for (const bad of [{ key: 'n', start_from: 'x' }, { key: 'n', direction: 'up' }, { key: 'n', more: 1 }, 7])
    assert.is(await order(bad), 400);
  assert.is(await order('n', { offset: 1 }), 400);
});

test('values of a field are counted', async (t) => {
  const http = await started(t);
  const points = ['a', 'b', 'a', ['a', 'b']].map((color, id) => ({ id, vector: [1, 1], payload: { color } }));
  await write(http, 'PUT', '', { points });
  const { body } = await http.ask('POST', '/collections/c/facet', { key: 'color', exact: true });
  assert.equal(body.result, {
    hits: [
      { value: 'a', count: 3 },
      { value: 'b', count: 2 },
    ],
  });
  assert.is((await http.ask('POST', '/collections/c/facet', { key: 'color', limit: 0 })).status, 422);
});

test.run();
