/** The change feed over a WebSocket: the same changes as events, in both forms, refused as any request, ended with a reason. */

import { once } from 'node:events';
import * as assert from 'uvu/assert';
import { type ClientOptions, WebSocket } from 'ws';
import { unpackMessage } from '../../src/codec/msgpack.js';
import { placeAt } from '../../src/model/change-place.js';
import { SkeinError } from '../../src/model/errors.js';
import type { Limits } from '../../src/model/limits.js';
import { readEvents } from '../support/event-source.js';
import { startHttp, type TestHttp } from '../support/http-server.js';
import { startKeyed } from '../support/keyed-http.js';
import { openTestEngine } from '../support/open-test-engine.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/changes-socket');
const POINTS = '/v1/collections/films/points';

interface Reading {
  readonly socket: WebSocket;
  readonly messages: ReturnType<typeof JSON.parse>[];
  readonly changes: () => ReturnType<typeof JSON.parse>[];
}

async function realHttp(t: TestContext, limits: Partial<Limits> = {}): Promise<TestHttp> {
  const { engine, create } = await openTestEngine(t.folder());
  t.after(() => engine.stop());
  await create('films', 2);
  return startHttp(t, { engine, limits });
}

async function follow(t: TestContext, url: string, query = '', protocol?: string, options: ClientOptions = {}): Promise<Reading> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/changes?${query}`, protocol, options);
  t.after(() => socket.terminate());
  const messages: unknown[] = [];
  socket.on('message', (data: Buffer, isBinary) => messages.push(isBinary ? unpackMessage(data) : JSON.parse(data.toString())));
  await once(socket, 'open');
  return { socket, messages, changes: () => messages.flatMap((message) => (message as { changes?: unknown[] }).changes ?? []) };
}

/** @returns status and type of the refusal */
async function refused(url: string, query: string, headers = {}): Promise<unknown[]> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/changes?${query}`, { headers });
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, AsyncIterable<Buffer> & { statusCode: number }];
  const body: Buffer[] = [];
  for await (const chunk of response) body.push(chunk);
  return [response.statusCode, JSON.parse(Buffer.concat(body).toString()).error.type];
}

test('messages carry the changes that events do, each with its token, as JSON or as MessagePack with binary vectors', async (t) => {
  const http = await realHttp(t);
  const points = Array.from({ length: 600 }, (_, id) => ({ id, vector: [id, 0.5], payload: { id } }));
  await http.ask('PUT', POINTS, { points });
  const events = await readEvents(`${http.url}/v1/changes?from=snapshot&with_vector=true`);
  t.after(() => events.close());
  const told = (await events.take(603)).map(({ id, data }) => ({ ...data, token: id }));
  const text = await follow(t, http.url, 'from=snapshot&with_vector=true');
  await waitUntil(() => text.changes().length === 603, { what: 'all changes as text' });
  assert.equal(text.changes(), told);
  assert.ok(text.messages.every(({ changes, token }) => changes.length === 0 || token === changes.at(-1).token));
  const packed = await follow(t, http.url, 'from=snapshot&with_vector=true', 'skein.msgpack');
  await waitUntil(() => packed.changes().length === 603, { what: 'all changes as MessagePack' });
  const vector = packed.changes()[10].vector as Uint8Array;
  assert.equal([...new Float32Array(vector.buffer.slice(vector.byteOffset, vector.byteOffset + 8))], told[10].vector);
  assert.equal(
    packed.changes().map(({ token }) => token),
    told.map(({ token }) => token),
  );
  await http.ask('POST', `${POINTS}/delete`, { ids: [1] });
  await waitUntil(() => text.changes().length === 604 && packed.changes().length === 604, { what: 'the delete' });
  const again = await follow(t, http.url, `from=${told[300].token}&with_vector=true`);
  await waitUntil(() => again.changes().length === 303, { what: 'the rest' });
  // Its tokens know of a newer state.
  const untold = ({ token: _token, ...change }: Record<string, unknown>): unknown => change;
  assert.equal(again.changes().map(untold), text.changes().slice(301).map(untold));
});

test('a socket that has nothing to tell gives signs of life, with its place, and ends for whoever talks', async (t) => {
  const http = await realHttp(t, { changeHeartbeatMs: 100 });
  const { socket, messages } = await follow(t, http.url);
  await waitUntil(() => messages.length >= 4, { what: 'heartbeats' });
  assert.ok(messages.every(({ changes, token }) => changes.length === 0 && token === messages[0].token));
  socket.send('hello');
  const [code] = await once(socket, 'close');
  assert.is(code, 1003);
});

test('a socket is refused as any request is, and no page of another origin gets one without a key', async (t) => {
  const http = await realHttp(t, { changeFeedsMax: 1 });
  assert.equal(await refused(http.url, 'from=x'), [400, 'InvalidRequest']);
  assert.equal(await refused(http.url, 'collection=none'), [404, 'CollectionNotFound']);
  assert.equal(await refused(http.url, '', { origin: 'http://elsewhere.example' }), [403, 'Forbidden']);
  const { socket } = await follow(t, http.url);
  assert.equal(await refused(http.url, ''), [503, 'Overloaded']);
  socket.close();
  await waitUntil(async () => /change_feeds\{carrier="websocket"\} 0\n/.test((await http.ask('GET', '/metrics')).body), {
    what: 'it is gone',
  });
  const keyed = await startKeyed(t);
  const { authorization } = keyed.as('read');
  assert.equal(await refused(keyed.url, ''), [401, 'Unauthorized']);
  assert.equal(await refused(keyed.url, '', keyed.as('replicate')), [403, 'Forbidden']);
  await follow(t, keyed.url, '', undefined, { headers: { authorization } });
  // Other paths become no sockets.
  const other = new WebSocket(`${http.url.replace('http', 'ws')}/v1/collections`);
  other.on('error', () => {});
  const [, response] = (await once(other, 'unexpected-response')) as [unknown, { statusCode: number; resume(): void }];
  response.resume();
  assert.is(response.statusCode, 200);
});

test('what ends a feed is its last message, and a stop ends all at once', async (t) => {
  const http = await startHttp(t);
  http.engine.changes.pages.push(new SkeinError('PositionLost', 'rolled back'));
  const lost = await follow(t, http.url);
  const [code, reason] = await once(lost.socket, 'close');
  assert.equal([code, String(reason), lost.messages.at(-1).error.type], [4409, 'PositionLost', 'PositionLost']);
  const open = await follow(t, http.url);
  const startMs = performance.now();
  const closed = once(open.socket, 'close');
  await http.close(10_000);
  assert.is((await closed)[0], 4503);
  assert.ok(performance.now() - startMs < 5_000);
});

test('a socket that takes nothing costs one page', async (t) => {
  const http = await startHttp(t);
  const { changes } = http.engine;
  const payload = Buffer.from(JSON.stringify({ text: 'x'.repeat(100_000) }));
  const place = placeAt({ historyId: 'ab'.repeat(16), epoch: 1, seq: 1 });
  const event = { kind: 'upsert', collection: 'c', point: { id: 1, payload, vector: null, expiresAtMs: null } } as const;
  for (let i = 0; i < 400; i++) changes.pages.push({ changes: [{ event, seq: 1, timeMs: 1, token: 't' }], place });
  const { socket, messages } = await follow(t, http.url);
  socket.pause();
  const asked = await changes.untilStill();
  assert.ok(asked < 200, `${asked} pages were read ahead`);
  socket.resume();
  await waitUntil(() => messages.length >= 400, { what: 'all messages' });
});

test.run();
