/** The operation log within its bounds: pruned by whole requests, never the data, and what is left still verifies after a restart. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeEntry } from '../../src/codec/entry.js';
import { verifyDataFolder } from '../../src/node/offline.js';
import { openReader } from '../../src/storage/open-store.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/log-retention', { deadlineMs: 90_000 });
const MIB = 1024 * 1024;
/** Each request is two entries. */
const PER_REQUEST = 1_500;
const REQUESTS = 6;
const FILL = 'x'.repeat(100);

async function metric(server: ServerProcess, name: string): Promise<number> {
  const { body } = await server.request<string>('GET', '/metrics');
  const line = new RegExp(`^${name} (\\S+)$`, 'm').exec(body);
  assert.ok(line, `${name} is measured`);
  return Number(line?.[1]);
}

async function write(server: ServerProcess, requests: number): Promise<void> {
  for (let request = 0; request < requests; request++) {
    const points = Array.from({ length: PER_REQUEST }, (_, id) => ({
      id,
      vector: [id, request, 1, 2],
      payload: { request, fill: FILL },
    }));
    const { status } = await server.request('PUT', '/v1/collections/c/points?wait=durable', { points });
    assert.is(status, 200);
  }
}

/** As the store says it, whether a server runs on it or not. */
function logBytes(dataDir: string): number {
  const reads = openReader(join(dataDir, 'store-1', 'skein.db'), TEST_CACHE);
  const { logBytes: bytes } = reads.state();
  reads.close();
  return bytes;
}

/** What the log of a stopped folder holds. */
function logOf(dataDir: string): { firstSeqOfUnit: boolean; lastOfUnit: boolean; bytes: number; entries: number } {
  const reads = openReader(join(dataDir, 'store-1', 'skein.db'), TEST_CACHE);
  const rows = reads.logFrom(0, 1_000_000, 1_000_000_000);
  const { logMinSeq, seq } = reads.state();
  reads.close();
  assert.is(rows.length, seq - logMinSeq + 1);
  const entries = rows.map(({ entry }) => decodeEntry(entry));
  const bytes = rows.reduce((sum, { entry }) => sum + entry.length, 0);
  return {
    firstSeqOfUnit: entries.length === 0 || entries[0]?.firstSeq === entries[0]?.seq,
    lastOfUnit: entries.length === 0 || entries.at(-1)?.last === true,
    bytes,
    entries: entries.length,
  };
}

for (const [what, flags, bytesMax] of [
  ['the hard limit alone', ['--log-bytes-hard-max', '1MiB', '--log-retention-bytes', '1MiB'], MIB],
  ['age, down to a size', ['--log-retention-ms', '0', '--log-retention-bytes', '300KiB'], 0.3 * MIB],
  ['age, down to nothing', ['--log-retention-ms', '0', '--log-retention-bytes', '0'], 0],
] as const) {
  test(`a log pruned by ${what} is cut between requests; data, digests and a restart are as ever`, async (t) => {
    const dataDir = join(t.folder(), 'data');
    let server = await startServer(t, dataDir, flags);
    await server.request('PUT', '/v1/collections/c', { dimension: 4, distance: 'euclid' });
    for (let round = 0; round < 2; round++) {
      await write(server, REQUESTS);
      await waitUntil(() => logBytes(dataDir) <= bytesMax, { what: 'the log to be pruned' });
      await waitUntil(async () => (await metric(server, 'skein_log_bytes')) === logBytes(dataDir), {
        what: 'the metric to say so',
      });
      if (round === 0) await server.kill();
      else assert.is(await server.stop(), 0);
      const { firstSeqOfUnit, lastOfUnit, bytes, entries } = logOf(dataDir);
      assert.ok(firstSeqOfUnit && lastOfUnit, 'the log begins and ends with a whole request');
      assert.ok(bytes <= bytesMax, `${bytes} bytes are left`);
      assert.is(entries === 0, bytesMax === 0, 'no more was pruned than had to be');
      const report = await verifyDataFolder(dataDir);
      assert.equal(report.findings, []);
      server = await startServer(t, dataDir, flags);
      const { body } = await server.request<{ count: number }>('POST', '/v1/collections/c/points/count', {});
      assert.is(body.count, PER_REQUEST);
    }
  });
}

test.run();
