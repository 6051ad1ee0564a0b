/** Calls: what is tried again and what is not, how they end, and what they remember. */

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import * as assert from 'uvu/assert';
import { packMessage } from '../../src/codec/msgpack.js';
import { encodeToken } from '../../src/model/position.js';
import {
  type ClientSettings,
  SkeinApiError,
  SkeinClient,
  SkeinConnectionError,
  SkeinTimeoutError,
  type Transport,
} from '../../src/sdk/index.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { apiError, type Handler, type StubServer, stubServer } from './stub-server.js';

const written = { upserted: 1, seq: 7, position: 'p', write_concern: { required: 1, acknowledged: 1 } };
const quick = { attempts: 4, firstDelayMs: 1, delayMsMax: 4 };
const point = { id: 1, vector: new Float32Array([1]) };

async function connect(
  t: TestContext,
  handler: Handler,
  settings: Partial<ClientSettings> = {},
): Promise<{ client: SkeinClient; stub: StubServer }> {
  const stub = await stubServer(t, handler);
  const client = new SkeinClient({ url: stub.url, retries: quick, ...settings });
  t.after(() => client.close());
  return { client, stub };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

const test = suite('sdk/caller');

test('a write is tried again under one idempotency key, and another write gets another', async (t) => {
  let calls = 0;
  const { client, stub } = await connect(t, () =>
    ++calls < 3 ? apiError(503, 'Overloaded', { retryable: true }) : { body: written },
  );
  await client.upsert('c', [point]);
  await client.upsert('c', [point]);
  const keys = stub.received.map(({ headers }) => headers['idempotency-key']);
  assert.is(keys.length, 4);
  assert.ok(keys[0] !== undefined && keys[0].length >= 32);
  assert.is(keys[1], keys[0]);
  assert.is(keys[2], keys[0]);
  assert.is.not(keys[3], keys[0]);
});

test('an error that repetition cannot mend comes at once, with all that the server said', async (t) => {
  const { client, stub } = await connect(t, () => apiError(409, 'VersionConflict', { details: { actual: 3 } }));
  const error = await failureOf(client.upsert('c', [point]));
  assert.ok(error instanceof SkeinApiError);
  assert.equal(
    {
      type: error.type,
      status: error.status,
      details: error.details,
      retryable: error.retryable,
      requestId: error.requestId,
      message: error.message,
    },
    {
      type: 'VersionConflict',
      status: 409,
      details: { actual: 3 },
      retryable: false,
      requestId: 'r-1',
      message: 'VersionConflict it is',
    },
  );
  assert.is(stub.received.length, 1);
});

test('after the last try the caller gets the server’s own error', async (t) => {
  const { client, stub } = await connect(t, () => apiError(503, 'Overloaded', { retryable: true }));
  const error = await failureOf(client.count('c'));
  assert.ok(error instanceof SkeinApiError && error.type === 'Overloaded');
  assert.is(stub.received.length, 4);
});

test('a write without a key is sent once, unless doing it twice is harmless', async (t) => {
  const { client, stub } = await connect(t, () => apiError(503, 'Overloaded', { retryable: true }));
  await failureOf(client.upsert('c', [point], { idempotencyKey: false }));
  assert.is(stub.received.length, 1);
  assert.is(stub.received[0]?.headers['idempotency-key'], undefined);
  await failureOf(client.upsert('c', [point], { idempotencyKey: 'not-needed' }));
  assert.is(stub.received.length, 5);
  assert.is(stub.received[4]?.headers['idempotency-key'], undefined);
});

test('a connection that breaks before the answer is tried again, and named when it keeps breaking', async (t) => {
  let breaks = 2;
  const { client, stub } = await connect(t, (_request, response) => {
    if (breaks-- <= 0) return { body: { count: 1 } };
    response.destroy();
    return null;
  });
  assert.is(await client.count('c'), 1);
  assert.is(stub.received.length, 3);
  breaks = 100;
  const error = await failureOf(client.count('c'));
  assert.ok(error instanceof SkeinConnectionError);
  assert.is(error.code, 'ECONNRESET');
  assert.is(error.maybeSent, true);
});

test('an answer that is cut off in the middle is no answer', async (t) => {
  const { client } = await connect(
    t,
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/msgpack', 'content-length': '100' });
      response.write(Buffer.alloc(10), () => response.destroy());
      return null;
    },
    { retries: false },
  );
  assert.ok((await failureOf(client.count('c'))) instanceof SkeinConnectionError);
});

test('a server that is not there is said to be not there', async (t) => {
  const free = createServer();
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve));
  const { port } = free.address() as AddressInfo;
  await new Promise((resolve) => free.close(resolve));
  const client = new SkeinClient({ url: `http://127.0.0.1:${port}`, retries: quick });
  t.after(() => client.close());
  const error = await failureOf(client.upsert('c', [point], { idempotencyKey: false }));
  assert.ok(error instanceof SkeinConnectionError);
  assert.is(error.code, 'ECONNREFUSED');
  assert.is(error.maybeSent, false);
  assert.match(error.message, `127.0.0.1:${port}`);
});

