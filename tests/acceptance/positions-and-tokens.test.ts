/** Positions, their tokens and the waits for them as HTTP_API.md §§1 and 7 promise them on a master, tried from outside. */
import * as assert from 'uvu/assert';
import { COLLECTIONS, invalidAt, outside, refused } from './outside.js';

const { test, call } = outside('acceptance/positions-and-tokens');
const c = `${COLLECTIONS}/placed`;

async function written(): Promise<string> {
  await call('PUT', c, { dimension: 2, distance: 'dot' });
  const answer = await call<{ position: string }>('PUT', `${c}/points`, { points: [{ id: 1, vector: [1, 2] }] });
  assert.is(answer.body.position, answer.headers['x-skein-position']);
  return answer.body.position;
}

const READS = [
  ['GET', `${c}/points/1`, undefined],
  ['POST', `${c}/points/get`, { ids: [1] }],
  ['POST', `${c}/points/scroll`, {}],
  ['POST', `${c}/points/count`, {}],
  ['POST', `${c}/points/search`, { vector: [1, 0] }],
  ['POST', `${c}/points/search/batch`, { searches: [{ vector: [1, 0] }] }],
  ['GET', c, undefined],
  ['GET', COLLECTIONS, undefined],
] as const;

test('every answer about data carries its position, and a read after a write is at least as new', async () => {
  const position = await written();
  for (const [method, path, body] of READS) {
    const answer = await call(method, path, body, { 'x-skein-min-position': position });
    assert.equal([answer.status, answer.headers['x-skein-position']], [200, position], path);
    if (method === 'POST')
      assert.is((await call(method, path, { ...body, min_position: position, max_wait_ms: 10 })).status, 200, path);
  }
  assert.is((await call('GET', `${c}/points/none`)).headers['x-skein-position'], position);
});

test('a token of the future, of another history or of another epoch is PositionLost, and what is no token is refused', async () => {
  const position = await written();
  const changed = (change: (bytes: Buffer) => unknown): string => {
    const bytes = Buffer.from(position, 'base64url');
    change(bytes);
    return bytes.toString('base64url');
  };
  const lost = [
    changed((bytes) => bytes.writeBigUInt64BE(1_000_000n, 25)),
    changed((bytes) => bytes.writeUInt8((bytes[3] ?? 0) ^ 1, 3)),
    changed((bytes) => bytes.writeBigUInt64BE(2n, 17)),
  ];
  const malformed = [
    'junk',
    '',
    `${position}=`,
    `${position}A`,
    position.slice(0, -2),
    changed((bytes) => bytes.writeUInt8(9, 0)),
  ];
  for (const [method, path, body] of READS) {
    const read = (token: string) => call(method, `${path}?max_wait_ms=20`, body, { 'x-skein-min-position': token });
    for (const token of lost) refused(await read(token), 409, 'PositionLost', {}, path);
    for (const token of malformed) invalidAt(await read(token), 'x-skein-min-position', path);
  }
  invalidAt(await call('POST', `${c}/points/count`, { min_position: 'junk' }), 'min_position');
});

test('a write with a token of another history is refused before it happens', async () => {
  const position = await written();
  const bytes = Buffer.from(position, 'base64url');
  bytes.writeUInt8((bytes[3] ?? 0) ^ 1, 3);
  const points = { points: [{ id: 'lost', vector: [1, 2] }] };
  for (const [method, path, body] of [
    ['PUT', `${c}/points`, points],
    ['PATCH', `${c}/points`, { points: [{ id: 1 }] }],
    ['POST', `${c}/points/delete`, { ids: [1] }],
    ['POST', '/v1/batch', { operations: [{ upsert: { collection: 'placed', ...points } }] }],
    ['PUT', `${COLLECTIONS}/never`, { dimension: 2, distance: 'dot' }],
    ['DELETE', c, undefined],
  ] as const) {
    const write = (token: string) => call(method, path, body, { 'x-skein-min-position': token });
    refused(await write(bytes.toString('base64url')), 409, 'PositionLost', {}, `${method} ${path}`);
    invalidAt(await write('junk'), 'x-skein-min-position');
  }
  assert.equal((await call<object>('POST', `${c}/points/count`, {}, { 'x-skein-min-position': position })).body, { count: 1 });
  assert.is((await call('PUT', `${c}/points`, points, { 'x-skein-min-position': position })).status, 200);
  await call('POST', `${c}/points/delete`, { ids: ['lost'] });
});

test('the wait is a count of milliseconds with a limit', async () => {
  await written();
  for (const wait of ['-1', 'x', '1e3', '']) invalidAt(await call('GET', `${c}/points/1?max_wait_ms=${wait}`), 'max_wait_ms');
  const over = await call('GET', `${c}/points/1?max_wait_ms=99999999`);
  invalidAt(over, 'max_wait_ms');
  assert.type(over.body.error.details['limit'], 'number');
  invalidAt(await call('POST', `${c}/points/count`, { max_wait_ms: -1 }), 'max_wait_ms');
});

test.run();
