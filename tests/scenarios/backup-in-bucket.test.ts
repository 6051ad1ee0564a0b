/** Backups of a server in a bucket: made, proven and restored over the network; a store that fails hurts no write, is told everywhere, and is
 *  used again when it answers. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { startS3 } from '../support/s3-server.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('scenarios/backup-in-bucket', { deadlineMs: 90_000 });

async function ask<Body>(node: ServerProcess, method: string, path: string, body?: unknown): Promise<Body> {
  const answer = await node.request<Body>(method, path, body);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function put(node: ServerProcess, from: number, count: number): Promise<void> {
  for (let id = from; id < from + count; id++)
    await ask(node, 'PUT', '/v1/collections/c/points', { points: [{ id, vector: [id, 1] }] });
}

const breakerOf = async (node: ServerProcess): Promise<string | undefined> => {
  const text = await (await fetch(`${node.url}/metrics`)).text();
  return /^skein_circuit_breaker_state\{dependency="backup_target"\} (\d)$/m.exec(text)?.[1];
};

test('a bucket that fails hurts no write; when it answers again it has all of them, and the data can come from it', async (t) => {
  const store = await startS3(t);
  const credentials = join(t.folder(), 'credentials');
  writeFileSync(credentials, `${store.key.accessKeyId}\n${store.key.secretAccessKey}\n`, { mode: 0o600 });
  const flags = [
    ...['--backup-s3-bucket', store.bucket, '--backup-s3-endpoint', store.endpoint, '--backup-s3-prefix', 'clusters/one'],
    ...['--backup-s3-credentials-file', credentials, '--backup-stall-ms', '20000'],
    ...['--backup-every-operations', '0', '--backup-interval-ms', '0', '--dependency-retry-delay-ms', '1'],
    ...['--dependency-slow-reset-ms', '200', '--dependency-successes-min', '1'],
  ];
  // As it is shipped: the client of the store is in a file of its own, loaded when it is first needed.
  const server = await startServer(t, join(t.folder(), 'data'), flags);
  await ask(server, 'PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  await put(server, 0, 10);
  await ask(server, 'POST', '/v1/backups', {});
  assert.is(await breakerOf(server), '0');
  const position = (await ask<{ position: string }>(server, 'GET', '/replication/stats')).position;
  await put(server, 10, 5);

  store.fault = () => 'cut';
  const failed = await server.request<{ error: { type: string } }>('POST', '/v1/backups', {});
  assert.ok(['BackupTargetFailed', 'CircuitOpen'].includes(failed.body.error.type), failed.body.error.type);
  assert.is(await breakerOf(server), '2');
  await put(server, 15, 5);
  const isDegraded = async (): Promise<boolean> =>
    (await ask<{ status: string }>(server, 'GET', '/health')).status === 'degraded';
  await waitUntil(isDegraded, { what: 'a look at health after the failure' });

  store.fault = () => null;
  await waitUntil(async () => (await server.request('POST', '/v1/backups', {})).status < 300, { what: 'a backup' });
  assert.is(await breakerOf(server), '0');
  assert.ok([...store.objects.keys()].every((key) => key.startsWith('clusters/one/')));
  assert.is(store.uploads.size, 0);
  const drill = await ask<{ ok: boolean; points: number }>(server, 'POST', '/v1/backups/latest/verify', {});
  assert.equal([drill.ok, drill.points], [true, 20]);
  await ask(server, 'POST', '/v1/backups/latest/restore', { to_position: position });
  assert.is((await ask<{ count: number }>(server, 'POST', '/v1/collections/c/points/count', {})).count, 10);
  assert.not.match(server.output(), store.key.secretAccessKey);
});

test.run();
