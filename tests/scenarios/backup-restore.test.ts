/** Backups of running nodes: made by themselves, restored in place while reads go on and replicas come along, and nothing lost by a kill. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { runSkein } from '../cli/run-skein.js';
import { startCluster } from '../support/cluster.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('scenarios/backup-restore', { deadlineMs: 120_000 });

interface Stats {
  readonly position: string;
  readonly digest: string;
  readonly epoch: number;
}
interface Listed {
  readonly count: number;
  readonly backups: readonly { readonly id: string; readonly kind: string; readonly seq: number }[];
  readonly running: unknown;
  readonly operations_since: number | null;
  readonly failures_in_row: number;
  readonly last_verified_at: string | null;
}
interface Restored {
  readonly seq: number;
  readonly operations_lost: number;
  readonly restored_position: string;
  readonly replaced_position: string;
}

type Asked = Pick<ServerProcess, 'request'>;

async function ask<Body>(node: Asked, method: string, path: string, body?: unknown): Promise<Body> {
  const answer = await node.request<Body>(method, path, body);
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function put(node: Asked, from: number, count: number): Promise<void> {
  for (let id = from; id < from + count; id++)
    await ask(node, 'PUT', '/v1/collections/c/points', { points: [{ id, vector: [id, 1], payload: { id } }] });
}

const statsOf = (node: Asked): Promise<Stats> => ask(node, 'GET', '/replication/stats');
const backupsOf = (node: Asked): Promise<Listed> => ask(node, 'GET', '/v1/backups');
const countOf = async (node: Asked): Promise<number> =>
  (await ask<{ count: number }>(node, 'POST', '/v1/collections/c/points/count', {})).count;

test('a cluster goes back to a position with its replica, and forward again to what was replaced', async (t) => {
  const target = join(t.folder(), 'backups');
  const flags = [
    '--backup-folder',
    target,
    '--backup-min-interval-ms',
    '0',
    '--backup-every-operations',
    '5',
    '--snapshot-min-interval-ms',
    '0',
  ];
  const { master, replicas } = await startCluster(t, { replicas: 1, flags, deadlineMs: 60_000 });
  const replica = replicas[0];
  if (replica === undefined) throw new Error('there is a replica');
  await ask(master, 'PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  await put(master, 0, 12);
  const then = await statsOf(master);
  await put(master, 12, 9);
  await waitUntil(async () => (await backupsOf(master)).operations_since === 0 || (await backupsOf(master)).count > 1, {
    what: 'backups to be made by themselves',
  });
  const now = await statsOf(master);

  const path = '/v1/backups/latest/restore';
  await ask(master, 'POST', '/v1/backups', {});
  const dry = await ask<Restored>(master, 'POST', path, { to_position: then.position, dry_run: true });
  assert.is(dry.operations_lost, 9);
  assert.is((await statsOf(master)).position, now.position, 'a dry run does nothing');
  const back = await ask<Restored>(master, 'POST', path, { to_position: then.position });
  assert.is(back.seq, dry.seq);
  assert.is(await countOf(master), 12);
  assert.is(back.replaced_position, now.position);
  const lost = await master.request('POST', '/v1/collections/c/points/count', { min_position: now.position });
  assert.is(lost.status, 409, 'a position that was replaced is lost');
  await waitUntil(async () => (await statsOf(replica)).digest === (await statsOf(master)).digest, {
    what: 'the replica to come along',
  });
  assert.is(await countOf(replica), 12);
  const looked = await ask<{ points: number }>(master, 'POST', '/v1/backups/latest/verify', {});
  assert.is(looked.points, 12, 'the newest is what runs, not what was left');
  await put(master, 50, 1);

  await ask(master, 'POST', path, { to_position: now.position });
  assert.is(await countOf(master), 21, 'what was replaced was archived first');
  assert.is((await statsOf(master)).epoch, 3);
  await put(master, 60, 1);
  await waitUntil(async () => (await statsOf(replica)).digest === (await statsOf(master)).digest, {
    what: 'the replica to come along',
  });
  const drill = await ask<{ ok: boolean; problem: string | null; points: number }>(
    master,
    'POST',
    '/v1/backups/latest/verify',
    {},
  );
  assert.equal([drill.problem, drill.ok], [null, true]);
  assert.type((await backupsOf(master)).last_verified_at, 'string');
  assert.is((await backupsOf(master)).failures_in_row, 0);
});

test('what a restore brought back is what the next disaster finds in the backups', async (t) => {
  const [dataDir, target, to] = [join(t.folder(), 'data'), join(t.folder(), 'backups'), join(t.folder(), 'copy')];
  const flags = ['--backup-folder', target, '--backup-every-operations', '0', '--backup-interval-ms', '0'];
  const server = await startServer(t, dataDir, flags);
  await ask(server, 'PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  await put(server, 0, 4);
  const then = await statsOf(server);
  await ask(server, 'POST', '/v1/backups', {});
  await ask(server, 'DELETE', '/v1/collections/c');
  for (const times of [1, 2]) {
    await ask(server, 'POST', '/v1/backups/latest/restore', { to_position: then.position });
    assert.is(await countOf(server), 4, `after ${times}`);
  }
  await server.kill();
  const restored = await runSkein(['restore', '--backup-folder', target, '--to', to]);
  assert.is(restored.exitCode, 0, restored.errors);
  const copy = await startServer(t, to);
  assert.is(await countOf(copy), 4);
  assert.is(await copy.stop(), 0);
});

/** All other places are swept in tests/faults/backup-failpoints.test.ts. */
test('killed when the switch of a restore counts, it comes up with the whole new data', async (t) => {
  const [dataDir, target] = [join(t.folder(), 'data'), join(t.folder(), 'backups')];
  const flags = ['--backup-folder', target, '--backup-every-operations', '0', '--backup-interval-ms', '0'];
  let server = await startServer(t, dataDir, flags, { environment: { SKEIN_TEST_FAIL: 'switch.after_current' } });
  await ask(server, 'PUT', '/v1/collections/c', { dimension: 2, distance: 'euclid' });
  await put(server, 0, 3);
  await ask(server, 'POST', '/v1/backups', {});
  await put(server, 3, 2);
  const before = await statsOf(server);
  await server.request('POST', '/v1/backups/latest/restore', {}).catch(() => null);
  assert.is((await server.ended).signal, 'SIGKILL');
  server = await startServer(t, dataDir, flags);
  assert.is(await countOf(server), 3);
  assert.ok((await statsOf(server)).epoch > before.epoch, 'a new history');
  await put(server, 9, 1);
  assert.equal(
    readdirSync(dataDir).filter((name) => name.startsWith('restoring-')),
    [],
  );
  assert.is(await server.stop(), 0);
});

test.run();
