/** A process that has run out of file handles: connections that are there go on, new ones are refused without harm, and everything works
 *  again as soon as handles are free. */

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import * as assert from 'uvu/assert';
import { openHandles } from '../support/process-figures.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/few-handles', { deadlineMs: 120_000 });

function limitHandles(pid: number, count: number): void {
  const { status, stderr, error } = spawnSync('prlimit', ['--pid', String(pid), `--nofile=${count}:`], { encoding: 'utf8' });
  assert.is(status, 0, `prlimit: ${error?.message ?? stderr}`);
}

/** @param says one request each, or nothing at all */
async function crowd(
  t: TestContext,
  server: ServerProcess,
  count: number,
  says = 'GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n',
) {
  const { hostname, port } = new URL(server.url);
  const sockets = Array.from({ length: count }, () => connect(Number(port), hostname).on('error', () => {}));
  for (const socket of sockets) socket.resume().write(says);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
  return sockets;
}

/** What a new connection that finds a handle is answered, before it is closed; null: it found none. */
async function askedAnew(server: ServerProcess): Promise<number | null> {
  // It starts a thread, unless there is one.
  const path = '/v1/collections/left/points/count';
  const body = JSON.stringify({ filter: { must: [{ key: 'value', range: { gte: 0 } }] } });
  const headers = { 'content-type': 'application/json' };
  // Not over the pool of fetch: it would take a connection that a writer needs.
  const asked = request(server.url + path, { method: 'POST', headers, agent: false }).end(body);
  const answer = await once(asked, 'response').then(
    ([response]) => response as IncomingMessage,
    () => null,
  );
  if (answer === null) return null;
  const { error } = (await json(answer)) as { error?: { type: string; details: unknown } };
  if (answer.statusCode !== 503) return answer.statusCode ?? null;
  assert.equal([error?.type, error?.details], ['Overloaded', { reason: 'handles' }]);
  assert.ok(Number(answer.headers['retry-after']) >= 1);
  return 503;
}

test('out of handles: what is connected goes on, what comes is refused, and freed handles heal', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const server = await startServer(t, dataDir);
  const ledger = new WriteLedger();
  await ledger.makeCollections(server);
  const free = openHandles(server.pid);
  for (let round = 0; round < 3; round++) {
    let goOn = true;
    const load = ledger.load(server, 4, () => goOn);
    const before = ledger.acknowledged;
    await waitUntil(() => ledger.acknowledged > before + 20, { what: 'connections in use' });
    limitHandles(server.pid, openHandles(server.pid) + 4);
    const sockets = await crowd(t, server, 60);
    await waitUntil(() => sockets.some((socket) => socket.destroyed), { what: 'a connection to be refused' });
    for (const [index, socket] of sockets.entries()) if (index % 20 === 0) socket.destroy();
    await waitUntil(async () => (await askedAnew(server)) === 503, { what: 'a new connection to be told why' });
    const during = ledger.acknowledged;
    await waitUntil(() => ledger.acknowledged > during + 50, { what: 'writes on the connections that are there' });
    for (const socket of sockets) socket.destroy();
    goOn = false;
    await load;
    await waitUntil(async () => (await fetch(`${server.url}/health/live`, { headers: { connection: 'close' } })).ok, {
      what: 'a new connection to be served',
    });
    limitHandles(server.pid, 1_024);
    await waitUntil(async () => (await askedAnew(server)) === 200, { what: 'a scan on a new connection' });
    await ledger.check(server);
  }
  assert.equal(
    [...ledger.refused.keys()].filter((type) => type !== 'Overloaded'),
    [],
  );
  await waitUntil(() => openHandles(server.pid) <= free + 20, { what: 'handles to be given back' });
  assert.is(await server.stop(), 0);
  await ledger.check(await startServer(t, dataDir));
});

test('however many connections say nothing, health is answered on new ones, and writes on those that are there', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  const ledger = new WriteLedger();
  await ledger.makeCollections(server);
  assert.is(await ledger.write(server, 0), 'acknowledged');
  limitHandles(server.pid, openHandles(server.pid) + 40);
  await crowd(t, server, 200, '');
  const answered = async (): Promise<boolean> =>
    (await fetch(`${server.url}/health/live`, { headers: { connection: 'close' } }).catch(() => null))?.ok === true;
  await waitUntil(answered, { what: 'health to be answered', deadlineMs: 5_000 });
  for (let round = 1; round < 4; round++) {
    await crowd(t, server, 50, '');
    await waitUntil(answered, { what: 'health to be answered again', deadlineMs: 5_000 });
    assert.is(await ledger.write(server, round), 'acknowledged');
  }
  assert.is(await server.stop(), 0);
});

test('with hardly a handle left, scans and index files fail alone: the process lives, and works again with more', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const server = await startServer(t, dataDir);
  const ledger = new WriteLedger();
  await ledger.makeCollections(server);
  await ledger.load(server, 2, () => ledger.acknowledged < 100);
  const scan = () =>
    server.request('POST', '/v1/collections/left/points/count', { filter: { must: [{ key: 'value', range: { gte: 0 } }] } });
  limitHandles(server.pid, openHandles(server.pid) + 1);
  for (let round = 0; round < 5; round++) {
    const { status, body } = await scan();
    assert.ok(status === 200 || status === 500 || status === 503, JSON.stringify(body));
    assert.is(await ledger.write(server, round), 'acknowledged');
  }
  limitHandles(server.pid, 1_024);
  await waitUntil(async () => (await scan()).status === 200, { what: 'a scan to work again' });
  await ledger.check(server);
  await ledger.checkSearch(server);
  assert.is(await server.stop(), 0);
});

test.run();