test('a call ends when its time is over, also between tries', async (t) => {
  const { client: stuck } = await connect(t, () => null, { timeoutMs: 40 });
  const slow = await failureOf(stuck.count('c'));
  assert.ok(slow instanceof SkeinTimeoutError);
  assert.is(slow.timeoutMs, 40);
  assert.match(slow.message, 'count c took longer than 40 ms');

  const { client: busy, stub } = await connect(t, () =>
    apiError(429, 'RateLimited', { retryable: true, details: { retry_after_ms: 60_000 } }),
  );
  // Nobody waits for a try that would come too late, so the time is ample for the first answer.
  const limited = await failureOf(busy.count('c', undefined, { timeoutMs: 20_000 }));
  assert.ok(limited instanceof SkeinApiError && limited.type === 'RateLimited');
  assert.is(limited.retryAfterMs, 60_000);
  assert.is(stub.received.length, 1);
});

test('a time that no timer knows is no time at all, and what is no time is refused', async (t) => {
  const { client, stub } = await connect(t, () => ({ body: { count: 7 } }), { timeoutMs: Number.POSITIVE_INFINITY });
  assert.is(await client.count('c'), 7);
  assert.is(await client.count('c', undefined, { timeoutMs: 2 ** 40 }), 7);
  const refused = await failureOf(client.count('c', undefined, { timeoutMs: Number.NaN }));
  assert.ok(refused instanceof TypeError);
  assert.is(stub.received.length, 2);
});

test('an aborted call throws the reason of its signal and lets go of the connection', async (t) => {
  let closed = false;
  const { client, stub } = await connect(t, (_request, response) => {
    response.on('close', () => {
      closed = true;
    });
    return null;
  });
  const controller = new AbortController();
  const call = failureOf(client.count('c', undefined, { signal: controller.signal }));
  await waitUntil(() => stub.received.length === 1, { what: 'the request' });
  controller.abort(new Error('enough'));
  assert.match(String(await call), 'enough');
  await waitUntil(() => closed, { what: 'the connection to close' });
  assert.match(String(await failureOf(client.count('c', undefined, { signal: controller.signal }))), 'enough');
  assert.is(stub.received.length, 1);
});

test('a write that a replica sends on goes to its master as it was, once', async (t) => {
  const master = await stubServer(t, () => ({ body: written }));
  const elsewhere = (path: string) => ({
    ...apiError(307, 'NotMaster', { details: { master_url: master.url }, retryable: true }),
    headers: { 'content-type': 'application/msgpack', location: `${master.url}${path}` },
  });
  const { client, stub } = await connect(t, ({ path }) => elsewhere(path), { apiKey: 'the-key' });
  assert.is((await client.upsert('c', [point], { w: 2 })).upserted, 1);
  const [[first], [second]] = [stub.received, master.received];
  assert.equal([stub.received.length, master.received.length], [1, 1]);
  assert.equal([second?.method, second?.path, second?.path], [first?.method, first?.path, '/v1/collections/c/points?w=2']);
  assert.equal(second?.bytes, first?.bytes);
  for (const name of ['authorization', 'idempotency-key', 'content-type', 'accept'])
    assert.is(second?.headers[name], first?.headers[name], name);
  assert.is(second?.headers['authorization'], 'Bearer the-key');
  assert.is(second?.headers['host'], new URL(master.url).host);
});

test('a master that sends on as well, or is not there, is the caller’s to know', async (t) => {
  const circle = (location: string) => ({
    ...apiError(307, 'NotMaster', { retryable: true }),
    headers: { 'content-type': 'application/msgpack', location },
  });
  const other = await stubServer(t, ({ path }) => circle(`http://127.0.0.1:9${path}`));
  const { client, stub } = await connect(t, ({ path }) => circle(`${other.url}${path}`));
  const error = await failureOf(client.upsert('c', [point]));
  assert.ok(error instanceof SkeinApiError);
  assert.equal([error.type, error.status], ['NotMaster', 307]);
  assert.equal([stub.received.length, other.received.length], [1, 1]);
  const gone = await connect(t, () => circle('http://127.0.0.1:1/'), { retries: { ...quick, attempts: 2 } });
  const lost = await failureOf(gone.client.upsert('c', [point]));
  assert.ok(lost instanceof SkeinConnectionError);
  assert.is(lost.url, 'http://127.0.0.1:1');
  assert.is(gone.stub.received.length, 2);
});

