/** Points with a time to live: they vanish soon after it, for every way of reading, as deletes in the log, also when the server was down at
 *  the time. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { decodeEntry } from '../../src/codec/entry.js';
import { verifyDataFolder } from '../../src/node/offline.js';
import { openReader } from '../../src/storage/open-store.js';
import { TEST_CACHE } from '../support/open-test-store.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/expiry', { deadlineMs: 60_000 });
const SOON_MS = 1_500;
/** The master sweeps every second; a busy machine may stand still for a while. */
const SWEPT_AFTER_MS_MAX = 10_000;
const LASTING = 50;
const EXPIRING = 1_200;

interface Seen {
  readonly count: number;
  readonly found: number;
  readonly got: number;
}

async function seen(server: ServerProcess): Promise<Seen> {
  const ask = async <Body>(path: string, body: object): Promise<Body> =>
    (await server.request<Body>('POST', `/v1/collections/c/points/${path}`, body)).body;
  const { count } = await ask<{ count: number }>('count', {});
  const { hits } = await ask<{ hits: unknown[] }>('search', { vector: [1, 1], limit: 5_000, with_payload: false });
  const ids = Array.from({ length: EXPIRING }, (_, id) => id);
  const { points } = await ask<{ points: unknown[] }>('get', { ids, with_vector: false, with_payload: false });
  return { count, found: hits.length, got: points.length };
}

/** Lasting points, and many more that expire at one moment. @returns that moment, or a little before it */
async function fill(server: ServerProcess, how: 'each' | 'collection'): Promise<number> {
  await server.request('PUT', '/v1/collections/c', {
    dimension: 2,
    distance: 'euclid',
    ...(how === 'collection' && { ttl_ms: SOON_MS }),
  });
  const far = new Date(Date.now() + 3_600_000).toISOString();
  const lasting = Array.from({ length: LASTING }, (_, i) => ({
    id: `lasting-${i}`,
    vector: [i, 1],
    ...(how === 'collection' && { expires_at: far }),
  }));
  assert.is((await server.request('PUT', '/v1/collections/c/points', { points: lasting })).status, 200);
  const atMs = Date.now() + SOON_MS;
  const expires = how === 'each' ? { expires_at: new Date(atMs).toISOString() } : {};
  const points = Array.from({ length: EXPIRING }, (_, id) => ({ id, vector: [id, 2], ...expires }));
  assert.is((await server.request('PUT', '/v1/collections/c/points', { points })).status, 200);
  return atMs;
}

const gone = async (server: ServerProcess): Promise<boolean> => (await seen(server)).count === LASTING;

async function deletesInLog(dataDir: string): Promise<number> {
  const reads = openReader(join(dataDir, 'store-1', 'skein.db'), TEST_CACHE);
  const effects = reads.logFrom(1, 10_000, 100_000_000).map(({ entry }) => decodeEntry(entry).effect);
  reads.close();
  return effects.reduce((sum, effect) => sum + (effect.kind === 'delete_points' ? effect.ids.length : 0), 0);
}

for (const how of ['each', 'collection'] as const) {
  test(`points whose time is set by ${how === 'each' ? 'themselves' : 'their collection'} vanish soon, and not before it, as deletes in the log`, async (t) => {
    const dataDir = join(t.folder(), 'data');
    const server = await startServer(t, dataDir);
    const atMs = await fill(server, how);
    const { count } = await seen(server);
    if (Date.now() < atMs) assert.equal(count, LASTING + EXPIRING, 'they are there until then');
    await waitUntil(() => gone(server), { what: 'the points to expire' });
    const lateMs = Date.now() - atMs;
    assert.ok(lateMs >= 0, `they vanished ${-lateMs} ms early`);
    assert.ok(lateMs < SWEPT_AFTER_MS_MAX, `they vanished ${lateMs} ms late`);
    await waitUntil(async () => (await seen(server)).found === LASTING, { what: 'searches to see it too' });
    assert.equal(await seen(server), { count: LASTING, found: LASTING, got: 0 });
    assert.is(await server.stop(), 0);
    assert.is(await deletesInLog(dataDir), EXPIRING);
    assert.equal((await verifyDataFolder(dataDir)).findings, []);
    assert.equal(await seen(await startServer(t, dataDir)), { count: LASTING, found: LASTING, got: 0 });
  });
}

test('points whose time came while the server was down, after a kill, vanish soon after the start', async (t) => {
  const dataDir = join(t.folder(), 'data');
  const first = await startServer(t, dataDir);
  const atMs = await fill(first, 'each');
  await first.kill();
  await waitUntil(() => Date.now() > atMs, { what: 'their time to come' });
  const second = await startServer(t, dataDir);
  await waitUntil(() => gone(second), { what: 'the points to expire', deadlineMs: 20_000 });
  await waitUntil(async () => (await seen(second)).found === LASTING, { what: 'searches to see it too' });
  assert.is(await second.stop(), 0);
  assert.is(await deletesInLog(dataDir), EXPIRING);
});

test('a point that is written again with a later time stays', async (t) => {
  const server = await startServer(t, join(t.folder(), 'data'));
  const atMs = await fill(server, 'each');
  const points = [{ id: 7, vector: [7, 2], expires_at: new Date(Date.now() + 3_600_000).toISOString() }];
  assert.is((await server.request('PUT', '/v1/collections/c/points', { points })).status, 200);
  await waitUntil(async () => (await seen(server)).count === LASTING + 1, { what: 'the others to expire' });
  assert.ok(Date.now() >= atMs);
  assert.is((await seen(server)).got, 1);
});

test.run();
