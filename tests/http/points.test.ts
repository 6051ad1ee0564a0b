/** Routes of points, in JSON and in MessagePack. */

import * as assert from 'uvu/assert';
import { floatBytes, floatsOf } from '../../src/codec/msgpack.js';
import { ALONE, type Answer, startHttp, type TestHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/routes/points');
const POINTS = '/v1/collections/c/points';

async function withPoints(t: TestContext): Promise<TestHttp> {
  const http = await startHttp(t);
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  const points = [
    { id: 1, vector: [0, 0], payload: { kind: 'a', n: 1 } },
    { id: 2, vector: [1, 0.1], payload: { kind: 'b' } },
    { id: 'x/y', vector: [2, 0] },
    { id: '7', vector: [3, 0] },
    { id: 7, vector: [4, 0] },
  ];
  const { status } = await http.ask('PUT', POINTS, { points });
  assert.is(status, 200);
  return http;
}

const issue = ({ status, body }: Answer): string => {
  assert.equal([status, body.error.type], [400, 'InvalidRequest'], JSON.stringify(body));
  return body.error.details.issues[0].path;
};

test('an upsert answers count, seq, position and who holds it', async (t) => {
  const { ask } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  const { body, headers } = await ask('PUT', POINTS, { points: [{ id: 1, vector: [1, 2] }] });
  assert.is(headers.get('x-skein-position'), body.position);
  assert.equal(body, { upserted: 1, seq: 2, position: body.position, write_concern: { required: 1, acknowledged: 1 } });
  assert.is((await ask('PUT', POINTS, { points: [] })).body.upserted, 0);
});

test('a refused point refuses the request as a whole', async (t) => {
  const { ask, engine } = await withPoints(t);
  const before = engine.seq;
  const answer = await ask('PUT', POINTS, {
    points: [
      { id: 9, vector: [1, 1] },
      { id: 10, vector: [1, null] },
    ],
  });
  assert.equal([answer.status, answer.body.error.type], [400, 'InvalidVector']);
  assert.equal(answer.body.error.details, { point_id: 10, component: 1, path: 'points[1].vector[1]' });
  const wide = await ask('PUT', POINTS, { points: [{ id: 9, vector: [1, 1, 1] }] });
  assert.equal(
    [wide.body.error.type, wide.body.error.details.expected, wide.body.error.details.got],
    ['DimensionMismatch', 2, 3],
  );
  assert.is(engine.seq, before);
  const large = await ask('PUT', POINTS, { points: [{ id: 9, vector: [1, 1], payload: { a: 'x'.repeat(2 ** 20) } }] });
  assert.equal([large.status, large.body.error.type, large.body.error.details.limit_bytes], [413, 'PayloadTooLarge', 2 ** 20]);
});

test('what only the reader of the bytes can see is named by its place too', async (t) => {
  const { send, askPacked } = await withPoints(t);
  for (const id of ['1152921504606846976', '9007199254740993', '9007199254740992']) {
    const body = `{"points":[{"id":${id},"vector":[1,2]}]}`;
    assert.is(issue(await send('PUT', POINTS, body, { 'content-type': 'application/json' })), 'points[0].id');
  }
  const cut = { id: 9, vector: Buffer.alloc(7) };
  assert.is(issue(await askPacked('PUT', POINTS, { points: [{ id: 8, vector: [1, 2] }, cut] })), 'points[1].vector');
});

test('a point is read by its id; digits are the integer unless said otherwise', async (t) => {
  const { ask } = await withPoints(t);
  const one = await ask('GET', `${POINTS}/1`);
  assert.equal(one.body, { id: 1, version: 2, payload: { kind: 'a', n: 1 }, vector: [0, 0] });
  assert.ok(one.headers.get('x-skein-position'));
  assert.equal((await ask('GET', `${POINTS}/7`)).body.id, 7);
  assert.equal((await ask('GET', `${POINTS}/7?id_type=string`)).body.id, '7');
  assert.equal((await ask('GET', `${POINTS}/x%2Fy?with_vector=false&with_payload=false`)).body, { id: 'x/y', version: 2 });
  const none = await ask('GET', `${POINTS}/007`);
  assert.equal([none.status, none.body.error.type, none.body.error.details.id], [404, 'PointNotFound', '007']);
  assert.is(issue(await ask('GET', `${POINTS}/1?with_vector=yes`)), 'with_vector');
  assert.is(issue(await ask('GET', `${POINTS}/a?id_type=integer`)), 'id');
});

test('points are read by ids, the missing ones are named', async (t) => {
  const { ask } = await withPoints(t);
  const { body } = await ask('POST', `${POINTS}/get`, { ids: [2, 'none', '7'], with_vector: true });
  assert.equal(
    body.points.map((point: { id: unknown }) => point.id),
    [2, '7'],
  );
  assert.equal(body.points[0].vector, [1, 0.1]);
  assert.equal(body.missing, ['none']);
  assert.is(issue(await ask('POST', `${POINTS}/get`, {})), 'ids');
  assert.is(issue(await ask('POST', `${POINTS}/get`, { ids: [1, -1] })), 'ids[1]');
});

test('patches merge, unset and move', async (t) => {
  const { ask } = await withPoints(t);
  const { body } = await ask('PATCH', POINTS, {
    points: [{ id: 1, vector: [9, 9], payload: { n: null, more: 1 }, unset: ['kind'] }],
  });
  assert.is(body.patched, 1);
  const point = await ask('GET', `${POINTS}/1`);
  assert.equal([point.body.payload, point.body.vector], [{ n: null, more: 1 }, [9, 9]]);
  assert.is((await ask('PATCH', POINTS, { points: [{ id: 'none' }] })).body.error.type, 'PointNotFound');
});

test('points go by ids or by filter', async (t) => {
  const { ask } = await withPoints(t);
  assert.is((await ask('POST', `${POINTS}/delete`, { ids: ['7', 'none'] })).body.deleted, 1);
  const filtered = await ask('POST', `${POINTS}/delete`, { filter: { must: [{ key: 'kind', match: { value: 'b' } }] } });
  assert.equal([filtered.body.deleted, filtered.body.units], [1, 1]);
  assert.is(issue(await ask('POST', `${POINTS}/delete`, {})), '');
  assert.is(issue(await ask('POST', `${POINTS}/delete`, { ids: [], filter: {} })), '');
  assert.is(issue(await ask('POST', `${POINTS}/delete`, { ids: [1, 1] })), 'ids[1]');
  assert.is((await ask('POST', `${POINTS}/delete`, { filter: { must: 1 } })).body.error.type, 'InvalidFilter');
  assert.equal((await ask('POST', `${POINTS}/count`, {})).body, { count: 3 });
});

test('scrolling goes through all points in order, page by page', async (t) => {
  const { ask } = await withPoints(t);
  const seen: unknown[] = [];
  let cursor: string | null = null;
  do {
    const { body }: Answer = await ask('POST', `${POINTS}/scroll`, { limit: 2, cursor });
    seen.push(...body.points.map((point: { id: unknown }) => point.id));
    cursor = body.next_cursor;
  } while (cursor !== null);
  assert.equal(seen, [1, 2, 7, '7', 'x/y']);
  const filtered = await ask('POST', `${POINTS}/scroll`, {
    filter: { must: [{ key: 'kind', exists: true }] },
    with_vector: true,
  });
  assert.equal(filtered.body.points.length, 2);
  assert.equal(filtered.body.points[0].vector, [0, 0]);
  assert.is((await ask('POST', `${POINTS}/scroll`)).body.points.length, 5);
  for (const bad of ['x', 'AQ', 'AQEAAAAAAAAAAQ==', ''])
    assert.is(issue(await ask('POST', `${POINTS}/scroll`, { cursor: bad })), 'cursor', bad);
  assert.is(issue(await ask('POST', `${POINTS}/scroll`, { limit: 10_001 })), 'limit');
  assert.is(issue(await ask('POST', `${POINTS}/scroll`, { limit: 0 })), 'limit');
});

test('a count is the number that matches', async (t) => {
  const { ask } = await withPoints(t);
  const counted = await ask('POST', `${POINTS}/count`, { filter: { must: [{ key: 'kind', match: { any: ['a', 'b'] } }] } });
  assert.equal(counted.body, { count: 2 });
  assert.ok(counted.headers.get('x-skein-position'));
  assert.is(issue(await ask('POST', `${POINTS}/count`, { filtre: {} })), 'filtre');
});

test('MessagePack says and answers the same, vectors as bytes', async (t) => {
  const { ask, askPacked } = await withPoints(t);
  const vector = Float32Array.from([0.1, -0]);
  const { body } = await askPacked('PUT', POINTS, {
    points: [{ id: 2 ** 40, vector: floatBytes(vector), payload: { deep: [{ a: null }] } }],
  });
  assert.is(body.upserted, 1);
  const packed = await askPacked('GET', `${POINTS}/${2 ** 40}`);
  assert.equal([packed.body.id, packed.body.payload], [2 ** 40, { deep: [{ a: null }] }]);
  const back = floatsOf(packed.body.vector);
  assert.ok(Object.is(back[1], -0), 'every bit is kept');
  assert.equal((await ask('GET', `${POINTS}/${2 ** 40}`)).body.vector, [0.1, 0]);
  assert.equal((await askPacked('POST', `${POINTS}/count`, {})).body, { count: 6 });
});

test('broken bodies are told by their offset', async (t) => {
  const { send, engine } = await withPoints(t);
  const before = engine.seq;
  for (const [body, offset] of [
    ['{"points":[{"id":1,"vector":[1,', 31],
    ['{"points":[]} x', 14],
    [`{"points":[{"id":1,"vector":[1,1],"payload":${'{"a":'.repeat(100)}1${'}'.repeat(100)}}]}`, 349],
    ['{"points":[{"id":1,"vector":[1,1],"payload":{"__proto__":1}}]}', 45],
    ['{"points":[{"id":1,"vector":[1,1],"payload":{"a":"\\ud800"}}]}', 49],
    ['{"points":[{"id":1,"vector":[NaN,1]}]}', 29],
  ] as const) {
    const { status, body: answer } = await send('PUT', POINTS, body, { 'content-type': 'application/json' });
    assert.equal([status, answer.error.type, answer.error.details.offset], [400, 'InvalidJson', offset], answer.error.message);
  }
  const cut = await send('PUT', POINTS, Buffer.from([0x81, 0xa6, 0x70]), { 'content-type': 'application/msgpack' });
  assert.equal([cut.status, cut.body.error.type], [400, 'InvalidJson']);
  assert.is(engine.seq, before);
});

test('tokens: an answer is at least as new as asked; malformed ones are refused', async (t) => {
  const { ask, engine } = await withPoints(t);
  const token = (await ask('GET', `${POINTS}/1`)).headers.get('x-skein-position') ?? '';
  assert.is((await ask('GET', `${POINTS}/1`, undefined, { 'x-skein-min-position': token })).status, 200);
  assert.is((await ask('POST', `${POINTS}/count`, { min_position: token, max_wait_ms: 10 })).status, 200);
  assert.is(issue(await ask('POST', `${POINTS}/count`, { min_position: 'nonsense' })), 'min_position');
  assert.is(issue(await ask('GET', `${POINTS}/1`, undefined, { 'x-skein-min-position': 'x' })), 'x-skein-min-position');
  assert.is(issue(await ask('POST', `${POINTS}/count`, { max_wait_ms: 60_001 })), 'max_wait_ms');
  engine.seq--;
  const lost = await ask('GET', `${POINTS}/1`, undefined, { 'x-skein-min-position': token });
  assert.equal([lost.status, lost.body.error.type], [409, 'PositionLost']);
});

test('an idempotency key is one request, in either form, with one answer', async (t) => {
  const { ask, askPacked, engine } = await withPoints(t);
  const headers = { 'idempotency-key': 'key-1' };
  const body = { points: [{ id: 50, vector: [1, 2], payload: { a: 1 } }] };
  const first = await ask('PUT', POINTS, body, headers);
  const seq = engine.seq;
  assert.equal((await ask('PUT', POINTS, body, headers)).body, first.body);
  assert.equal((await askPacked('PUT', POINTS, body, headers)).body, first.body);
  assert.is(engine.seq, seq);
  const other = await ask('PUT', POINTS, { points: [{ id: 50, vector: [1, 3] }] }, headers);
  assert.equal([other.status, other.body.error.type], [409, 'IdempotencyConflict']);
  assert.is((await ask('POST', `${POINTS}/delete`, { ids: [50] }, headers)).status, 200, 'another path is another scope');
  assert.is(issue(await ask('PUT', POINTS, body, { 'idempotency-key': 'x'.repeat(129) })), 'idempotency-key');
});

test('a write that too few nodes confirm is durable and says so', async (t) => {
  const writeConcern = { ...ALONE, defaultRequired: () => 2, voters: () => 3 };
  const { ask, engine } = await startHttp(t, { service: { writeConcern } });
  const { status, body } = await ask('PUT', '/v1/collections/c?timeout_ms=10', { dimension: 2, distance: 'dot' });
  assert.equal([status, body.error.type, body.error.retryable], [504, 'WriteConcernTimeout', true]);
  assert.equal([body.error.details.required, body.error.details.acknowledged], [2, 1]);
  assert.is(engine.seq, 1);
  const one = await ask('DELETE', '/v1/collections/c?w=1');
  assert.equal(one.body.write_concern, { required: 1, acknowledged: 1 });
});

test('a write waits for replicas that are joining, and for no more nodes than will be there', async (t) => {
  const waits: number[][] = [];
  const wait = (seq: number, required: number, waitMs: number): Promise<number> => {
    waits.push([seq, required]);
    return Promise.resolve(waitMs > 100 ? required : 1);
  };
  const { ask } = await startHttp(t, { service: { writeConcern: { ...ALONE, joining: () => 1, wait } } });
  const put = (query: string) => ask('PUT', `/v1/collections/c?${query}`, { dimension: 2, distance: 'dot' });
  const late = await put('w=2&timeout_ms=50');
  assert.equal([late.status, late.body.error.type], [504, 'WriteConcernTimeout']);
  const waited = await ask('DELETE', '/v1/collections/c?w=2');
  assert.equal([waited.status, waited.body.write_concern], [200, { required: 2, acknowledged: 2 }]);
  const impossible = await put('w=3');
  assert.equal([impossible.status, impossible.body.error.type], [400, 'WriteConcernImpossible']);
  assert.is((await put('w=majority')).status, 201);
  const twice = [
    [1, 2],
    [2, 2],
  ];
  assert.equal(waits, twice, 'who joins counts for no majority, and what is refused was not written');
});

test('options of a write reach the engine', async (t) => {
  const { ask, engine } = await withPoints(t);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await ask('PUT', `${POINTS}?wait=durable&timeout_ms=1234`, { points: [] }, { traceparent });
  const options = engine.writes.at(-1)?.options;
  assert.equal([options?.wait, options?.trace], ['durable', traceparent]);
  assert.ok((options?.timeoutMs ?? 0) > 1_000 && (options?.timeoutMs ?? 0) <= 1_234);
});

test.run();
