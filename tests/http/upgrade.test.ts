/** Connections that ask to become something else: one path is replication's, every other wish is passed over, no socket is lost. */

import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import * as assert from 'uvu/assert';
import { addUpgrades } from '../../src/http/upgrade.js';
import { SkeinError } from '../../src/model/errors.js';
import { silentLog } from '../../src/model/log.js';
import { fakeReplication } from '../support/fake-replication.js';
import { startHttp, type TestHttp, type TestHttpOptions } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('http/upgrade');
const WISH =
  'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
const STREAM = `GET /replication/stream HTTP/1.1\r\nhost: localhost\r\n${WISH}\r\n`;

interface Line {
  readonly socket: Socket;
  text(): string;
  /** Waits for text to come. */
  says(part: string): Promise<unknown>;
  ended(): Promise<unknown>;
}

function line(t: TestContext, http: Pick<TestHttp, 'url'>, first: string): Line {
  const socket = connect(Number(new URL(http.url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  let text = '';
  let over = false;
  socket.on('data', (chunk) => (text += String(chunk)));
  socket.on('error', () => {});
  socket.on('close', () => {
    over = true;
  });
  socket.write(first);
  return {
    socket,
    text: () => text,
    says: (part) => waitUntil(() => text.includes(part), { what: `"${part}" in "${text}"` }),
    ended: () => waitUntil(() => over, { what: 'the end of the connection' }),
  };
}

/** Echoes, as a WebSocket would be taken. */
function taking(kept: Duplex[] = []) {
  return fakeReplication({
    upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      kept.push(socket);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${request.url} ${String(head)}`);
      socket.on('data', (chunk) => socket.write(chunk));
    },
  });
}

const over = (t: TestContext, options: TestHttpOptions): Promise<TestHttp> => startHttp(t, options);

test('a WebSocket on the path of replication is handed on as it is, without a key, first bytes included', async (t) => {
  const http = await over(t, { apiKey: 'the-key-of-this-test', service: { replication: taking() } });
  const { socket, says } = line(t, http, `${STREAM}first`);
  await says('101 Switching Protocols\r\n\r\n/replication/stream first');
  socket.write('and more');
  await says('and more');
});

test('what the node refuses before it took the connection is answered and closed', async (t) => {
  const upgrade = (): never => {
    throw new SkeinError('Starting', 'not yet', { step: 'open', progress: 0, eta_ms: null });
  };
  const http = await over(t, { service: { replication: fakeReplication({ upgrade }) } });
  const { text, ended } = line(t, http, STREAM);
  await ended();
  assert.match(text(), /^HTTP\/1\.1 503 .*\r\n(?:.*\r\n)*connection: close\r\n/);
  assert.match(text(), /\r\nretry-after: 1\r\n/);
  assert.is(JSON.parse(text().split('\r\n\r\n')[1] ?? '').error.type, 'Starting');
  const broken = fakeReplication({
    upgrade: () => {
      throw new Error('a defect');
    },
  });
  const other = await over(t, { service: { replication: broken } });
  const second = line(t, other, STREAM);
  await second.ended();
  assert.match(second.text(), '"type":"Internal"');
  assert.not.match(second.text(), 'a defect');
  assert.ok(other.log.some(({ event }) => event === 'upgrade_failed'));
});

test('a web page makes no link: what names an origin is refused, and the node does not hear of it', async (t) => {
  const kept: Duplex[] = [];
  const http = await over(t, { service: { replication: taking(kept) } });
  const { text, ended } = line(
    t,
    http,
    STREAM.replace('host: localhost\r\n', 'host: localhost\r\norigin: http://page.example\r\n'),
  );
  await ended();
  assert.match(text(), /^HTTP\/1\.1 403 /);
  assert.is(kept.length, 0);
});

test('a wish on another path, or for another protocol, is passed over: the request is answered and the connection goes on', async (t) => {
  const replication = taking();
  const http = await over(t, { service: { replication } });
  const next = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\nx-request-id: next\r\n\r\n';
  const elsewhere = line(t, http, `GET /nothing HTTP/1.1\r\nhost: localhost\r\n${WISH}\r\n${next}`);
  await elsewhere.says('RouteNotFound');
  await elsewhere.says('x-request-id: next');
  const body = `{"dimension":2,"distance":"dot","ttl_ms":${'1'.padStart(2_000, ' ')}}`;
  const h2 = 'connection: keep-alive, Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n';
  const put = `PUT /v1/collections/c HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n${h2}\r\n`;
  const client = line(t, http, put + body.slice(0, 100));
  await waitUntil(() => client.socket.bytesWritten > 0, { what: 'the first bytes' });
  client.socket.write(body.slice(100) + next);
  await client.says('201 Created');
  await client.says('x-request-id: next');
  const stream = line(t, http, `GET /replication/stream HTTP/1.1\r\nhost: localhost\r\n${h2}\r\n`);
  await stream.says('it asks for upgrade: websocket');
  const posted = line(t, http, STREAM.replace('GET', 'POST'));
  await posted.says('405 Method Not Allowed');
  assert.is((await http.ask('GET', '/replication/stream')).status, 400);
});

test('wishes in a row of requests on one connection are answered in their order', async (t) => {
  const http = await over(t, {});
  const one = (name: string, wish = ''): string =>
    `GET /health/live HTTP/1.1\r\nhost: localhost\r\nx-request-id: ${name}.\r\n${wish}\r\n`;
  const { socket, text, says } = line(t, http, one('first', WISH));
  await says('first.');
  socket.write(one('second') + one('third', WISH) + one('fourth') + one('fifth', WISH));
  await says('fifth.');
  const order = [...text().matchAll(/x-request-id: (\w+)\./g)].map(([, name]) => name);
  assert.equal(order, ['first', 'second', 'third', 'fourth', 'fifth']);
});

const PUT = (name: string): string => {
  const body = '{"dimension":2,"distance":"dot"}';
  return `PUT /v1/collections/${name} HTTP/1.1\r\nhost: localhost\r\nx-request-id: ${name}.\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
};

test('a wish behind requests that still run waits for their answers', async (t) => {
  const kept: Duplex[] = [];
  const http = await over(t, { service: { replication: taking(kept) } });
  let free = (): void => {};
  const hold = (): void => {
    http.engine.gate = new Promise<void>((resolve) => {
      free = resolve;
    });
  };
  const live = (name: string, wish = ''): string =>
    `GET /health/live HTTP/1.1\r\nhost: localhost\r\nx-request-id: ${name}.\r\n${wish}\r\n`;
  hold();
  const elsewhere = line(t, http, PUT('slow') + live('second') + live('wish', WISH) + live('last'));
  const stream = line(t, http, PUT('other') + STREAM);
  const gone = line(t, http, PUT('gone') + STREAM);
  await waitUntil(() => http.engine.writes.length === 3, { what: 'the three writes' });
  assert.equal([elsewhere.text(), stream.text(), kept.length], ['', '', 0]);
  gone.socket.resetAndDestroy();
  await gone.ended();
  free();
  await elsewhere.says('x-request-id: last.');
  const order = [...elsewhere.text().matchAll(/x-request-id: (\w+)\./g)].map(([, name]) => name);
  assert.equal(order, ['slow', 'second', 'wish', 'last']);
  await stream.says('101 Switching Protocols');
  assert.match(stream.text(), /^HTTP\/1\.1 201 /);
  assert.is(kept.length, 1, 'a connection that ended meanwhile is not handed on');
});

test('a long answer before a wish comes to its end', async (t) => {
  const server = createServer((_request, response) => {
    const written = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(65_536, 'x')));
    written.pipe(response);
  });
  const cut = addUpgrades({
    server,
    replication: taking(),
    log: silentLog,
    nameRequest: () => 'r',
    closing: { now: false },
    verifiedPeers: false,
    follow: (_request, socket) => socket.destroy(),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    cut();
    return new Promise((resolve) => server.close(resolve));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { socket, says, text } = line(t, { url }, '');
  socket.pause();
  socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\n\r\n${STREAM}`);
  await new Promise((resolve) => setImmediate(resolve));
  socket.resume();
  await says('101 Switching Protocols');
  assert.ok(text().length > 4_000_000);
});

test('many wishes on one connection leave nothing behind', async (t) => {
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const http = await over(t, {});
  const { socket, says } = line(t, http, '');
  for (let i = 0; i < 25; i++) {
    socket.write(`GET /health/live HTTP/1.1\r\nhost: localhost\r\nx-request-id: n${i}.\r\n${WISH}\r\n`);
    await says(`x-request-id: n${i}.`);
  }
  assert.equal(warnings, []);
});

test('a reset in the middle of a wish harms nobody', async (t) => {
  const kept: Duplex[] = [];
  const http = await over(t, { service: { replication: taking(kept) } });
  for (let i = 0; i < 20; i++) {
    const elsewhere = line(t, http, `GET /health HTTP/1.1\r\nhost: localhost\r\n${WISH}\r\n`);
    await once(elsewhere.socket, 'connect');
    elsewhere.socket.resetAndDestroy();
  }
  const taken = line(t, http, STREAM);
  await taken.says('101');
  taken.socket.resetAndDestroy();
  await waitUntil(() => kept[0]?.destroyed, { what: 'the end of the connection that was taken' });
  assert.is((await http.ask('GET', '/health/live')).status, 200);
});

test('connections that were taken count like any other', async (t) => {
  const http = await over(t, { limits: { connectionsMax: 2 }, service: { replication: taking() } });
  await line(t, http, STREAM).says('101');
  await line(t, http, STREAM).says('101');
  const third = line(t, http, 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await third.ended();
  assert.is(third.text(), '');
});

test('a server that stops takes no new streams, and cuts off at its deadline those that nobody ended', async (t) => {
  const kept: Duplex[] = [];
  let free = (): void => {};
  const http = await over(t, { service: { replication: taking(kept) } });
  http.engine.gate = new Promise<void>((resolve) => {
    free = resolve;
  });
  await line(t, http, STREAM).says('101');
  const waiting = line(t, http, '');
  const running = http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  await waitUntil(() => http.engine.writes.length === 1, { what: 'the write' });
  waiting.socket.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await waiting.says('200 OK');
  const closed = http.close(300);
  waiting.socket.write(STREAM);
  await waiting.ended();
  if (waiting.text().includes('503')) assert.match(waiting.text(), 'ShuttingDown');
  free();
  await running.catch(() => {});
  await closed;
  assert.is(kept.length, 1);
  assert.is(kept[0]?.destroyed, true);
});

test.run();
