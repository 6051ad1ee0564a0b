/** MCP over HTTP before a real server that asks for a key: the caller's own key decides, and strangers get no further than the door. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type HttpListener, type HttpListenerOptions, listenHttp } from '../../src/mcp/http-listener.js';
import { startServer } from '../support/server-process.js';
import { suite, type TestContext } from '../support/suite.js';
import { signingKey, tokenOf } from '../support/token-maker.js';
import { waitUntil } from '../support/wait-until.js';
import { overHttp } from './mcp-client.js';

const test = suite('mcp/http-listener', { deadlineMs: 60_000 });
const KEY = 'a-key-of-forty-characters-for-the-tests!';

async function listener(
  t: TestContext,
  url: string,
  more: Partial<HttpListenerOptions> = {},
): Promise<HttpListener & { port: string }> {
  const listening = await listenHttp({
    ...{ version: '1', readOnly: false, url, timeoutMs: 5_000, host: '127.0.0.1', port: 0, openToAll: false },
    rules: { loopback: true, hosts: [] },
    report: () => undefined,
    nowMs: () => performance.now(),
    ...more,
  });
  t.after(() => listening.close());
  return { ...listening, port: new URL(listening.url).port };
}

async function post(
  url: string,
  headers: Record<string, string> = {},
  body: unknown = { jsonrpc: '2.0', id: 1, method: 'tools/list' },
) {
  const own = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const answer = await fetch(url, {
    method: 'POST',
    headers: { ...own, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

/** As text: what is nested so deep cannot be written by JSON.stringify. */
function deepSearch(levels: number): string {
  const filter = ['{"a":'.repeat(levels), '}'.repeat(levels)].join('1');
  const params = `{"name":"search","arguments":{"collection":"c","vector":[1],"filter":${filter}}}`;
  return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
}

test('each caller may do what its own key may do, whoever called before', async (t) => {
  const folder = t.folder();
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, `${KEY}\n`, { mode: 0o600 });
  const signing = signingKey('HS256');
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `${signing.shared}\n`, { mode: 0o600 });
  const flags = ['--api-key-file', keyFile, '--token-secret-file', secretFile];
  const server = await startServer(t, join(folder, 'data'), flags);
  const { url } = await listener(t, server.url);

  const keyed = await overHttp(t, url, { authorization: `Bearer ${KEY}` });
  const asHeader = await overHttp(t, url, { 'api-key': KEY });
  assert.is((await keyed.call('list_collections')).object['count'], 0);
  assert.is((await asHeader.call('list_collections')).object['count'], 0);
  for (const strange of [{}, { authorization: 'Bearer another-key-of-forty-characters-long!' }])
    assert.is((await post(url, strange)).status, 401, 'nothing of what a stranger says is read');
  assert.is((await keyed.call('replication_status')).object['role'], 'master');

  await server.request('PUT', '/v1/collections/c', { dimension: 1, distance: 'euclid' }, { 'api-key': KEY });
  const made = { name: 'model', role: 'read', collections: ['c'] };
  const { body } = await server.request<{ key: string }>('POST', '/v1/keys', made, { 'api-key': KEY });
  const reader = await overHttp(t, url, { 'api-key': body.key });
  assert.equal((await reader.call('search', { collection: 'c', vector: [1] })).object['hits'], []);
  assert.is((await reader.refusal('upsert', { collection: 'c', points: [{ id: 1, vector: [1] }] })).type, 'Forbidden');
  assert.is((await reader.refusal('search', { collection: 'other', vector: [1] })).type, 'Forbidden');
  assert.match((await reader.call('health_check')).text, /^✓ System Status: HEALTHY/, 'what it may not see is left out');

  const tokened = await overHttp(t, url, { authorization: `Bearer ${await tokenOf(signing, { collections: ['c'] })}` });
  assert.equal((await tokened.call('search', { collection: 'c', vector: [1] })).object['hits'], []);
  assert.is((await tokened.refusal('search', { collection: 'other', vector: [1] })).type, 'Forbidden');
  assert.is((await post(url, { authorization: `Bearer ${await tokenOf(signing, { exp: 1 })}` })).status, 401);

  const outside = await listener(t, server.url, { host: '0.0.0.0', rules: { loopback: false, hosts: [] } });
  const reached = `http://127.0.0.1:${outside.port}/mcp`;
  assert.is((await post(reached)).status, 401, 'beyond this machine a key is needed before anything is read');
  assert.is((await post(reached, { 'api-key': KEY })).status, 200);
});

