/** Points as HTTP_API.md §§1, 4 and 7 promise them, tried from outside. */
import * as assert from 'uvu/assert';
import { waitUntil } from '../support/wait-until.js';
import { COLLECTIONS, float32, invalidAt, outside, refused } from './outside.js';

const { test, call, pack } = outside('acceptance/points');

interface Point {
  readonly id: string | number;
  readonly version: number;
  readonly payload: object;
  readonly vector: number[] | Buffer;
}

/** @returns the path of a new collection of three dimensions */
async function collection(name: string, settings: object = {}): Promise<string> {
  const made = await call('PUT', `${COLLECTIONS}/${name}`, { dimension: 3, distance: 'euclid', ...settings });
  assert.is(made.status, 201);
  return `${COLLECTIONS}/${name}`;
}

const point = (id: unknown, more: object = {}): object => ({ id, vector: [1, 2, 3], ...more });

test('7 and "7" are two points, each found under its own address', async () => {
  const c = await collection('ids');
  await call('PUT', `${c}/points`, {
    points: [point(7, { payload: { is: 'number' } }), point('7', { payload: { is: 'text' } })],
  });
  assert.equal((await call<Point>('GET', `${c}/points/7`)).body.id, 7);
  assert.equal((await call<Point>('GET', `${c}/points/7?id_type=integer`)).body.id, 7);
  assert.equal((await call<Point>('GET', `${c}/points/7?id_type=string`)).body.id, '7');
  refused(await call('GET', `${c}/points/007`), 404, 'PointNotFound', { id: '007' });
  const many = await call<{ points: Point[]; missing: unknown[] }>('POST', `${c}/points/get`, { ids: ['7', 7, 8, 'x'] });
  assert.equal(
    [many.body.points.map(({ payload }) => payload), many.body.missing],
    [
      [{ is: 'text' }, { is: 'number' }],
      [8, 'x'],
    ],
  );
});

test('ids have their limits, and any text of UTF-8 is addressable', async () => {
  const c = await collection('idsOfAllSorts');
  const good = [
    'x'.repeat(256),
    'é'.repeat(128),
    'a/b',
    '%2F',
    'a\u0000b',
    '😀',
    ' ',
    '.',
    '..',
    '__proto__',
    0,
    Number.MAX_SAFE_INTEGER,
  ];
  assert.is((await call('PUT', `${c}/points`, { points: good.map((id) => point(id)) })).status, 200);
  for (const id of good) {
    assert.equal((await call<Point>('GET', `${c}/points/${encodeURIComponent(id)}`)).body.id, id);
  }
  for (const id of [
    '""',
    `"${'x'.repeat(257)}"`,
    `"${'é'.repeat(129)}"`,
    '-1',
    '1.5',
    '9007199254740992',
    'null',
    'true',
    '[1]',
    '{}',
  ]) {
    invalidAt(
      await call('PUT', `${c}/points`, `{"points":[{"id":"fine","vector":[1,2,3]},{"id":${id},"vector":[1,2,3]}]}`),
      'points[1].id',
    );
  }
  refused(await call('GET', `${c}/points/fine`), 404, 'PointNotFound');
  refused(await call('GET', `${c}/points/${'x'.repeat(257)}`), 400, 'InvalidRequest', { limit_bytes: 256 });
});

test('an id stands once in a request, whatever its notation', async () => {
  const c = await collection('twice');
  invalidAt(await call('PUT', `${c}/points`, { points: [point('a'), point('a')] }), 'points[1].id');
  invalidAt(
    await call('PUT', `${c}/points`, '{"points":[{"id":1,"vector":[1,2,3]},{"id":1.0,"vector":[1,2,3]}]}'),
    'points[1].id',
  );
  invalidAt(await call('POST', `${c}/points/delete`, { ids: ['a', 'a'] }), 'ids[1]');
  refused(await call('GET', `${c}/points/a`), 404, 'PointNotFound');
  await call('PUT', `${c}/points`, { points: [point('a')] });
  invalidAt(await call('PATCH', `${c}/points`, { points: [{ id: 'a' }, { id: 'a' }] }), 'points[1].id');
});

