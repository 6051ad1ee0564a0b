/** A process over its memory limit, by real points: writes are 507, reads and deletes go on, also in a batch. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/memory-full', { deadlineMs: 180_000 });
const DIMENSION = 512;
const BATCH = 500;
const ROOM_BYTES = 40 * 1024 * 1024;
const C = '/v1/collections/c';

function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(found?.[1]) * 1_024;
}

const vectorOf = (id: number): number[] => Array.from({ length: DIMENSION }, (_, i) => ((id * 31 + i * 17) % 101) / 101);

async function put(server: ServerProcess, from: number, count = BATCH): Promise<number> {
  const points = Array.from({ length: count }, (_, i) => ({ id: from + i, vector: vectorOf(from + i) }));
  const { status, body } = await server.request('PUT', `${C}/points`, { points });
  if (status === 507) assert.is(body.error.type, 'MemoryLimitExceeded');
  else assert.is(status, 200, JSON.stringify(body));
  return status;
}

test('over the limit writes are refused, reads and deletes go on, and the node is ready', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const first = await startServer(t, dataDir);
  await first.request('PUT', C, { dimension: DIMENSION, distance: 'cosine' });
  await put(first, 0);
  const limit = residentBytes(first.pid) + ROOM_BYTES;
  assert.is(await first.stop(), 0);
  const server = await startServer(t, dataDir, ['--max-memory-bytes', String(limit)]);

  let stored = BATCH;
  const filled = async (): Promise<boolean> => {
    if ((await put(server, stored)) === 507) return true;
    stored += BATCH;
    return false;
  };
  await waitUntil(filled, { what: 'the memory to be full', deadlineMs: 90_000 });
  assert.match(server.output(), '"memory_full"');
  const post = (path: string, body: object) => server.request<Record<string, unknown>>('POST', path, body);
  const search = await post(`${C}/points/search`, { vector: vectorOf(1), limit: 3 });
  assert.equal([search.status, (search.body['hits'] as unknown[]).length], [200, 3]);
  const deleted = await post(`${C}/points/delete`, { ids: [1] });
  assert.equal([deleted.status, deleted.body['deleted']], [200, 1]);
  const freed = await post('/v1/batch', { operations: [{ delete: { collection: 'c', ids: [2] } }] });
  assert.is(freed.status, 200, JSON.stringify(freed.body));
  const adding = { upsert: { collection: 'c', points: [{ id: 9_999_999, vector: vectorOf(9) }] } };
  assert.is((await post('/v1/batch', { operations: [{ delete: { collection: 'c', ids: [3] } }, adding] })).status, 507);
  assert.is((await server.request('GET', '/health/ready')).status, 200);
  assert.is((await server.request<{ count: number }>('POST', `${C}/points/count`)).body.count, stored - 2);

  // What was dropped is given back to the system, so that writes go on in the same process.
  assert.is((await server.request('DELETE', C)).status, 200);
  await waitUntil(async () => (await server.request('PUT', C, { dimension: DIMENSION, distance: 'cosine' })).status === 201, {
    what: 'room for a new collection',
    deadlineMs: 60_000,
  });
  assert.is(await put(server, 0), 200);
  assert.match(server.output(), '"memory_free_again"');
  assert.is(await server.stop(), 0);
});

test.run();
