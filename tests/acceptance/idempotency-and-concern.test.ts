/** Write parameters, write concern and idempotency as HTTP_API.md §§4 and 7 promise them on a node alone, tried from outside. */
import * as assert from 'uvu/assert';
import { COLLECTIONS, float32, invalidAt, outside, refused } from './outside.js';

const { test, call, pack } = outside('acceptance/idempotency-and-concern');

interface Written {
  readonly upserted: number;
  readonly seq: number;
  readonly write_concern: object;
}

async function collection(name: string): Promise<string> {
  assert.is((await call('PUT', `${COLLECTIONS}/${name}`, { dimension: 2, distance: 'dot' })).status, 201);
  return `${COLLECTIONS}/${name}`;
}

const body = (id: unknown): object => ({ points: [{ id, vector: [1, 2] }] });

test('w, wait and timeout_ms are checked on every write', async () => {
  const c = await collection('parameters');
  const put = (query: string) => call<Written>('PUT', `${c}/points?${query}`, body(1));
  for (const query of ['w=1', 'w=majority', 'w=%31', 'wait=indexed', 'wait=durable', 'timeout_ms=1000', 'max_wait_ms=5', '']) {
    const answer = await put(query);
    assert.equal([answer.status, answer.body.write_concern], [200, { required: 1, acknowledged: 1 }], query);
  }
  refused(await put('w=2'), 400, 'WriteConcernImpossible', { required: 2, voters: 1 });
  for (const w of ['0', '-1', '1.5', 'abc', '', 'Majority', '1e0', '99999999999999999999', '%zz'])
    invalidAt(await put(`w=${w}`), 'w', w);
  for (const ms of ['-1', 'abc', '1e9', '']) invalidAt(await put(`timeout_ms=${ms}`), 'timeout_ms', ms);
  for (const wait of ['none', 'Indexed', '']) invalidAt(await put(`wait=${wait}`), 'wait', wait);
  for (const name of ['colour', 'id_type', '__proto__', 'min_position']) invalidAt(await put(`${name}=1`), name);
  invalidAt(await put('w=1&w=1'), 'w');
  for (const [method, path, content] of [
    ['PATCH', `${c}/points`, { points: [] }],
    ['POST', `${c}/points/delete`, { ids: [] }],
    ['POST', '/v1/batch', { operations: [] }],
    ['PUT', `${COLLECTIONS}/other`, { dimension: 2, distance: 'dot' }],
    ['PATCH', c, {}],
    ['DELETE', c, undefined],
  ] as const) {
    invalidAt(await call(method, `${path}?w=0`, content), 'w', path);
    invalidAt(await call(method, `${path}?colour=1`, content), 'colour', path);
    refused(await call(method, `${path}?w=2`, content), 400, 'WriteConcernImpossible', {}, path);
  }
  for (const path of [COLLECTIONS, c, `${c}/points/1`]) invalidAt(await call('GET', `${path}?w=1`), 'w', path);
});

test('with wait=indexed the next search sees the write', async () => {
  const c = await collection('indexed');
  for (let id = 0; id < 20; id++) {
    await call('PUT', `${c}/points?wait=indexed`, body(id));
    const { body: found } = await call<{ hits: object[] }>('POST', `${c}/points/search`, { vector: [1, 0], limit: 100 });
    assert.is(found.hits.length, id + 1);
  }
});

test('a repeat returns the first answer and does nothing again, in either encoding', async () => {
  const c = await collection('repeats');
  const key = { 'idempotency-key': 'first' };
  const first = await call<Written>('PUT', `${c}/points`, body('a'), key);
  await call('POST', `${c}/points/delete`, { ids: ['a'] });
  const again = await call<Written>('PUT', `${c}/points?wait=durable&w=1`, body('a'), key);
  assert.equal([again.body, again.headers['x-skein-position']], [first.body, first.headers['x-skein-position']]);
  assert.equal((await pack<Written>('PUT', `${c}/points`, body('a'), key)).body, first.body);
  assert.equal(
    (await pack<Written>('PUT', `${c}/points`, { points: [{ id: 'a', vector: float32(1, 2) }] }, key)).body,
    first.body,
  );
  refused(await call('GET', `${c}/points/a`), 404, 'PointNotFound');
  refused(await call('PUT', `${c}/points`, body('b'), key), 409, 'IdempotencyConflict');
  // The key belongs to its route.
  assert.is((await call('POST', `${c}/points/delete`, { ids: ['b'] }, key)).status, 200);
});

test('the same key on its way twice is done once', async () => {
  const c = await collection('races');
  const key = { 'idempotency-key': 'race' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => call<Written>('PUT', `${c}/points`, body('r'), key)));
  assert.equal(new Set(answers.map(({ status, bytes }) => `${status} ${bytes.toString()}`)).size, 1);
});

test('refusals are not remembered; collections and batches are', async () => {
  const c = await collection('kinds');
  const key = (name: string) => ({ 'idempotency-key': name });
  refused(await call('PUT', `${c}/points`, { points: [{ id: 1, vector: [1] }] }, key('wrong')), 400, 'DimensionMismatch');
  assert.is((await call('PUT', `${c}/points`, body(1), key('wrong'))).status, 200);
  const create = () => call<object>('PUT', `${COLLECTIONS}/made`, { dimension: 2, distance: 'dot' }, key('create'));
  const [made, remade] = [await create(), await create()];
  assert.equal([remade.status, remade.body], [201, made.body]);
  const drop = () => call<object>('DELETE', `${COLLECTIONS}/made`, undefined, key('drop'));
  assert.equal((await drop()).body, (await drop()).body);
  const batch = () =>
    call<object>('POST', '/v1/batch', { operations: [{ delete: { collection: 'kinds', ids: [1] } }] }, key('batch'));
  assert.equal((await batch()).body, (await batch()).body);
});

test('a key is 1 to 128 characters', async () => {
  const c = await collection('keys');
  const put = (key: string) => call('PUT', `${c}/points`, body(1), { 'idempotency-key': key });
  assert.is((await put('k'.repeat(128))).status, 200);
  for (const key of ['', 'k'.repeat(129)]) refused(await put(key), 400, 'InvalidRequest');
});

test.run();