test('a redirect that no replica made is not followed, and the key goes nowhere', async (t) => {
  const thief = await stubServer(t, () => ({ body: written }));
  const replies = [
    { status: 307, headers: { location: thief.url } },
    { status: 307, body: '<html>', headers: { location: thief.url } },
    { ...apiError(307, 'Elsewhere'), headers: { 'content-type': 'application/msgpack', location: thief.url } },
    { ...apiError(308, 'NotMaster'), headers: { 'content-type': 'application/msgpack', location: thief.url } },
    { ...apiError(307, 'NotMaster'), headers: { 'content-type': 'application/msgpack', location: 'ftp://h/' } },
    { ...apiError(307, 'NotMaster'), headers: { 'content-type': 'application/msgpack', location: '/here' } },
  ];
  for (const reply of replies) {
    const { client } = await connect(t, () => reply, { apiKey: 'the-key', retries: false });
    assert.ok((await failureOf(client.upsert('c', [point]))) instanceof SkeinApiError);
  }
  assert.equal(thief.received, []);
});

test('from https a write never goes on to http', async () => {
  const sent: string[] = [];
  const body = packMessage({ error: { type: 'NotMaster', message: 'm', details: {}, retryable: true, request_id: 'r' } });
  for (const [location, count] of [
    ['http://master:1/x', 1],
    ['https://master:1/x', 2],
  ] as const) {
    sent.length = 0;
    const transport: Transport = {
      send: async ({ url }) => {
        sent.push(url);
        return { status: 307, headers: { location, 'content-type': 'application/msgpack' }, body };
      },
      stream: () => Promise.reject(new Error('no streams here')),
      close: () => {},
    };
    const client = new SkeinClient({ url: 'https://replica:1', transport, retries: false });
    assert.ok((await failureOf(client.upsert('c', [point]))) instanceof SkeinApiError);
    assert.is(sent.length, count, location);
  }
});

test('an answer of something that is not Skein is an error, whatever its status', async (t) => {
  const { client } = await connect(t, ({ path }) => ({ status: path.includes('bad') ? 502 : 200, body: '<html>' }), {
    retries: false,
  });
  const page = await failureOf(client.count('good'));
  assert.ok(page instanceof SkeinApiError && page.type === 'UnknownAnswer' && !page.retryable);
  const gateway = await failureOf(client.count('bad'));
  assert.ok(gateway instanceof SkeinApiError && gateway.type === 'UnknownAnswer' && gateway.retryable);
});

test('connections are used again', async (t) => {
  const { client, stub } = await connect(t, () => ({ body: { count: 1 } }));
  for (let i = 0; i < 20; i++) await client.count('c');
  assert.is(stub.connections(), 1);
});

test('a session reads at least the newest position it has seen, and only a session does', async (t) => {
  const historyId = 'ab'.repeat(16);
  const tokens = [5, 9, 7].map((seq) => encodeToken({ historyId, epoch: 1, seq }));
  let calls = 0;
  const handler: Handler = () => ({
    headers: { 'x-skein-position': tokens[Math.min(calls++, 2)] ?? '' },
    body: { ...written, count: 1 },
  });
  const { client, stub } = await connect(t, handler);
  assert.is(client.position, null);
  await client.upsert('c', [point]);
  await client.count('c');
  await client.count('c');
  await client.upsert('c', [point]);
  await client.count('c', undefined, { minPosition: 'own' });
  const sent = stub.received.map(({ headers }) => headers['x-skein-min-position']);
  assert.equal(sent, [undefined, tokens[0], tokens[1], undefined, 'own']);
  assert.is(client.position, tokens[1]);
  client.forgetPosition();
  assert.is(client.position, null);

  calls = 0;
  const { client: plain, stub: other } = await connect(t, handler, { session: false });
  await plain.upsert('c', [point]);
  await plain.count('c');
  assert.is(other.received[1]?.headers['x-skein-min-position'], undefined);
});

test('a session of a client has a position of its own, may begin where another was, and forgets one that is lost when it has said so', async (t) => {
  const historyId = 'ab'.repeat(16);
  const token = encodeToken({ historyId, epoch: 1, seq: 5 });
  let isLost = false;
  const handler: Handler = () =>
    isLost ? apiError(409, 'PositionLost') : { headers: { 'x-skein-position': token }, body: { ...written, count: 1 } };
  const { client, stub } = await connect(t, handler);
  const [one, other] = [client.session(), client.session(token)];
  await one.upsert('c', [point]);
  assert.equal([client.position, one.position, other.position], [null, token, token]);
  await other.count('c');
  assert.is(stub.received[1]?.headers['x-skein-min-position'], token);
  assert.is(stub.connections(), 1, 'over the same connection');
  isLost = true;
  assert.is(((await failureOf(other.count('c'))) as SkeinApiError).type, 'PositionLost');
  assert.equal([one.position, other.position], [token, null]);
  assert.is(((await failureOf(one.count('c', undefined, { minPosition: 'own' }))) as SkeinApiError).type, 'PositionLost');
  assert.is(one.position, token, 'that position was not its own');
  one.close();
  isLost = false;
  assert.is(await client.count('c'), 1, 'a session closes nothing');
  client.close();
  assert.match(String(await failureOf(one.count('c'))), 'the client was closed');
});

test.run();
