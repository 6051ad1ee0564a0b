/** What a real server writes to its log: all of it whole lines, in the file that it was given, with no secret, and whatever its disk does. */

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';

const test = suite('scenarios/logs-of-a-server', { deadlineMs: 60_000 });

const API_KEY = 'api-key-that-nobody-may-see';
const CLUSTER_KEY = 'cluster-key-that-nobody-may-see';

/** The folder itself as well. */
function everythingIn(folder: string): string[] {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return [folder, ...found.map((name) => join(folder, name))];
}

test('a log file has a line for each event and none with a secret, at every level', async (t) => {
  const folder = t.folder();
  const path = join(folder, 'logs', 'skein.log');
  const keys = { 'api.key': API_KEY, 'cluster.key': CLUSTER_KEY };
  for (const [name, key] of Object.entries(keys)) writeFileSync(join(folder, name), `${key}\n`, { mode: 0o600 });
  const files = ['--api-key-file', join(folder, 'api.key'), '--cluster-key-file', join(folder, 'cluster.key')];
  const audit = join(folder, 'logs', 'audit.log');
  const flags = [...files, '--audit-log-file', audit, '--log-file', path, '--log-level', 'info', '--slow-query-ms', '1'];
  const server = await startServer(t, join(folder, 'data'), flags);
  const headers = { 'api-key': API_KEY, 'x-request-id': 'seen-1' };
  const debug = await server.request<{ level: string; file: string }>('PATCH', '/v1/log', { level: 'debug' }, headers);
  assert.equal([debug.body.level, debug.body.file], ['debug', path]);
  await server.request('PUT', '/v1/collections/c', { dimension: 2, distance: 'dot' }, headers);
  await server.request('PUT', '/v1/collections/c/points', { points: [{ id: 1, vector: [1, 2] }] }, headers);
  // Wrong ways to say who one is, in every place where people put keys.
  for (const wrong of [{ authorization: `Bearer ${API_KEY}x` }, { cookie: `key=${API_KEY}` }, { 'api-key': 'wrong' }])
    assert.is((await server.request('GET', '/v1/collections', undefined, wrong)).status, 401);
  await server.request('GET', `/v1/collections/${API_KEY}?api_key=${API_KEY}`, undefined, headers);
  await server.request('POST', '/v1/collections/c/points/search', { vector: [1, 2], api_key: API_KEY }, headers);
  await server.request('GET', '/v1/config', undefined, headers);
  assert.is(await server.stop(), 0);
  for (const made of [...everythingIn(join(folder, 'data')), ...everythingIn(join(folder, 'logs'))])
    assert.is(statSync(made).mode & 0o077, 0, `${made} is for its owner alone`);
  const text = readFileSync(path, 'utf8');
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; request_id?: string });
  for (const wanted of ['start_step', 'listening', 'log_level_changed', 'request', 'stopped'])
    assert.ok(
      events.some(({ msg }) => msg === wanted),
      wanted,
    );
  assert.ok(events.some(({ request_id: id }) => id === 'seen-1'));
  for (const secret of [API_KEY, CLUSTER_KEY]) {
    assert.not.match(text, secret);
    assert.not.match(server.output(), secret);
  }
});

test('a server goes on when nothing that it says can be written', async (t) => {
  const folder = t.folder();
  // Standard error first goes to a device that is always full, then a file does.
  const quiet = ['bash', '-c', 'exec "$@" 2>/dev/full', 'serve'];
  const flags = ['--log-level', 'debug', '--slow-query-ms', '1'];
  const full = await startServer(t, join(folder, 'a'), flags, { prefix: quiet });
  for (let turn = 0; turn < 20; turn++) assert.is((await full.request('GET', '/health')).status, 200);
  assert.is(await full.stop(), 0);
  const file = await startServer(t, join(folder, 'b'), [...flags, '--log-file', '/dev/full']);
  for (let turn = 0; turn < 20; turn++) assert.is((await file.request('GET', '/health')).status, 200);
  const { body } = await file.request<{ lost_lines: number }>('GET', '/v1/log');
  assert.ok(body.lost_lines >= 20);
  // What the file does not take is not gone.
  assert.match(file.output(), '"msg":"listening"');
  assert.is(await file.stop(), 0);
});

test('a log file that cannot be there stops the start with a reason', async (t) => {
  const folder = t.folder();
  const error = await startServer(t, join(folder, 'data'), ['--log-file', folder]).catch((failure: Error) => failure);
  assert.match((error as Error).message, `the log file ${folder} cannot be written`);
});

test.run();
