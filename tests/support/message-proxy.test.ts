/** The message proxy passes sessions on as they are but for what its hooks ask, and replays what it recorded. */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assert from 'uvu/assert';
import { WebSocket, WebSocketServer } from 'ws';
import { type MessageProxy, startMessageProxy, type Verdict } from './message-proxy.js';
import { Random } from './random.js';
import { replayToMaster } from './recorded-session.js';
import { suite, type TestContext } from './suite.js';
import { waitUntil } from './wait-until.js';

const test = suite('support/message-proxy');

interface Master {
  readonly port: number;
  readonly requests: IncomingMessage[];
  readonly sockets: WebSocket[];
}

/** Greets, then says everything back; closes with 4001 when told `close`. Refuses the path /refused. */
async function startMaster(t: TestContext): Promise<Master> {
  const master: Master = { port: 0, requests: [], sockets: [] };
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered].at(-1) ?? false });
  sockets.on('headers', (lines) => lines.push('x-greeting: hello'));
  server.on('upgrade', (request, socket, head) => {
    master.requests.push(request);
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-type: text/plain\r\ncontent-length: 9\r\nx-why: no key\r\n\r\nno entry!');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (one) => {
      master.sockets.push(one);
      one.send('welcome');
      one.on('message', (data, binary) =>
        data.toString() === 'close' ? one.close(4001, 'as told') : one.send(data, { binary }),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const one of master.sockets) one.terminate();
    server.close();
  });
  return { ...master, port: (server.address() as AddressInfo).port };
}

interface Replica {
  readonly socket: WebSocket;
  readonly received: Buffer[];
  texts(): string[];
}

async function dial(t: TestContext, proxy: MessageProxy, path = '/replication/stream'): Promise<Replica> {
  const socket = new WebSocket(`${proxy.url}${path}`, ['one', 'two'], { headers: { 'x-replica': 'r1' } });
  t.after(() => socket.terminate());
  const received: Buffer[] = [];
  socket.on('message', (data) => received.push(data as Buffer));
  await once(socket, 'open');
  return { socket, received, texts: () => received.map(String) };
}

const until = (condition: () => boolean, what: string): Promise<unknown> => waitUntil(condition, { what });

test('messages, text and binary, large and empty, pass exactly and in order, with path, headers and protocol', async (t) => {
  const master = await startMaster(t);
  const proxy = await startMessageProxy(t, master.port);
  const replica = await dial(t, proxy, '/replication/stream?x=1');
  const random = new Random(t.seed());
  const sent = Array.from({ length: 60 }, (_, turn) => Buffer.from(random.bytes(turn === 30 ? 3_000_000 : turn * turn)));
  for (const bytes of sent) replica.socket.send(bytes);
  replica.socket.send('text');
  await until(() => replica.received.length === 62, 'the echoes');
  assert.is(replica.texts()[0], 'welcome');
  for (const [index, bytes] of sent.entries()) assert.ok(replica.received[index + 1]?.equals(bytes), `message ${index}`);
  const [request] = master.requests;
  assert.is(request?.url, '/replication/stream?x=1');
  assert.is(request?.headers['x-replica'], 'r1');
  assert.is(replica.socket.protocol, 'two');
  assert.is(proxy.sessions[0]?.messages.at(-1)?.binary, false);
  assert.is(proxy.sessions[0]?.messages[1]?.binary, true);
});

test('pings go through and are answered by the other side, not by the proxy', async (t) => {
  const master = await startMaster(t);
  const proxy = await startMessageProxy(t, master.port);
  const replica = await dial(t, proxy);
  await until(() => master.sockets.length === 1, 'the session');
  const pongs: string[] = [];
  const masterSide = master.sockets[0] as WebSocket;
  replica.socket.on('pong', (data) => pongs.push(`replica got ${String(data)}`));
  masterSide.on('pong', (data) => pongs.push(`master got ${String(data)}`));
  const pinged = [once(replica.socket, 'ping'), once(masterSide, 'ping')];
  replica.socket.ping('one');
  masterSide.ping('two');
  await Promise.all(pinged);
  replica.socket.send('after the pongs');
  await until(() => replica.texts().includes('after the pongs'), 'the echo');
  assert.equal(pongs.sort(), ['master got two', 'replica got one']);
});

