/** What an attacker or a broken client sends: each has its typed answer, the process lives, memory stays, nothing is half done. */
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { COLLECTIONS, invalidAt, outside, refused } from './outside.js';

const { test, call, pack, socket } = outside('acceptance/hostile-input');
const MIB = 1024 * 1024;
const c = `${COLLECTIONS}/hostile`;
const FINE = '{"points":[{"id":1,"vector":[1,2]}]}';
const LIMIT = { limit_bytes: 32 * MIB };

/** Asserts that nothing of what a test sent was kept, and that the server serves. */
async function unharmed(): Promise<void> {
  assert.equal((await call<object>('POST', `${c}/points/count`, {})).body, { count: 0 });
}

async function empty(): Promise<void> {
  await call('DELETE', c);
  assert.is((await call('PUT', c, { dimension: 2, distance: 'euclid' })).status, 201);
}

async function residentBytes(): Promise<number> {
  const { body } = await call<string>('GET', '/metrics');
  return Number(/^skein_process_memory_bytes\{[^}]*rss[^}]*\} (\S+)/m.exec(body)?.[1]);
}

test('text that is not JSON is InvalidJson with the byte', async () => {
  await empty();
  const nest = (depth: number): string =>
    `{"points":[{"id":1,"vector":[1],"payload":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}]}`;
  for (const [body, offset] of [
    [FINE.slice(0, 20), 20],
    ['  ', 2],
    [`\ufeff${FINE}`, 0],
    [`${FINE}x`, FINE.length],
    [FINE + FINE, FINE.length],
    ["{'points':[]}", 1],
    ['{"points":[]/**/}', 12],
    ['{"points":[]}\0', 13],
    ['{"points":[{"id":"a\nb","vector":[1,2]}]}', 19],
    ['{"__proto__":{"points":[]}}', 1],
    [Buffer.from(FINE, 'utf16le'), 1],
    [Buffer.from('{"points":[{"id":"\xc3\x28"}]}', 'latin1'), 18],
    [nest(61), undefined],
    [`{"points":[{"id":1,"vector":[1,2],"payload":${'{"a":'.repeat(1_000_000)}`, undefined],
    [`{"points":[{"id":1,"vector":${'['.repeat(1_000_000)}`, undefined],
  ] as const) {
    refused(
      await call('PUT', `${c}/points`, body),
      400,
      'InvalidJson',
      offset === undefined ? {} : { offset },
      String(body).slice(0, 40),
    );
  }
  for (const body of ['', '['.repeat(1_000_000), '{"a":'.repeat(1_000_000), '1', 'null']) {
    assert.is((await call('PUT', `${c}/points`, body)).status, 400);
  }
  refused(await call('PUT', `${c}/points`, nest(60)), 400, 'DimensionMismatch');
  await unharmed();
});

test('MessagePack with lengths that lie, kinds that JSON lacks and depth without end is refused', async () => {
  await empty();
  const points = `81a6${Buffer.from('points').toString('hex')}`;
  const id = `${points}9182a26964`;
  const vector = `a6${Buffer.from('vector').toString('hex')}`;
  for (const hex of [
    ...['ddffffffff', 'dd00989680c0', '91dfffffffff', 'c9ffffffff01', '91c705010000000000'].map((tail) => points + tail),
    ...[`01${vector}c6ffffffff00`, `a2c328${vector}920102`, `a3eda080${vector}920102`].map((tail) => id + tail),
    ...['dfffffffff', 'd40100', 'd47240', 'c1', `81a9${Buffer.from('__proto__').toString('hex')}80`, '810102', `${points}9000`],
    points,
  ]) {
    refused(await pack('PUT', `${c}/points`, Buffer.from(hex, 'hex')), 400, 'InvalidJson', {}, hex);
  }
  invalidAt(await pack('PUT', `${c}/points`, Buffer.from(`${id}cfffffffffffffffff${vector}920102`, 'hex')), 'points[0].id');
  const deep = Buffer.concat([
    Buffer.from(`${id}01a7${Buffer.from('payload').toString('hex')}81a161`, 'hex'),
    Buffer.alloc(MIB, 0x91),
  ]);
  refused(await pack('PUT', `${c}/points`, deep), 400, 'InvalidJson');
  for (const payload of [{ d: new Date(0) }, { d: Buffer.from('x') }, { d: Number.NaN }]) {
    refused(await pack('PUT', `${c}/points`, { points: [{ id: 1, vector: [1, 2], payload }] }), 400, 'InvalidJson');
  }
  await unharmed();
});

