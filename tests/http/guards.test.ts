/** What guards refuse, HTTP refuses before any work; what watches and heals the server is never refused. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import * as assert from 'uvu/assert';
import { type GuardService, UNGUARDED_HTTP, type Work } from '../../src/http/guards.js';
import { SkeinError } from '../../src/model/errors.js';
import { startHttp } from '../support/http-server.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('http/guards');
const POINTS = '/v1/collections/c/points';

class FakeGuards implements GuardService {
  readonly asked: Work[] = [];
  refused: SkeinError | null = null;
  connection: SkeinError | null = null;
  draining = false;

  refusal(work: Work): SkeinError | null {
    this.asked.push(work);
    return this.refused;
  }

  connectionRefusal(): SkeinError | null {
    return this.connection;
  }
}

function overloaded(reason: string): SkeinError {
  return new SkeinError('Overloaded', 'too much', { reason });
}

test('searches, reads, writes and deletes are asked about by their kind; an overload is 503 with a time to come back', async (t) => {
  const guards = new FakeGuards();
  const http = await startHttp(t, { service: { guards } });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  assert.equal(guards.asked, []);
  guards.refused = overloaded('event_loop');
  const waits = new Set<number>();
  const asked: readonly [string, string, Work][] = [
    ['PUT', POINTS, 'write'],
    ['PATCH', POINTS, 'write'],
    ['POST', `${POINTS}/import`, 'write'],
    ['POST', '/v1/batch', 'free'],
    ['POST', `${POINTS}/delete`, 'free'],
    ['POST', `${POINTS}/search`, 'search'],
    ['POST', `${POINTS}/search/batch`, 'search'],
    ['POST', `${POINTS}/search/groups`, 'search'],
    ['POST', `${POINTS}/recommend`, 'search'],
    ['POST', '/v1/collections/c/recall', 'search'],
    ['POST', `${POINTS}/facet`, 'read'],
    ['POST', `${POINTS}/scroll`, 'read'],
    ['POST', `${POINTS}/count`, 'read'],
    ['GET', `${POINTS}/1`, 'read'],
  ];
  for (const [method, path, work] of asked) {
    guards.asked.length = 0;
    const { status, headers, body } = await http.ask(method, path, method === 'GET' ? undefined : {});
    assert.equal(
      [status, body.error.type, body.error.details.reason, body.error.retryable],
      [503, 'Overloaded', 'event_loop', true],
    );
    assert.equal(guards.asked, [work], path);
    waits.add(Number(headers.get('retry-after')));
  }
  for (const wait of waits) assert.ok(wait >= 1 && wait <= 3, `${wait} s`);
});

test('health, metrics, administration and replication are served under any load', async (t) => {
  const guards = new FakeGuards();
  guards.refused = overloaded('event_loop');
  const http = await startHttp(t, { service: { guards } });
  for (const path of [
    '/health',
    '/health/live',
    '/health/ready',
    '/metrics',
    '/v1/version',
    '/v1/collections',
    '/replication/status',
  ])
    assert.is((await http.ask('GET', path)).status, 200, path);
  assert.is((await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' })).status, 201);
  assert.equal(guards.asked, []);
});

test('memory that is full is 507 with what is used and what may be', async (t) => {
  const guards = new FakeGuards();
  guards.refused = new SkeinError('MemoryLimitExceeded', 'full', { used_bytes: 2, limit_bytes: 1 });
  const http = await startHttp(t, { service: { guards } });
  const { status, body } = await http.ask('PUT', POINTS, { points: [] });
  assert.equal([status, body.error.type, body.error.details], [507, 'MemoryLimitExceeded', { used_bytes: 2, limit_bytes: 1 }]);
});

test('a connection that came without a handle to spare is refused its work, politely, and closed; health answers on it', async (t) => {
  const guards = new FakeGuards();
  const http = await startHttp(t, { service: { guards } });
  await http.ask('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' });
  guards.connection = overloaded('handles');
  const answer = async (path: string): Promise<string> => {
    const { hostname, port } = new URL(http.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await once(socket, 'close');
    return text;
  };
  const refused = await answer(`${POINTS}/1`);
  assert.match(refused, /^HTTP\/1\.1 503 /);
  assert.match(refused, /connection: close/i);
  assert.match(refused, /"reason":"handles"/);
  assert.match(await answer('/health/live'), /^HTTP\/1\.1 200 /);
  guards.connection = null;
  assert.is((await http.ask('GET', `${POINTS}/1`)).status, 404);
});

async function silent(t: TestContext, url: string, count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connect(Number(port), hostname).on('error', () => {});
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    sockets.push(socket.resume());
  }
  return sockets;
}

test('connections that never sent a request make way, the oldest first, when one comes without room', async (t) => {
  const guards = new FakeGuards();
  const http = await startHttp(t, { service: { guards } });
  const sockets = await silent(t, http.url, 3);
  guards.connection = overloaded('handles');
  const [first, second, third] = sockets as [Socket, Socket, Socket];
  const gone = Promise.all([once(first, 'close'), once(second, 'close')]);
  const { status } = await fetch(`${http.url}/health/live`, { headers: { connection: 'close' } });
  assert.is(status, 200);
  await gone;
  assert.is(third.closed, false);
});

test('when there are as many connections as may be, health is answered all the same', async (t) => {
  const http = await startHttp(t, { limits: { connectionsMax: 16 } });
  await silent(t, http.url, 40);
  for (let i = 0; i < 3; i++)
    assert.is((await fetch(`${http.url}/health/live`, { headers: { connection: 'close' } })).status, 200);
});

test('without guards nothing is refused', () => {
  assert.equal(
    [UNGUARDED_HTTP.refusal('write'), UNGUARDED_HTTP.connectionRefusal(), UNGUARDED_HTTP.draining],
    [null, null, false],
  );
});

test.run();
