/** kill -9 in the middle of a bulk load whose graph is being saved now and then: after the restart the server is ready and complete, and
 *  it has gone on from a checkpoint instead of building the graph anew. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { Random } from '../support/random.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('faults/kill-in-bulk-load', { deadlineMs: 600_000 });
const KILLS = 4;
const DIMENSION = 32;
const PER_BATCH = 250;
const LOADERS = 2;
const BATCHES_AFTER_CHECKPOINT = 6;
/** Slow to build, so that a checkpoint is soon due. */
const HNSW = { m: 24, ef_construct: 600 };

const vectorOf = (id: number): number[] => [...new Random(id + 1).vector(DIMENSION)];

interface Load {
  acknowledged: Set<number>;
  tried: Set<number>;
}

/** Loads batches until the server is gone; a batch's ids start at a multiple of PER_BATCH. */
async function load(server: ServerProcess, state: Load, next: () => number): Promise<void> {
  for (;;) {
    const from = next();
    state.tried.add(from);
    const points = Array.from({ length: PER_BATCH }, (_, i) => ({ id: from + i, vector: vectorOf(from + i) }));
    const answer = await server.request('PUT', '/v1/collections/c/points?wait=indexed', { points }).catch(() => null);
    if (answer === null) return;
    assert.is(answer.status, 200, JSON.stringify(answer.body));
    state.acknowledged.add(from);
  }
}

/** Each batch is there as a whole or not at all, and all that were acknowledged are there. @returns the number of points */
async function check(server: ServerProcess, state: Load): Promise<number> {
  const batches = [...state.tried];
  const { body } = await server.request<{ points: { id: number }[] }>('POST', '/v1/collections/c/points/get', {
    ids: batches.flatMap((from) => [from, from + 1, from + PER_BATCH - 1]),
    with_vector: false,
  });
  const there = new Set(body.points.map(({ id }) => id));
  for (const from of batches) {
    const whole = there.has(from);
    assert.is(there.has(from + 1), whole, `batch ${from} is whole or absent`);
    assert.is(there.has(from + PER_BATCH - 1), whole, `batch ${from} is whole or absent`);
    if (state.acknowledged.has(from)) assert.ok(whole, `batch ${from} was acknowledged`);
    if (whole) state.acknowledged.add(from);
    else state.tried.delete(from);
  }
  const counted = await server.request<{ count: number }>('POST', '/v1/collections/c/points/count', {});
  assert.is(counted.body.count, state.acknowledged.size * PER_BATCH);
  for (const from of [...state.acknowledged].slice(-5)) {
    const { body: found } = await server.request<{ hits: { id: number }[] }>('POST', '/v1/collections/c/points/search', {
      vector: vectorOf(from),
      limit: 1,
    });
    assert.is(found.hits[0]?.id, from, 'what was loaded last is found by search');
  }
  return counted.body.count;
}

test(`${KILLS} kills in a bulk load cost no point and no rebuild`, async (t) => {
  const dataDir = join(t.folder(), 'data');
  const folder = join(dataDir, 'store-1', 'checkpoints', '1', 'default');
  const state: Load = { acknowledged: new Set(), tried: new Set() };
  let at = 0;
  let saved = 0;
  const next = (): number => PER_BATCH * at++;
  const heads = (): string[] => (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : []);
  let server = await startServer(t, dataDir);
  await server.request('PUT', '/v1/collections/c', { dimension: DIMENSION, distance: 'cosine', hnsw: HNSW });
  for (let kill = 0; kill < KILLS; kill++) {
    const loaders = Array.from({ length: LOADERS }, () => load(server, state, next));
    const before = heads().join();
    await waitUntil(() => heads().length > 0 && heads().join() !== before, { deadlineMs: 120_000, what: 'a checkpoint' });
    const goal = state.acknowledged.size + BATCHES_AFTER_CHECKPOINT;
    await waitUntil(() => state.acknowledged.size >= goal, { deadlineMs: 60_000, what: 'some batches after the checkpoint' });
    await server.kill();
    await Promise.all(loaders);
    const startMs = performance.now();
    server = await startServer(t, dataDir);
    const readyMs = performance.now() - startMs;
    const count = await check(server, state);
    assert.not.match(server.output(), /index_checkpoint_refused|index_rebuild/);
    const loaded = /"labels":(\d+),"msg":"index_checkpoint_loaded"/.exec(server.output());
    const labels = Number(loaded?.[1] ?? 0);
    // What waited before the graph waits there again; what the graph has had time for is never done twice.
    assert.ok(labels > saved, `the checkpoint held ${labels} labels, the one before the last kill ${saved}`);
    saved = labels;
    console.log(`killed at ${count} points: ready after ${Math.round(readyMs)} ms, ${labels} labels in the graph`);
  }
  assert.is(await server.stop(), 0);
});

test.run();