test('bodies beyond the limit are 413, declared, chunked or folded into gzip, and memory stays flat', async () => {
  await empty();
  const before = await residentBytes();
  const put = (body: Buffer | string, headers: Record<string, string> = {}) => call('PUT', `${c}/points`, body, headers);
  const big = Buffer.alloc(33 * MIB, ' ');
  refused(
    await put(JSON.stringify({ points: [{ id: 1, vector: [1, 2], payload: { a: 'x'.repeat(10_000_000) } }] })),
    413,
    'PayloadTooLarge',
    {
      limit_bytes: MIB,
      point_id: 1,
    },
  );
  for (let round = 0; round < 3; round++) {
    refused(await put(big), 413, 'PayloadTooLarge', LIMIT);
    refused(await put(big, { 'transfer-encoding': 'chunked' }), 413, 'PayloadTooLarge', LIMIT);
  }
  const bomb = gzipSync(Buffer.alloc(200 * MIB, ' '));
  for (let round = 0; round < 3; round++) refused(await put(bomb, { 'content-encoding': 'gzip' }), 413, 'PayloadTooLarge', LIMIT);
  refused(await put(FINE, { 'content-encoding': 'gzip' }), 400, 'InvalidRequest');
  await unharmed();
  const grown = (await residentBytes()) - before;
  assert.ok(grown < 300 * MIB, `${grown} bytes more`);
  assert.is((await put(gzipSync(FINE), { 'content-encoding': 'gzip' })).status, 200);
});

const head = (length: string): string =>
  `PUT ${c}/points HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n${length}\r\n\r\n`;

test('a content-length that lies and broken framing end in a typed 4xx and a closed connection', async () => {
  await empty();
  const answered = (text: string): boolean => text.includes('"request_id"');
  assert.match(
    await socket(head('content-length: 1000000000000000'), { enough: answered }),
    /^HTTP\/1\.1 413 [\s\S]*PayloadTooLarge/,
  );
  assert.match(await socket(head('content-length: 500') + FINE, { end: true }), /^HTTP\/1\.1 400 [\s\S]*InvalidRequest/);
  for (const bytes of [
    ...[
      head('content-length: -5'),
      head('content-length: 5\r\ncontent-length: 6'),
      head('content-length: 5\r\ntransfer-encoding: chunked'),
    ],
    ...[head('transfer-encoding: gzip'), `${head('transfer-encoding: chunked')}zz\r\n\r\n`, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ...[
      '\x16\x03\x01\x02\x00\x01',
      '\x00\x01\x02\r\n\r\n',
      'BREW /health HTTP/1.1\r\nhost: localhost\r\n\r\n',
      'GET /é HTTP/1.1\r\nhost: localhost\r\n\r\n',
    ],
  ]) {
    const text = await socket(bytes);
    assert.match(text, /^HTTP\/1\.1 400 [\s\S]*x-request-id[\s\S]*InvalidRequest/, bytes);
  }
  for (const bomb of [
    `GET /health/live HTTP/1.1\r\nhost: localhost\r\n${'a'.repeat(100_000)}: 1\r\n\r\n`,
    `GET /health/live HTTP/1.1\r\nhost: localhost\r\n${'a: 1\r\n'.repeat(20_000)}\r\n`,
    `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  ]) {
    assert.match(await socket(bomb), /^HTTP\/1\.1 431 [\s\S]*InvalidRequest/);
  }
  await unharmed();
});

test('requests that share a connection are answered in order', async () => {
  const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${more}\r\n`;
  const text = await socket(get('/health/live') + get('/nope') + get('/health/ready', 'connection: close\r\n'));
  assert.equal(text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200']);
  const all = await socket(get('/health/live').repeat(499) + get('/health/live', 'connection: close\r\n'));
  assert.is(all.match(/HTTP\/1\.1 200/g)?.length, 500);
});

test('who closes his half after a request still gets the answer', async () => {
  await empty();
  const text = await socket(`${head(`content-length: ${FINE.length}`)}${FINE}`, { end: true });
  assert.match(text, /^HTTP\/1\.1 200 [\s\S]*"upserted":1/);
});

test.run();
