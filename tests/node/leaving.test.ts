/** Who is asked to take over when a master leaves, and what it makes of the answers. */

import * as assert from 'uvu/assert';
import { type Candidate, eligible, handOverBeforeStop, type LeavingParts } from '../../src/node/leaving.js';
import { keptLog, type LogLine } from '../support/kept-log.js';
import { suite } from '../support/suite.js';

const test = suite('node/leaving');
const GOOD: Candidate = {
  nodeId: 'a',
  voter: true,
  linked: true,
  phase: 'streaming',
  diverged: false,
  durableSeq: 5,
  heardMs: 50,
};

function parts(
  answers: Readonly<Record<string, 'takes over' | 'refuses' | 'is silent'>>,
): LeavingParts & { readonly asked: string[]; readonly lines: LogLine[] } {
  const asked: string[] = [];
  const { log, lines } = keptLog();
  let master = true;
  // Goes on by 10 ms with every look at it, however slow the machine is.
  let nowMs = 0;
  return {
    asked,
    lines,
    clock: {
      wallMs: () => 0,
      monotonicMs: () => {
        nowMs += 10;
        return nowMs;
      },
    },
    log,
    isMaster: () => master,
    masterUrl: () => (master ? null : 'http://next:7171'),
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

test('linked voters with the same data are asked, the nearest first, and of those the one heard last', () => {
  const others: Candidate[] = [
    { ...GOOD, nodeId: 'no voter', voter: false },
    { ...GOOD, nodeId: 'gone', linked: false },
    { ...GOOD, nodeId: 'joining', phase: 'snapshot' },
    { ...GOOD, nodeId: 'differs', diverged: true },
  ];
  const near = { ...GOOD, nodeId: 'near', durableSeq: 9 };
  const unknown = { ...GOOD, nodeId: 'unknown', durableSeq: null };
  const silent = { ...GOOD, nodeId: 'silent', heardMs: 49 };
  assert.equal(
    eligible([...others, unknown, silent, GOOD, near]).map(({ nodeId }) => nodeId),
    ['near', 'a', 'silent', 'unknown'],
  );
});

test('one that refuses is passed over', async () => {
  const leaving = parts({ a: 'refuses', b: 'takes over', c: 'takes over' });
  assert.is(await handOverBeforeStop(leaving, 5_000), 'b');
  assert.equal(leaving.asked, ['a', 'b']);
});

test('one that hangs uses its share of the time alone, and the next one is asked', async () => {
  const leaving = parts({ a: 'is silent', b: 'is silent', c: 'takes over' });
  assert.is(await handOverBeforeStop(leaving, 300), 'c');
  assert.equal(leaving.asked, ['a', 'b', 'c']);
  const [first, , last] = leaving.lines;
  assert.match(String(first?.fields['reason']), /^no answer in (8|9|10)\d ms$/);
  assert.equal([last?.event, last?.fields], ['handed_over', { asked: 'c', master: 'http://next:7171', begun: true }]);
});

test('when nobody takes over the stop goes on, and the log says why', async () => {
  const silent = parts({ a: 'is silent', b: 'refuses' });
  assert.is(await handOverBeforeStop(silent, 50), null);
  assert.equal(silent.asked, ['a', 'b']);
  assert.equal(silent.lines.at(-1)?.fields, { reason: 'none of the linked voters took over', asked: 2 });
  const alone = parts({});
  assert.is(await handOverBeforeStop(alone, 5_000), null);
  assert.equal(alone.lines.at(-1)?.fields, { reason: 'no voter with the same data is linked', asked: 0 });
});

test.run();
