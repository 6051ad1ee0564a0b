/** Access keys on real nodes: known to a replica, kept over a restart, rotated under load without one refusal, and in no line of any log. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadConfig } from '../../src/config/config.js';
import { type LogFields, type ProcessLog, silentProcessLog } from '../../src/model/log.js';
import { type Node, startNode } from '../../src/node/node.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('node/access-keys', { deadlineMs: 90_000 });
const said: string[] = [];

async function started(t: TestContext, dataDir: string, flags: Readonly<Record<string, string>> = {}): Promise<Node> {
  const note = (event: string, fields: LogFields = {}): void => void said.push(JSON.stringify([event, fields]));
  const log: ProcessLog = { ...silentProcessLog, debug: note, info: note, warn: note, error: note };
  const { config } = loadConfig({
    flags: { dataDir, port: '0', docs: 'false', clusterKey: 'k'.repeat(16), ...flags },
    environment: {},
    workingDir: dataDir,
  });
  const node = await startNode({ config, shownConfig: {}, log, onFatal: (reason) => note('fatal', { reason }) });
  t.after(() => node.stop());
  return node;
}

async function ask(node: Node, method: string, path: string, key: string | null, body?: unknown) {
  const headers = { 'content-type': 'application/json', ...(key === null ? {} : { authorization: `Bearer ${key}` }) };
  const response = await fetch(node.url + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

test('a key is good on every node, over a restart, and while it is rotated under load; no log has a secret', async (t) => {
  const folder = t.folder();
  const masterDir = join(folder, 'master');
  const master = await started(t, masterDir);
  assert.is((await ask(master, 'PUT', '/v1/collections/films', null, { dimension: 2, distance: 'dot' })).status, 201);
  const first = await ask(master, 'POST', '/v1/keys', null, { name: 'ops', role: 'admin' });
  assert.is(first.status, 201);
  const admin: string = first.body.key;
  const made = await ask(master, 'POST', '/v1/keys', admin, { name: 'reader', role: 'read', collections: ['films'] });
  const { id, key: before } = made.body;
  assert.is((await ask(master, 'GET', '/v1/collections/films', null)).status, 401);
  const replica = await started(t, join(folder, 'replica'), { master: master.url });
  const reads = async (node: Node, key: string): Promise<number> => (await ask(node, 'GET', '/v1/collections/films', key)).status;
  await waitUntil(async () => (await reads(replica, before)) === 200, { what: 'the replica to know the key' });
  assert.is((await ask(replica, 'GET', '/v1/collections/films', null)).status, 401);

  const secrets = [admin, before];
  const statuses = new Map<number, number>();
  let current = before;
  let running = true;
  const answers = [0, 0, 0];
  const load = answers.map(async (_, reader) => {
    while (running) {
      const status = await reads(master, current);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      answers[reader] = (answers[reader] ?? 0) + 1;
    }
  });
  for (let turn = 0; turn < 5; turn++) {
    const turned = await ask(master, 'POST', `/v1/keys/${id}/rotate`, admin, { grace_ms: 60_000 });
    assert.is(turned.status, 200);
    current = turned.body.key;
    secrets.push(current);
    // Whoever began with the secret before has come back before there is a third one: each reader has, and once with the new one.
    const asked = [...answers];
    await waitUntil(() => answers.every((count, reader) => count > (asked[reader] ?? 0) + 1), { what: 'every reader to go on' });
  }
  running = false;
  await Promise.all(load);
  assert.equal([...statuses.keys()], [200]);
  assert.is(await reads(master, before), 401, 'four secrets ago');
  await waitUntil(async () => (await reads(replica, current)) === 200, { what: 'the replica to have the newest' });

  await replica.stop();
  await master.stop();
  const again = await started(t, masterDir);
  assert.equal([await reads(again, current), await reads(again, before)], [200, 401]);
  assert.is((await ask(again, 'DELETE', `/v1/keys/${id}`, admin)).status, 200);
  assert.is(await reads(again, current), 401);
  const lines = said.join('\n');
  assert.ok(lines.includes('audit') && lines.includes(id), 'what was done is in the log');
  for (const key of secrets) assert.not(lines.includes(key.slice(-43)), 'a secret is in the log');
});

test.run();
