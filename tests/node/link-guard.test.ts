/** Links to a node without a cluster key: made while everybody may do everything, ended and refused once anything asks for keys. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { type LogFields, type ProcessLog, silentProcessLog } from '../../src/model/log.js';
import { type Node, startNode } from '../../src/node/node.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('node/link-guard', { deadlineMs: 60_000 });

async function started(t: TestContext, flags: Readonly<Record<string, string>> = {}): Promise<{ node: Node; events: string[] }> {
  const dataDir = join(t.folder(), 'data');
  const events: string[] = [];
  const note = (event: string, _fields: LogFields = {}): void => void events.push(event);
  const log: ProcessLog = { ...silentProcessLog, info: note, warn: note, error: note };
  const { config } = loadConfig({ flags: { dataDir, port: '0', docs: 'false', ...flags }, environment: {}, workingDir: dataDir });
  const node = await startNode({ config, shownConfig: {}, log, onFatal: note });
  t.after(() => node.stop());
  return { node, events };
}

/** Asks for the stream. @returns the status that was answered, and the connection */
async function link(t: TestContext, node: Node): Promise<{ status: string; socket: Socket }> {
  const { host, port } = new URL(node.url);
  const socket = connect(Number(port), '127.0.0.1');
  t.after(() => socket.destroy());
  const wish =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  socket.write(`GET /replication/stream HTTP/1.1\r\nHost: ${host}\r\n${wish}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return { status: answer.toString('latin1').split(' ')[1] ?? '', socket };
}

test('the first access key ends the links that need no cluster key, and none is made after it', async (t) => {
  const { node, events } = await started(t);
  const { status, socket } = await link(t, node);
  assert.is(status, '101');
  const ended = once(socket, 'close');
  const made = await fetch(`${node.url}/v1/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ops', role: 'admin' }),
  });
  assert.is(made.status, 201);
  assert.is((await link(t, node)).status, '403');
  await link(t, node);
  assert.equal(
    events.filter((event) => event === 'link_refused'),
    ['link_refused'],
    'a line a minute says as much',
  );
  await ended;
});

test('a node with a key file makes links with a cluster key, and none without', async (t) => {
  const apiKeyFile = join(t.folder(), 'api.key');
  writeFileSync(apiKeyFile, 'a'.repeat(20), { mode: 0o600 });
  assert.is((await link(t, (await started(t, { apiKeyFile })).node)).status, '403');
  assert.is((await link(t, (await started(t, { apiKeyFile, clusterKey: 'c'.repeat(16) })).node)).status, '101');
});

test.run();
