/** Random kill -9 under concurrent writes, over HTTP, on one data folder that lives through all of it.
 *
 *  After every restart: each acknowledged write is there as it was acknowledged, each batch is there as a whole or not at all, and in the
 *  end the digest equals a recomputation from rows. SKEIN_TEST_KILLS sets the number of kills (default 200). */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openReader } from '../../src/storage/open-store.js';
import { checkDigests, TEST_CACHE } from '../support/open-test-store.js';
import { type ServerProcess, startServer } from '../support/server-process.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const KILLS = Number(process.env['SKEIN_TEST_KILLS'] ?? 200);
const WRITERS = 6;
const IDS = 400;
const test = suite('faults/kill-under-load', { deadlineMs: 60_000 + KILLS * 6_000 });

/** The last value each writer had acknowledged for a point, and a later one whose fate is unknown. */
interface Known {
  acknowledged: number | null;
  tried: number | null;
}

interface StoredPoint {
  readonly id: number;
  readonly vector: number[];
  readonly payload: { readonly value: number };
}

async function setUp(server: ServerProcess): Promise<void> {
  for (const name of ['left', 'right']) {
    const { status } = await server.request('PUT', `/v1/collections/${name}`, { dimension: 4, distance: 'euclid' });
    assert.ok(status === 201 || status === 409);
  }
}

const vectorOf = (value: number): number[] => [value % 97, value % 89, value % 83, 1];

/** Writes pairs (left, right) in one batch each until the server is gone. */
async function write(server: ServerProcess, writer: number, known: Map<number, Known>, next: { value: number }): Promise<void> {
  for (;;) {
    const id = writer + WRITERS * Math.floor(Math.random() * (IDS / WRITERS));
    const value = next.value++;
    const state = known.get(id) ?? { acknowledged: null, tried: null };
    known.set(id, state);
    state.tried = value;
    const points = [{ id, vector: vectorOf(value), payload: { value } }];
    try {
      const operations = [{ upsert: { collection: 'left', points } }, { upsert: { collection: 'right', points } }];
      const answer = await server.request('POST', '/v1/batch', { operations });
      assert.is(answer.status, 200, JSON.stringify(answer.body));
      state.acknowledged = value;
      state.tried = null;
    } catch (error) {
      if (error instanceof Error && error.name === 'Assertion') throw error;
      return;
    }
  }
}

async function check(server: ServerProcess, known: Map<number, Known>): Promise<void> {
  const ids = [...known.keys()];
  const read = async (name: string): Promise<Map<number, number>> => {
    const { body } = await server.request<{ points: StoredPoint[] }>('POST', `/v1/collections/${name}/points/get`, {
      ids,
      with_vector: true,
    });
    for (const point of body.points)
      assert.equal(point.vector, vectorOf(point.payload.value), 'vector and payload belong together');
    return new Map(body.points.map((point) => [point.id, point.payload.value]));
  };
  const left = await read('left');
  const right = await read('right');
  assert.equal([...left].sort(), [...right].sort(), 'a batch is there as a whole or not at all');
  for (const [id, state] of known) {
    const value = left.get(id) ?? null;
    assert.ok(
      value === state.acknowledged || value === state.tried,
      `point ${id} is ${value}, acknowledged ${state.acknowledged}, tried ${state.tried}`,
    );
    state.acknowledged = value;
    state.tried = null;
  }
}

async function findable(server: ServerProcess, known: Map<number, Known>): Promise<void> {
  const values = [...known].filter(([, state]) => state.acknowledged !== null).slice(0, 20);
  for (const [id, { acknowledged }] of values) {
    const { body } = await server.request<{ hits: { id: number; score: number }[] }>(
      'POST',
      '/v1/collections/left/points/search',
      {
        vector: vectorOf(acknowledged as number),
        limit: 50,
      },
    );
    const hit = body.hits.find((each) => each.id === id);
    assert.ok(hit?.score === 0, `point ${id} is found by search where it lies`);
  }
}

test(`${KILLS} kills lose nothing that was acknowledged and leave nothing half-done`, async (t) => {
  const dataDir = join(t.folder(), 'data');
  const known = new Map<number, Known>();
  const next = { value: 1 };
  let server = await startServer(t, dataDir);
  await setUp(server);
  for (let kill = 0; kill < KILLS; kill++) {
    const current = server;
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(current, writer, known, next));
    const goal = next.value + WRITERS + Math.floor(Math.random() * 120);
    await waitUntil(() => next.value >= goal, { deadlineMs: 30_000, what: 'some writes before the kill' });
    await current.kill();
    await Promise.all(writers);
    server = await startServer(t, dataDir);
    await check(server, known);
    if (kill % 10 === 0) await findable(server, known);
  }
  assert.is(await server.stop(), 0);
  assert.ok(next.value > KILLS, 'there was load');
  const reads = openReader(join(dataDir, 'store-1', 'skein.db'), TEST_CACHE);
  checkDigests(reads);
  reads.close();
});

test.run();
