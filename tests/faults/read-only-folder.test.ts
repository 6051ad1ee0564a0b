/** A data folder that cannot be written: the server does not start over it and says why; under a running server writes are refused, reads
 *  go on, and it heals. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { mountPrivateDisk } from '../support/private-disk.js';
import { ServerDidNotStart, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';
import { WriteLedger } from '../support/write-ledger.js';

const test = suite('faults/read-only-folder', { deadlineMs: 60_000 });
const MIB = 1024 * 1024;
const SMALL_WATERMARK = ['--disk-free-bytes-min', '1MiB'];

test('over a read-only file system the server does not start, says so, and starts again once it can be written', async (t) => {
  const disk = await mountPrivateDisk(t, 64 * MIB);
  const dataDir = join(disk.path, 'data');
  const within = { prefix: disk.prefix };
  const ledger = new WriteLedger();
  const refused = async (folder: string): Promise<void> => {
    try {
      await startServer(t, folder, SMALL_WATERMARK, within);
      assert.unreachable('the server started');
    } catch (error) {
      assert.instance(error, ServerDidNotStart);
      assert.is((error as ServerDidNotStart).code, 1);
      assert.match((error as ServerDidNotStart).output, /read-?only/i);
      assert.match((error as ServerDidNotStart).output, folder);
    }
  };
  for (const end of ['stop', 'kill'] as const) {
    const server = await startServer(t, dataDir, SMALL_WATERMARK, within);
    await ledger.makeCollections(server);
    await ledger.load(server, 2, () => ledger.acknowledged % 20 !== 0);
    await server[end]();
    disk.run('mount', '-o', 'remount,ro', disk.path);
    await refused(dataDir);
    await refused(join(disk.path, 'fresh'));
    disk.run('mount', '-o', 'remount,rw', disk.path);
  }
  const server = await startServer(t, dataDir, SMALL_WATERMARK, within);
  await ledger.check(server);
  await ledger.checkSearch(server);
});

test('a folder that becomes read-only under a server refuses writes with 503, serves reads, and heals', async (t) => {
  const disk = await mountPrivateDisk(t, 64 * MIB);
  const server = await startServer(t, join(disk.path, 'data'), SMALL_WATERMARK, { prefix: disk.prefix });
  const ledger = new WriteLedger();
  await ledger.makeCollections(server);
  await ledger.load(server, 2, () => ledger.acknowledged < 20);
  // Over the folder itself, so that files already open stay as they are: a kernel that turns a whole disk read-only does it late, too.
  disk.run('mount', '--bind', disk.path, disk.path);
  disk.run('mount', '-o', 'remount,bind,ro', disk.path);
  await ledger.load(server, 2, (outcome) => outcome === 'acknowledged');
  const { status, body } = await server.request('DELETE', '/v1/collections/left');
  assert.is(status, 503);
  assert.is(body.error.type, 'ReadOnly');
  await ledger.check(server);
  await ledger.checkSearch(server);
  const health = await server.request<{ status: string; reasons: string[] }>('GET', '/health');
  assert.is(health.body.status, 'degraded');
  assert.match(health.body.reasons.join(), /cannot be written/);
  disk.run('umount', '--lazy', disk.path);
  await waitUntil(async () => (await ledger.write(server, 0)) === 'acknowledged', { what: 'writes to go on' });
  assert.equal([...ledger.refused.keys()], ['ReadOnly']);
  assert.is(await server.stop(), 0);
});

test.run();
