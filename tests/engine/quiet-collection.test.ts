/** When a thread collects its garbage: once after work, and not while there is any. */

import * as assert from 'uvu/assert';
import { QuietCollection } from '../../src/engine/quiet-collection.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/quiet-collection');
const LOOK_MS = 10;

test('it collects once when it has been quiet after work, and again only after more work', async (t) => {
  let collected = 0;
  const garbage = new QuietCollection(LOOK_MS, () => void collected++);
  t.after(() => garbage.stop());
  let looks = 0;
  const clock = setInterval(() => void looks++, LOOK_MS);
  t.after(() => clearInterval(clock));
  const wait = (): Promise<unknown> => {
    const until = looks + 5;
    return waitUntil(() => looks >= until, { what: 'some looks' });
  };
  await wait();
  assert.is(collected, 0, 'nothing was done yet');
  for (const times of [1, 2]) {
    garbage.worked();
    await waitUntil(() => collected === times, { what: 'the collection' });
    await wait();
    assert.is(collected, times);
  }
  garbage.stop();
  garbage.worked();
  await wait();
  assert.is(collected, 2);
});

test('a thread gives back what its garbage holds outside the heap', async (t) => {
  const garbage = new QuietCollection(LOOK_MS);
  t.after(() => garbage.stop());
  const before = process.memoryUsage().arrayBuffers;
  const MIB = 2 ** 20;
  const leave = (): void => {
    for (let piece = 0; piece < 16; piece += 1) Buffer.alloc(MIB, piece);
  };
  leave();
  garbage.worked();
  await waitUntil(() => process.memoryUsage().arrayBuffers < before + MIB, { what: 'the bytes to be given back' });
});

test.run();
