/** Bodies on their way in: bounds, deadlines, compression, the thread for large ones, and what is left when a caller misbehaves. */

import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { packMessage } from '../../src/codec/msgpack.js';
import { FIXED } from '../../src/model/limits.js';
import { type Answer, startHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/bodies');
const POINTS = '/v1/collections/c/points';
const JSON_TYPE = { 'content-type': 'application/json' };
const NEW = { dimension: 2, distance: 'euclid' };

const errorType = ({ status, body }: Answer): unknown => [status, body.error?.type];

/** A connection by hand, closed after the test. */
async function rawConnection(t: TestContext, url: string): Promise<{ socket: Socket; received: () => string }> {
  const { port } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return { socket, received: () => text };
}

test('a body over the limit is refused, whether it says its length or not', async (t) => {
  const { ask, send } = await startHttp(t, { limits: { bodyBytesMax: 4_000, payloadBytesMax: 1_000 } });
  await ask('PUT', '/v1/collections/c', NEW);
  const large = JSON.stringify({ points: [{ id: 'x'.repeat(5_000), vector: [1, 2] }] });
  const said = await send('PUT', POINTS, large, JSON_TYPE);
  assert.equal(errorType(said), [413, 'PayloadTooLarge']);
  assert.is(said.body.error.details.limit_bytes, 4_000);
  const streamed = await send('PUT', POINTS, new Blob([large]).stream(), JSON_TYPE);
  assert.equal(errorType(streamed), [413, 'PayloadTooLarge']);
});

test('gzip is read, and a gzip bomb is refused before it is unpacked', async (t) => {
  const { ask, send } = await startHttp(t, { limits: { bodyBytesMax: 1_000_000, payloadBytesMax: 10_000 } });
  await ask('PUT', '/v1/collections/c', NEW);
  const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
  const body = gzipSync(JSON.stringify({ points: [{ id: 1, vector: [1, 2] }] }));
  assert.is((await send('PUT', POINTS, body, headers)).body.upserted, 1);
  const bomb = gzipSync(Buffer.alloc(200_000_000, ' '));
  const before = process.memoryUsage().arrayBuffers;
  assert.equal(errorType(await send('PUT', POINTS, bomb, headers)), [413, 'PayloadTooLarge']);
  assert.ok(process.memoryUsage().arrayBuffers - before < 20_000_000);
  assert.equal(errorType(await send('PUT', POINTS, 'not gzip at all', headers)), [400, 'InvalidRequest']);
  assert.equal(errorType(await send('PUT', POINTS, body.subarray(0, body.length - 9), headers)), [400, 'InvalidRequest']);
});

test('a body that does not come in time is given up, and others are not kept waiting', async (t) => {
  const { ask, url } = await startHttp(t, { limits: { bodyDeadlineMs: 100 } });
  const slow = await rawConnection(t, url);
  slow.socket.write(
    'PUT /v1/collections/c HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"dim',
  );
  assert.is((await ask('GET', '/health/live')).status, 200);
  await waitUntil(() => slow.received().includes('RequestTimeout'), { what: 'the end of the slow body' });
  assert.match(slow.received(), /^HTTP\/1\.1 408 /);
});

test('1,000 connections that say nothing harm nobody', async (t) => {
  const { ask, url } = await startHttp(t);
  const sockets = await Promise.all(Array.from({ length: 1_000 }, () => rawConnection(t, url)));
  for (const { socket } of sockets)
    socket.write('PUT /v1/collections/c HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n');
  for (let i = 0; i < 20; i++) assert.is((await ask('GET', '/health/live')).status, 200);
});

test('what is not HTTP is answered in the same form', async (t) => {
  const { url } = await startHttp(t);
  const { socket, received } = await rawConnection(t, url);
  socket.write('HELLO THERE\r\n\r\n');
  await waitUntil(() => received().includes('InvalidRequest'), { what: 'an answer' });
  assert.match(received(), /^HTTP\/1\.1 400 Bad Request\r\n/);
  const fat = await rawConnection(t, url);
  fat.socket.write(`GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`);
  await waitUntil(() => fat.received().includes('too large'), { what: 'an answer' });
  assert.match(fat.received(), /^HTTP\/1\.1 431 /);
});

test('a refused upload can read its answer, and the connection ends soon after', async (t) => {
  const { url } = await startHttp(t, { apiKey: 'k' });
  const { socket, received } = await rawConnection(t, url);
  socket.write('POST /v1/collections/c/points/import HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n');
  const more = setInterval(() => socket.write('5\r\n12345\r\n'), 20);
  t.after(() => clearInterval(more));
  await waitUntil(() => received().includes('Unauthorized'), { what: 'the refusal' });
  await waitUntil(() => socket.destroyed || socket.readableEnded, {
    what: 'the cut',
    deadlineMs: FIXED.refusedBodyDrainMs + 5_000,
  });
});

test('a caller that goes away in the middle leaves nothing behind', async (t) => {
  const { ask, url, engine } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', NEW);
  const held = async (): Promise<number> => Number(/skein_body_held_bytes (\d+)/.exec((await ask('GET', '/metrics')).body)?.[1]);
  const body = Buffer.from(`{"points":[${' '.repeat(1_000_000)}`);
  for (const [sent, encoding] of [
    [body, 'identity'],
    [gzipSync(body, { level: 0 }), 'gzip'],
  ] as const) {
    const headers = { ...JSON_TYPE, 'content-length': 2_000_000, 'content-encoding': encoding };
    const request = httpRequest(`${url}${POINTS}`, { method: 'PUT', headers });
    request.on('error', () => {});
    request.write(sent.subarray(0, 500_000));
    await waitUntil(async () => (await held()) > 0, { what: 'bytes to arrive' });
    request.destroy();
    await waitUntil(async () => (await held()) === 0, { what: 'the bytes to be given back' });
  }
  assert.is(engine.seq, 1);
});

test('large bodies are read beside the event loop, with the same outcome', async (t) => {
  const { ask, askPacked, engine } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', { dimension: 64, distance: 'euclid' });
  const points = Array.from({ length: 2_000 }, (_, id) => ({
    id,
    vector: Array.from({ length: 64 }, (_, i) => (id * i) / 7),
    payload: { id },
  }));
  assert.ok(JSON.stringify({ points }).length > FIXED.inlineBodyBytesMax);
  const written = await ask('PUT', POINTS, { points }, { 'idempotency-key': 'k' });
  assert.equal([written.status, written.body.upserted], [200, 2_000]);
  assert.equal(
    (await askPacked('PUT', POINTS, { points }, { 'idempotency-key': 'k' })).body,
    written.body,
    'the same canonical hash',
  );
  assert.equal((await ask('GET', `${POINTS}/1999`)).body.payload, { id: 1_999 });
  const seq = engine.seq;
  (points[1_500] as { vector: unknown[] }).vector[3] = null;
  const bad = await ask('PUT', POINTS, { points });
  assert.equal(
    [errorType(bad), bad.body.error.details.point_id, bad.body.error.details.component],
    [[400, 'InvalidVector'], 1_500, 3],
  );
  assert.is(engine.seq, seq);
  const patched = await ask('PATCH', POINTS, { points: points.map(({ id }) => ({ id, payload: { text: 'x'.repeat(150) } })) });
  assert.is(patched.body.patched, 2_000);
  const batch = await ask('POST', '/v1/batch', { operations: [{ upsert: { collection: 'c', points: points.slice(0, 1_000) } }] });
  assert.equal(batch.body.results, [{ upserted: 1_000 }]);
});

test('a truncated large body is refused by its offset too', async (t) => {
  const { ask, send } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', NEW);
  const body = `{"points":[{"id":1,"vector":[1,2],"payload":{"a":"${'x'.repeat(FIXED.inlineBodyBytesMax)}`;
  const answer = await send('PUT', POINTS, body, JSON_TYPE);
  assert.equal([errorType(answer), answer.body.error.details.offset], [[400, 'InvalidJson'], body.length]);
  const packed = packMessage({ points: [{ id: 1, vector: [1, 2], payload: { a: 'x'.repeat(FIXED.inlineBodyBytesMax) } }] });
  const cut = await send('PUT', POINTS, Buffer.from(packed.subarray(0, -1)), { 'content-type': 'application/msgpack' });
  assert.equal(errorType(cut), [400, 'InvalidJson']);
});

test('health answers while large bodies are read', async (t) => {
  const { ask } = await startHttp(t);
  await ask('PUT', '/v1/collections/c', { dimension: 128, distance: 'euclid' });
  const points = Array.from({ length: 3_000 }, (_, id) => ({
    id,
    vector: Array.from({ length: 128 }, (_, i) => Math.sin(id + i)),
  }));
  const body = JSON.stringify({ points });
  const load = Promise.all([1, 2, 3].map(() => ask('PUT', POINTS, JSON.parse(body))));
  let answered = 0;
  let ended = false;
  void load.then(() => {
    ended = true;
  });
  while (!ended) {
    await ask('GET', '/health/live');
    answered += 1;
  }
  assert.equal(
    (await load).map(({ status }) => status),
    [200, 200, 200],
  );
  // Hundreds, and without the thread a handful, however fast the machine is.
  assert.ok(answered >= 30, `health answered ${answered} times`);
});

test.run();
