/** Who is asked to take over when a master leaves, and what it makes of the answers. */

import * as assert from 'uvu/assert';
import { systemClock } from '../../src/model/clock.js';
import { silentLog } from '../../src/model/log.js';
import { type Candidate, eligible, handOverBeforeStop, type LeavingParts } from '../../src/node/leaving.js';
import { suite } from '../support/suite.js';

const test = suite('node/leaving');
const GOOD: Candidate = { nodeId: 'a', voter: true, linked: true, phase: 'streaming', diverged: false, durableSeq: 5 };

function parts(
  answers: Readonly<Record<string, 'takes over' | 'refuses' | 'is silent'>>,
): LeavingParts & { readonly asked: string[] } {
  const asked: string[] = [];
  let master = true;
  return {
    asked,
    clock: systemClock,
    log: silentLog,
    isMaster: () => master,
    followsSomebody: () => !master,
    candidates: () => Object.keys(answers).map((nodeId, index) => ({ ...GOOD, nodeId, durableSeq: 10 - index })),
    ask: async (nodeId) => {
      asked.push(nodeId);
      if (answers[nodeId] === 'refuses') throw new Error('behind');
      if (answers[nodeId] === 'takes over') master = false;
      return new Promise(() => {});
    },
  };
}

test('linked voters with the same data are asked, the nearest first', () => {
  const others: Candidate[] = [
    { ...GOOD, nodeId: 'no voter', voter: false },
    { ...GOOD, nodeId: 'gone', linked: false },
    { ...GOOD, nodeId: 'joining', phase: 'snapshot' },
    { ...GOOD, nodeId: 'differs', diverged: true },
  ];
  const near = { ...GOOD, nodeId: 'near', durableSeq: 9 };
  const unknown = { ...GOOD, nodeId: 'unknown', durableSeq: null };
  assert.equal(
    eligible([...others, unknown, GOOD, near]).map(({ nodeId }) => nodeId),
    ['near', 'a', 'unknown'],
  );
});

test('one that refuses is passed over', async () => {
  const leaving = parts({ a: 'refuses', b: 'takes over', c: 'takes over' });
  assert.is(await handOverBeforeStop(leaving, 5_000), 'b');
  assert.equal(leaving.asked, ['a', 'b']);
});

test('when nobody answers in time the stop goes on', async () => {
  const leaving = parts({ a: 'is silent', b: 'takes over' });
  assert.is(await handOverBeforeStop(leaving, 50), null);
  assert.equal(leaving.asked, ['a']);
  assert.is(await handOverBeforeStop(parts({}), 5_000), null);
});

test.run();