test('every float32 comes back bit for bit, and -0 as 0 in JSON alone', async () => {
  const c = await collection('bits', { dimension: 2 });
  const values = [1, -0, 1e-45, 3.4028234663852886e38, 0.1, -123.456];
  const points = [0, 1, 2].map((i) => ({ id: i, vector: float32(values[2 * i] as number, values[2 * i + 1] as number) }));
  await pack('PUT', `${c}/points`, { points });
  const packed = await pack<{ points: Point[] }>('POST', `${c}/points/get`, { ids: [0, 1, 2] });
  assert.equal(
    packed.body.points.map(({ vector }) => Buffer.from(vector).toString('hex')),
    points.map(({ vector }) => vector.toString('hex')),
  );
  const asJson = await call<{ points: Point[] }>('POST', `${c}/points/get`, { ids: [0, 1, 2] });
  const read = asJson.body.points.flatMap(({ vector }) => [...vector]).map(Math.fround);
  assert.equal(
    read,
    values.map((value) => Math.fround(value) + 0),
  );
  assert.not.match(asJson.bytes.toString(), '-0]');
  // Cosine does not keep unit vectors in place of what was given.
  const cosine = await collection('bitsOfCosine', { dimension: 2, distance: 'cosine' });
  await pack('PUT', `${cosine}/points`, { points: [{ id: 1, vector: float32(3, 0.1) }] });
  assert.equal(Buffer.from((await pack<Point>('GET', `${cosine}/points/1`)).body.vector), float32(3, 0.1));
});

test('a vector of the wrong kind is refused with its place, and nothing of the request is kept', async () => {
  const c = await collection('vectors');
  const cosine = await collection('directions', { distance: 'cosine' });
  const put = (at: string, vector: string) =>
    call('PUT', `${at}/points`, `{"points":[{"id":"fine","vector":[1,2,3]},{"id":"bad","vector":${vector}}]}`);
  for (const [vector, got] of [
    ['[]', 0],
    ['[1,2]', 2],
    ['[1,2,3,4]', 4],
  ] as const) {
    refused(await put(c, vector), 400, 'DimensionMismatch', { expected: 3, got, point_id: 'bad' }, vector);
  }
  for (const [vector, component] of [
    ['[1,null,3]', 1],
    ['[1,"2",3]', 1],
    ['[true,2,3]', 0],
    ['[1,2,{}]', 2],
    ['[1,[2],3]', 1],
    ['[1,1e39,3]', 1],
    ['[1,2,-1e400]', 2],
  ] as const) {
    refused(await put(c, vector), 400, 'InvalidVector', { point_id: 'bad', component }, vector);
  }
  for (const vector of ['null', '"abc"', '{"0":1}', '5']) invalidAt(await put(c, vector), 'points[1].vector', vector);
  for (const vector of ['[1,NaN,3]', '[1,Infinity,3]', '[1,-Infinity,3]', '[1,01,3]', '[1,.5,3]']) {
    refused(await put(c, vector), 400, 'InvalidJson', {}, vector);
  }
  for (const vector of ['[0,0,0]', '[0,-0,0]', '[1e-60,0,0]']) {
    refused(await put(cosine, vector), 400, 'ZeroVector', { point_id: 'bad' }, vector);
  }
  invalidAt(await call('PUT', `${c}/points`, { points: [{ id: 1 }] }), 'points[0].vector');
  invalidAt(await call('PUT', `${c}/points`, { points: [{ id: 1, text: 'a house' }] }), 'points[0].text');
  for (const at of [c, cosine]) assert.equal((await call('POST', `${at}/points/count`, {})).body as unknown, { count: 0 });
});

test('MessagePack vectors of wrong lengths and kinds are refused alike', async () => {
  const c = await collection('packedVectors');
  const put = (vector: unknown) => pack('PUT', `${c}/points`, { points: [{ id: 'bad', vector }] });
  refused(await put(float32(1)), 400, 'DimensionMismatch', { expected: 3, got: 1, point_id: 'bad' });
  refused(await put(Buffer.alloc(0)), 400, 'DimensionMismatch', { got: 0 });
  assert.is((await put(Buffer.alloc(11))).status, 400);
  refused(await put(float32(1, Number.NaN, 1)), 400, 'InvalidVector', { point_id: 'bad', component: 1 });
  refused(await put([1, 2, Number.POSITIVE_INFINITY]), 400, 'InvalidVector', { component: 2 });
  refused(await put([1, null, 3]), 400, 'InvalidVector', { component: 1 });
  refused(await pack('GET', `${c}/points/bad`), 404, 'PointNotFound', { id: 'bad' });
});