test('a server that asks nobody for a key is not opened to the network by way of MCP', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  const reports: string[] = [];
  const report = (line: string): void => void reports.push(line);
  const rules = { loopback: false, hosts: [] };
  const shut = await listener(t, server.url, { rules, report });
  assert.equal((await post(shut.url, { 'api-key': KEY })).status, 403);
  assert.match(reports.join(), 'asks nobody for a key');
  const open = await listener(t, server.url, { rules, openToAll: true });
  assert.is((await post(open.url)).status, 200, 'unless somebody said so');
  // A dead server is tried for as long as an answer may take.
  const waitsLess = await listener(t, server.url, { rules, timeoutMs: 1_000 });
  await server.kill();
  assert.is((await post(waitsLess.url, { 'api-key': KEY })).status, 503, 'a dead server is not trusted either');
});

interface SlowServer {
  readonly url: string;
  /** Requests that it was to hold. */
  readonly held: readonly ServerResponse[];
  answer(): void;
}

/** A Skein server that holds requests of one path until it is told to answer. */
async function slowServer(t: TestContext, path: string): Promise<SlowServer> {
  const held: ServerResponse[] = [];
  let isSlow = true;
  const say = (response: ServerResponse): void => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  const server = createServer(
    ({ url }, response) => void (isSlow && url?.startsWith(path) ? held.push(response) : say(response)),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const answer = (): void => {
    isSlow = false;
    for (const response of held) say(response);
  };
  return { url: `http://127.0.0.1:${port}`, held, answer };
}

const LARGEST_BYTES = 32 * 1024 * 1024;
const callHead = (bytes: number): string =>
  [
    'POST /mcp HTTP/1.1',
    'host: 127.0.0.1',
    'content-type: application/json',
    'accept: application/json, text/event-stream',
    `content-length: ${bytes}\r\n\r\n`,
  ].join('\r\n');

/** So many that all room is taken. */
function fourCallers(t: TestContext, { port }: { readonly port: string }, sent: string): Socket[] {
  const sockets = [1, 2, 3, 4].map(() => connect(Number(port), '127.0.0.1'));
  t.after(() => sockets.forEach((socket) => void socket.destroy()));
  for (const socket of sockets)
    socket
      .on('error', () => undefined)
      .resume()
      .write(sent);
  return sockets;
}

/** When the other side knows it as well. */
async function leave(sockets: readonly Socket[]): Promise<void> {
  const closed = sockets.map((socket) => once(socket, 'close'));
  for (const socket of sockets) socket.end();
  await Promise.all(closed);
}

test('callers that go away while their keys are asked about keep no room from those that come later', async (t) => {
  const server = await slowServer(t, '/v1/version');
  const listening = await listener(t, server.url);
  const sockets = fourCallers(t, listening, callHead(LARGEST_BYTES));
  await waitUntil(() => server.held.length === 4, { what: 'the keys to be asked about' });
  await leave(sockets);
  server.answer();
  assert.is((await post(listening.url)).status, 200);
});

test('callers that go away while a call waits behind another of their connection keep no room either', async (t) => {
  const server = await slowServer(t, '/v1/collections');
  const listening = await listener(t, server.url);
  const params = { name: 'list_collections', arguments: {} };
  const first = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const sent = `${callHead(first.length)}${first}${callHead(LARGEST_BYTES - first.length)}`;
  const sockets = fourCallers(t, listening, sent);
  await waitUntil(async () => (await post(listening.url)).status === 503, { what: 'all room to be taken' });
  await leave(sockets);
  const large = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta: { filling: 'x'.repeat(10_000) } } };
  await waitUntil(async () => (await post(listening.url, {}, large)).status === 200, { what: 'room for another caller' });
});

test('what is no message of the protocol is refused, and the next one is answered', async (t) => {
  const { url } = await listener(t, 'http://127.0.0.1:9', { timeoutMs: 500 });
  assert.is((await fetch(url)).status, 405, 'there is no stream to listen to');
  assert.is((await fetch(url, { method: 'DELETE' })).status, 405, 'nor a session to end');
  assert.is((await post(url.replace('/mcp', '/other'))).status, 404);
  assert.is((await post(url, { origin: 'http://evil.example' })).status, 403);
  assert.is(
    (await fetch(url, { method: 'POST', body: '{"jsonrpc"', headers: { 'content-type': 'application/json' } })).status,
    406,
  );
  const cut = await fetch(url, {
    method: 'POST',
    body: '{"jsonrpc"',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  });
  assert.is(cut.status, 400);
  for (const levels of [63, 5_000])
    assert.match(
      (await post(url, {}, deepSearch(levels))).text,
      levels < 64 ? /Skein(Connection|Timeout)Error/ : /InvalidRequest.*filter/,
    );
  const { status, text } = await post(url);
  assert.equal([status, text.includes('health_check')], [200, true]);
});

test.run();
