/** The process: exit codes, signals, and pipes that close early. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { greeting } from '../src/cli/serve.js';
import { SkeinClient } from '../src/sdk/index.js';
import { PROGRAM, startServer } from './support/server-process.js';
import { suite, type TestContext } from './support/suite.js';
import { waitUntil } from './support/wait-until.js';

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

function start(t: TestContext, argv: readonly string[]): { child: ReturnType<typeof spawn>; ended: Promise<Ended> } {
  const child = spawn(PROGRAM, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output, errors }));
  return { child, ended };
}

const test = suite('main', { deadlineMs: 60_000 });

test('a command’s exit code is the process’s, with its message on standard error and its answer on standard output', async (t) => {
  const usage = await start(t, ['serve', '--prot', '1']).ended;
  assert.is(usage.code, 2);
  assert.is(usage.output, '');
  assert.match(usage.errors, 'Did you mean --port?');
  const shown = await start(t, ['serve', '--print-config']).ended;
  assert.is(shown.code, 0);
  assert.ok(Object.keys(JSON.parse(shown.output) as object).length > 30);
  assert.is(shown.errors, '');
});

test('a server that cannot start says why and fails', async (t) => {
  const folder = t.folder();
  const { url } = await startServer(t, join(folder, 'data'));
  const { port } = new URL(url);
  const taken = await start(t, ['serve', '--data-dir', join(folder, 'other'), '--port', port]).ended;
  assert.is(taken.code, 1);
  assert.match(taken.errors, `port ${port} is taken`);
  const locked = await start(t, ['serve', '--data-dir', join(folder, 'data'), '--port', '0']).ended;
  assert.is(locked.code, 1);
  assert.match(locked.errors, 'in use by another Skein process');
});

test('who starts a server by npm is told to go on by npx', () => {
  const node = { url: 'http://127.0.0.1:7171', dataDir: '/data', nativeBuild: 'plain', made: false } as const;
  const said = (command: string): string => greeting(node, { keyed: false, docs: true, command }).join('\n');
  assert.match(said('npx skein'), /^ {2}npx skein import COLLECTION FILE$/m);
  assert.match(said('skein'), /^ {2}skein top$/m);
});

test('the greeting says where it listens, where its data is, and what to try', async (t) => {
  const folder = t.folder();
  const server = await startServer(t, join(folder, 'data'));
  await waitUntil(() => server.output().includes('Try:'), { what: 'the greeting' });
  for (const text of [
    `Skein listens on ${server.url}`,
    join(folder, 'data'),
    'hnswlib, ',
    `curl -X PUT ${server.url}/v1/collections/first`,
  ]) {
    assert.ok(server.output().includes(text), text);
  }
});

test('a hangup ends no server, one signal to stop does gently, the second at once', async (t) => {
  const gentle = await startServer(t, join(t.folder(), 'data'));
  gentle.signal('SIGHUP');
  await waitUntil(() => gentle.output().includes('"reload_ignored"'), { what: 'the word that there is nothing to read again' });
  assert.is(await gentle.stop(), 0);

  const server = await startServer(t, join(t.folder(), 'data'));
  const client = new SkeinClient({ url: server.url });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 2, distance: 'dot' });
  // A stream that does not end keeps the server from stopping.
  const held = request(`${server.url}/v1/collections/c/points/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  });
  held.on('error', () => undefined);
  t.after(() => held.destroy());
  held.write('{"id": 1, "vector": [1, 2]}\n');
  held.flushHeaders();
  await waitUntil(() => held.socket?.connecting === false, { what: 'the connection' });
  await client.count('c');
  process.kill(server.pid, 'SIGTERM');
  await waitUntil(() => server.output().includes('"stopping"'), { what: 'the server to say that it stops' });
  assert.is(await server.stop(), 1);
});

test('an export whose reader has seen enough ends quietly', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  const client = new SkeinClient({ url: server.url });
  t.after(() => client.close());
  await client.createCollection('c', { dimension: 64, distance: 'dot' });
  const points = Array.from({ length: 4_000 }, (_, id) => ({ id, vector: new Float32Array(64).fill(id + 0.1) }));
  await client.upsert('c', points);
  const { child, ended } = start(t, ['export', 'c', '-', '--url', server.url]);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const { code, errors } = await ended;
  assert.is(code, 0);
  assert.is(errors, '');
});

test.run();
