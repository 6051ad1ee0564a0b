/** Index workers and the end of the engine: a stop finds them at work and ends them without a failure. */

import { mkdirSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { RunningEngine } from '../../src/engine/engine.js';
import { openTestEngine, pointBlock, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/index-thread', { deadlineMs: 60_000 });
const ROUNDS = 8;
const POINTS = 1_400;
/** Enough that a rebuild and its writing take a while. */
const REBUILT_POINTS = 1_200;
const DIMENSION = 768;

/** Resolves when the native library has begun to write a graph. */
async function nativeWrite(files: string): Promise<void> {
  for await (const { filename } of watch(files)) if (filename?.endsWith('.hnsw.tmp')) return;
}

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

test('a stop gives up a rebuild, whatever it is doing, and is a clean one', async (t) => {
  const folder = t.folder();
  const random = new Random(t.seed());
  const files = join(folder, 'store-1', 'checkpoints', '1', 'default');
  const replaceAll = (engine: RunningEngine): Promise<unknown> => {
    const points = Array.from({ length: REBUILT_POINTS }, (_, id) => ({ id, vector: random.vector(DIMENSION) }));
    const upsert = { kind: 'upsert', collection: 'c', points: pointBlock(points) } as const;
    return engine.write([upsert], { ...WAIT, wait: 'durable' });
  };
  const first = await openTestEngine(folder);
  await first.create('c', DIMENSION);
  await replaceAll(first.engine);
  await first.engine.stop();
  mkdirSync(files, { recursive: true });
  for (const doing of ['builds', 'saves'] as const) {
    const { engine, fatal } = await openTestEngine(folder);
    const saves = doing === 'saves' ? nativeWrite(files) : null;
    await replaceAll(engine);
    if (saves !== null) await saves;
    else await waitUntil(() => engine.collection('c').status === 'rebuilding', { what: 'a rebuild to run', deadlineMs: 30_000 });
    await engine.stop();
    assert.equal(fatal, [], doing);
  }
  const last = await openTestEngine(folder);
  t.after(() => last.engine.stop());
  const query = random.vector(DIMENSION);
  assert.equal(await last.nearest('c', query, 5), await last.nearest('c', query, 5, true));
});

test.run();