test('a refusal of the upgrade, the headers of an answer and close codes of both sides come through', async (t) => {
  const master = await startMaster(t);
  const proxy = await startMessageProxy(t, master.port);
  const refused = await fetchUpgrade(proxy, '/refused');
  assert.equal(refused, { status: 401, why: 'no key', body: 'no entry!' });
  assert.equal(await fetchUpgrade(proxy, '/replication/stream'), { status: 101, why: 'hello', body: '' });
  const first = await dial(t, proxy);
  first.socket.send('close');
  const [code, reason] = (await once(first.socket, 'close')) as [number, Buffer];
  assert.equal([code, reason.toString()], [4001, 'as told']);
  const second = await dial(t, proxy);
  const told = once(master.sockets.at(-1) as WebSocket, 'close') as Promise<[number, Buffer]>;
  second.socket.close(4402, 'done');
  assert.is((await told)[0], 4402);
  const third = await dial(t, proxy);
  const lost = once(master.sockets.at(-1) as WebSocket, 'close') as Promise<[number]>;
  third.socket.terminate();
  assert.is((await lost)[0], 1006);
});

/** An upgrade answered by whatever comes. */
function fetchUpgrade(proxy: MessageProxy, path: string): Promise<{ status: number; why: unknown; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${proxy.url}${path}`);
    socket.on('error', reject);
    socket.on('upgrade', ({ headers }) => {
      socket.on('open', () => socket.terminate());
      resolve({ status: 101, why: headers['x-greeting'], body: '' });
    });
    socket.on('unexpected-response', (_, response) => {
      let body = '';
      response.on('data', (piece) => (body += String(piece)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, why: response.headers['x-why'], body }));
    });
  });
}

test('a hook drops, repeats, swaps and replaces messages of its direction', async (t) => {
  const master = await startMaster(t);
  const proxy = await startMessageProxy(t, master.port);
  const verdicts: Record<number, Verdict> = {
    1: 'drop',
    2: 'duplicate',
    3: 'swap',
    5: { send: [{ bytes: Buffer.from('five!'), binary: false }] },
    6: { send: [] },
    7: 'swap',
    8: 'swap',
  };
  proxy.hook('toMaster', ({ index }) => verdicts[index] ?? 'pass');
  const replica = await dial(t, proxy);
  for (let index = 0; index < 10; index++) replica.socket.send(String(index));
  await until(() => replica.texts().at(-1) === '8', 'the last one');
  assert.equal(replica.texts(), ['welcome', '0', '2', '2', '4', '3', 'five!', '9', '7', '8']);
  const recorded = proxy.sessions[0]?.messages
    .filter(({ direction }) => direction === 'toMaster')
    .map(({ bytes }) => String(bytes));
  assert.equal(recorded, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'], 'recorded as they came');
});

test('a hook of one direction leaves the other alone, counts by connection, and can be taken away', async (t) => {
  const master = await startMaster(t);
  const proxy = await startMessageProxy(t, master.port);
  proxy.hook('toReplica', ({ connection, index }) => (connection === 1 && index === 0 ? 'drop' : 'pass'));
  const first = await dial(t, proxy);
  const second = await dial(t, proxy);
  second.socket.send('x');
  await until(() => first.received.length === 1 && second.received.length === 1, 'a message each');
  assert.equal([first.texts(), second.texts()], [['welcome'], ['x']]);
  proxy.hook('toReplica', null);
  const third = await dial(t, proxy);
  await until(() => third.received.length === 1, 'the greeting');
  proxy.cut();
  await until(() => [first, second, third].every(({ socket }) => socket.readyState === WebSocket.CLOSED), 'the cut');
});

test('a recorded session is replayed to a master, and to a replica without one', async (t) => {
  const master = await startMaster(t);
  const proxy = await startMessageProxy(t, master.port);
  const replica = await dial(t, proxy);
  for (const text of ['a', 'b', 'close']) replica.socket.send(text);
  await once(replica.socket, 'close');
  const session = proxy.sessions[0];
  if (session === undefined) throw new Error('nothing was recorded');
  const replay = await replayToMaster(t, `ws://127.0.0.1:${master.port}`, session);
  assert.equal([replay.received.map(String), replay.code, replay.reason], [['welcome', 'a', 'b'], 4001, 'as told']);
  assert.is(master.requests.at(-1)?.headers['x-replica'], 'r1');

  const before = master.requests.length;
  proxy.answerFrom(session);
  const deceived = await dial(t, proxy);
  for (const text of ['other', 'words']) deceived.socket.send(text);
  await until(() => deceived.received.length === 3, 'the old answers');
  assert.equal(deceived.texts(), ['welcome', 'a', 'b']);
  assert.is(master.requests.length, before, 'no master was asked');
});

test('a replica of a master that is not there is cut off', async (t) => {
  const gone = await startMessageProxy(t, 1);
  await gone.close();
  const proxy = await startMessageProxy(t, gone.port);
  let message = '';
  await dial(t, proxy).catch((error: Error) => (message = error.message));
  assert.match(message, /hang up|ECONNRESET/);
});

test.run();