test('payloads are kept as JSON has them; what cannot be kept is refused', async () => {
  const c = await collection('payloads');
  const put = (payload: string) => call('PUT', `${c}/points`, `{"points":[{"id":"p","vector":[1,2,3],"payload":${payload}}]}`);
  for (const payload of [
    '{}',
    '{"":1}',
    '{"a.b":1}',
    '{"constructor":{"x":[1,{}]}}',
    '{"a":9007199254740991}',
    '{"a":1e30}',
    '{"a":null}',
  ]) {
    assert.is((await put(payload)).status, 200, payload);
    assert.is(JSON.stringify((await call<Point>('GET', `${c}/points/p`)).body.payload), JSON.stringify(JSON.parse(payload)));
  }
  for (const payload of ['[]', '"x"', 'null', '1']) invalidAt(await put(payload), 'points[0].payload');
  for (const payload of ['{"a":9007199254740993}', '{"a":-12345678901234567890}'])
    refused(await put(payload), 400, 'InvalidRequest', {}, payload);
  for (const payload of ['{"__proto__":{}}', '{"a":{"__proto__":1}}', '{"a":"\\ud800"}', '{"\\udc00":1}', '{"a":1e400}'])
    refused(await put(payload), 400, 'InvalidJson', {}, payload);
  assert.is((await put(`{"a":"${'x'.repeat(1_048_576 - 8)}"}`)).status, 200);
  refused(await put(`{"a":"${'x'.repeat(1_048_576 - 7)}"}`), 413, 'PayloadTooLarge', { limit_bytes: 1_048_576, point_id: 'p' });
  refused(await call('PATCH', `${c}/points`, { points: [{ id: 'p', payload: { b: 1 } }] }), 413, 'PayloadTooLarge', { id: 'p' });
});

test('unknown fields are refused and named, at every depth', async () => {
  const c = await collection('strict');
  invalidAt(await call('PUT', `${c}/points`, { points: [], more: 1 }), 'more');
  invalidAt(await call('PUT', `${c}/points`, { points: [point(1, { colour: 1 })] }), 'points[0].colour');
  invalidAt(await call('PATCH', `${c}/points`, { points: [{ id: 1, colour: 1 }] }), 'points[0].colour');
  for (const [route, body] of [
    ['get', { ids: [] }],
    ['scroll', {}],
    ['count', {}],
    ['delete', { ids: [] }],
    ['search', { vector: [1, 2, 3] }],
  ]) {
    invalidAt(await call('POST', `${c}/points/${route as string}`, { ...(body as object), colour: 1 }), 'colour');
  }
  invalidAt(
    await call('POST', `${c}/points/search/batch`, { searches: [{ vector: [1, 2, 3], colour: 1 }] }),
    'searches[0].colour',
  );
});

test('if_version compares, 0 means absent, and one conflict refuses the whole request', async () => {
  const c = await collection('versions');
  const put = (...points: object[]) => call<{ seq: number }>('PUT', `${c}/points`, { points });
  assert.is((await put(point('a', { if_version: 0 }))).status, 200);
  const { version } = (await call<Point>('GET', `${c}/points/a`)).body;
  refused(await put(point('new'), point('a', { if_version: 0 })), 409, 'VersionConflict', {
    id: 'a',
    expected: 0,
    actual: version,
  });
  refused(await call('GET', `${c}/points/new`), 404, 'PointNotFound');
  assert.is((await put(point('a', { if_version: version }))).status, 200);
  refused(await put(point('a', { if_version: version })), 409, 'VersionConflict', { id: 'a', expected: version });
  refused(await put(point('none', { if_version: 5 })), 409, 'VersionConflict', { id: 'none', expected: 5 });
  refused(await call('PATCH', `${c}/points`, { points: [{ id: 'a', if_version: version }] }), 409, 'VersionConflict', {
    id: 'a',
  });
  for (const wrong of [-1, 1.5, '1', null]) invalidAt(await put(point('a', { if_version: wrong })), 'points[0].if_version');
});

test('a patch merges deeply, unsets paths, keeps the rest, and is all or nothing', async () => {
  const c = await collection('patches');
  await call('PUT', `${c}/points`, { points: [point('m', { payload: { a: { b: 1, c: [1, 2] }, d: 1, n: null } })] });
  const patch = (...points: object[]) => call<{ patched: number }>('PATCH', `${c}/points`, { points });
  const patched = await patch({ id: 'm', payload: { a: { x: 2, c: [9] }, d: null, e: { f: 1 } }, unset: ['n', 'a.b', 'z.q'] });
  assert.is(patched.body.patched, 1);
  const { payload, vector } = (await call<Point>('GET', `${c}/points/m`)).body;
  assert.equal([payload, vector], [{ a: { c: [9], x: 2 }, d: null, e: { f: 1 } }, [1, 2, 3]]);
  await patch({ id: 'm', vector: [4, 5, 6] });
  assert.equal((await call<Point>('GET', `${c}/points/m`)).body.vector, [4, 5, 6]);
  refused(await patch({ id: 'm', payload: { lost: 1 } }, { id: 'nobody' }), 404, 'PointNotFound', { id: 'nobody' });
  assert.equal((await call<Point>('GET', `${c}/points/m`)).body.payload, payload);
  refused(await patch({ id: 'm', vector: [1] }), 400, 'DimensionMismatch', { point_id: 'm' });
  invalidAt(await patch({ id: 'm', unset: 'a' }), 'points[0].unset');
  invalidAt(await patch({ id: 'm', payload: null }), 'points[0].payload');
});

