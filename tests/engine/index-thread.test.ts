/** Index workers and the end of the engine: a stop finds them at work and ends them without a failure. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openTestEngine } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/index-thread', { deadlineMs: 60_000 });
const ROUNDS = 8;
const POINTS = 1_400;
/** Enough that a rebuild begins, and takes a while. */
const REPLACED_POINTS = 700;
const DIMENSION = 768;

test('a stop while an index still grows is a clean one', async (t) => {
  const folder = t.folder();
  const random = new Random(t.seed());
  const points = Array.from({ length: POINTS }, (_, id) => ({ id, vector: random.vector(8) }));
  for (let round = 0; round < ROUNDS; round++) {
    const { engine, create, put, fatal } = await openTestEngine(join(folder, String(round)));
    await create('c', 8);
    await put('c', points);
    await engine.stop();
    assert.equal(fatal, [], `round ${round}`);
  }
});

test('a stop in the middle of a rebuild is a clean one, and the next start goes on with it', async (t) => {
  const folder = t.folder();
  const random = new Random(t.seed());
  const files = join(folder, 'store-1', 'checkpoints', '1', 'default');
  const first = await openTestEngine(folder);
  await first.create('c', DIMENSION);
  const put = (count: number): Promise<unknown> =>
    first.put(
      'c',
      Array.from({ length: count }, (_, id) => ({ id, vector: random.vector(DIMENSION) })),
    );
  await put(POINTS);
  await waitUntil(() => first.engine.status().index.waitingBytes === 0, { what: 'the graph to have them', deadlineMs: 30_000 });
  await put(REPLACED_POINTS);
  await waitUntil(() => first.engine.collection('c').status === 'rebuilding', { what: 'a rebuild to run', deadlineMs: 30_000 });
  await first.engine.stop();
  assert.equal(first.fatal, []);
  assert.ok(
    readdirSync(files).some((name) => name.endsWith('.2.hnsw')),
    'both graphs are saved',
  );
  const { engine, nearest } = await openTestEngine(folder);
  t.after(() => engine.stop());
  const query = random.vector(DIMENSION);
  assert.equal(await nearest('c', query, 5), await nearest('c', query, 5, true));
  await waitUntil(() => engine.collection('c').status === 'ready', { what: 'the rebuild to end', deadlineMs: 30_000 });
  assert.ok(engine.status().index.rebuilds > 0);
});

test.run();
