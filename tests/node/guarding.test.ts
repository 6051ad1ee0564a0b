/** What is refused is what is short: a full queue of searches costs nobody a read by id. */

import * as assert from 'uvu/assert';
import type { RunningEngine } from '../../src/engine/engine.js';
import { Guarding } from '../../src/node/guarding.js';
import { keptLog } from '../support/kept-log.js';
import { suite } from '../support/suite.js';

const test = suite('node/guarding');

function guardingOf(searchesAreFull: boolean): Guarding {
  const engine: Pick<RunningEngine, 'searchesAreFull'> = { searchesAreFull };
  return new Guarding({
    settings: {
      maxMemoryBytes: 'off',
      maxHandles: 'off',
      requestTimeoutMs: 0,
      shedLoopDelayMs: 0,
      shedQueueWaitMs: 0,
      drainDelayMs: 0,
      handoverAtStop: false,
    },
    log: keptLog().log,
    cutSilent: () => {},
    engine: () => engine as RunningEngine,
  });
}

test('while the queue of searches is full, searches are refused and counted, and nothing else', () => {
  const guarding = guardingOf(true);
  const refused = guarding.refusal('search');
  assert.equal([refused?.type, refused?.details.reason], ['Overloaded', 'search_queue']);
  for (const work of ['read', 'write', 'free'] as const) assert.is(guarding.refusal(work), null, work);
  assert.is(guarding.figures().shed.search_queue, 1);
});

test('while there is room in it, searches are taken', () => {
  assert.is(guardingOf(false).refusal('search'), null);
});

test.run();