test('reads give payload and vector as asked', async () => {
  const c = await collection('reads');
  await call('PUT', `${c}/points`, { points: [point(1, { payload: { a: 1 } })] });
  const shape = async (method: string, path: string, body?: object): Promise<string[]> => {
    const answer = await call<Point & { points: Point[] }>(method, `${c}/points/${path}`, body);
    return Object.keys(answer.body.points?.[0] ?? answer.body).sort();
  };
  assert.equal(await shape('GET', '1'), ['id', 'payload', 'vector', 'version']);
  assert.equal(await shape('POST', 'get', { ids: [1] }), ['id', 'payload', 'vector', 'version']);
  assert.equal(await shape('POST', 'get', { ids: [1], with_vector: false }), ['id', 'payload', 'version']);
  assert.equal(await shape('POST', 'get', { ids: [1], with_payload: false }), ['id', 'vector', 'version']);
  assert.equal(await shape('POST', 'scroll', {}), ['id', 'payload', 'version']);
  assert.equal(await shape('POST', 'scroll', { with_vector: true, with_payload: false }), ['id', 'vector', 'version']);
  invalidAt(await call('POST', `${c}/points/get`, { ids: [1.5] }), 'ids[0]');
  invalidAt(await call('POST', `${c}/points/get`, {}), 'ids');
});

test('deleting counts what existed', async () => {
  const c = await collection('deletes');
  await call('PUT', `${c}/points`, { points: [point(1), point(2)] });
  const gone = await call<{ deleted: number; write_concern: object }>('POST', `${c}/points/delete`, { ids: [1, 'none'] });
  assert.equal([gone.body.deleted, gone.body.write_concern], [1, { required: 1, acknowledged: 1 }]);
  for (const body of [{}, { ids: [2], filter: {} }])
    refused(await call('POST', `${c}/points/delete`, body), 400, 'InvalidRequest');
  assert.equal((await call<object>('POST', `${c}/points/count`, {})).body, { count: 1 });
  refused(await call('POST', `${COLLECTIONS}/nowhere/points/delete`, { ids: [1] }), 404, 'CollectionNotFound');
});

test('points expire by the collection or by themselves', async () => {
  const c = await collection('expiring', { ttl_ms: 200 });
  await call('PUT', `${c}/points`, {
    points: [
      point('soon'),
      point('late', { expires_at: '2100-01-01T00:00:00.000Z' }),
      point('never', { expires_at: 'never' }),
      point('past', { expires_at: '2020-01-01T00:00:00Z' }),
    ],
  });
  for (const time of ['x', 123, null, 'Never', '9999-12-31T23:59:59-01:00', '2030-13-01T00:00:00Z', '2030-02-30T00:00:00Z']) {
    invalidAt(await call('PUT', `${c}/points`, { points: [point(1, { expires_at: time })] }), 'points[0].expires_at');
  }
  await waitUntil(async () => (await call<{ count: number }>('POST', `${c}/points/count`, {})).body.count === 2, {
    what: 'two points expire',
  });
  assert.is((await call<Point>('GET', `${c}/points/late`)).body.id, 'late');
  assert.is((await call<Point>('GET', `${c}/points/never`)).body.id, 'never');
});

test('10,000 points fit in a request and 10,001 do not, in any route', async () => {
  const c = await collection('many', { dimension: 2 });
  const points = Array.from({ length: 10_001 }, (_, id) => ({ id, vector: [1, id] }));
  const limit = { limit: 10_000 };
  refused(await call('PUT', `${c}/points`, { points }), 400, 'InvalidRequest', limit);
  refused(await call('PATCH', `${c}/points`, { points: points.map(({ id }) => ({ id })) }), 400, 'InvalidRequest', limit);
  for (const route of ['delete', 'get']) {
    refused(await call('POST', `${c}/points/${route}`, { ids: points.map(({ id }) => id) }), 400, 'InvalidRequest', limit);
  }
  const full = await call<{ upserted: number }>('PUT', `${c}/points`, { points: points.slice(1) });
  assert.equal([full.status, full.body.upserted], [200, 10_000]);
});

test.run();
