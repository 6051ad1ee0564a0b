/** Index workers and the end of the engine: a stop finds them at work and ends them without a failure. */

import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openTestEngine } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('engine/index-thread');
const ROUNDS = 8;
const POINTS = 1_400;

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

test.run();
