/** Waiting for copies: who counts, how many a majority is, and that every wait ends. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { WriteConcern } from '../../src/replication/write-concern.js';
import { suite } from '../support/suite.js';

const test = suite('replication/write-concern');

const LONG_MS = 20_000;

test('this node counts always, a voter from the seq on that it holds', () => {
  const concern = new WriteConcern();
  assert.is(concern.holders(5), 1);
  concern.acknowledged('a', 4);
  assert.is(concern.holders(5), 1);
  concern.acknowledged('a', 5);
  assert.is(concern.holders(5), 2);
  concern.lost('a');
  assert.is(concern.holders(5), 1);
});

test('a wait that is met already, or may not wait, answers at once', async () => {
  const concern = new WriteConcern();
  assert.is(await concern.wait(5, 1, LONG_MS), 1);
  assert.is(await concern.wait(5, 2, 0), 1);
  assert.is(concern.waiting, 0);
});

test('a wait ends with the acknowledgement that completes it, not before', async () => {
  const concern = new WriteConcern();
  const three = concern.wait(7, 3, LONG_MS);
  concern.acknowledged('a', 6);
  concern.acknowledged('a', 7);
  assert.is(concern.waiting, 1);
  concern.acknowledged('b', 9);
  assert.is(await three, 3);
  assert.is(concern.waiting, 0);
});

test('one acknowledgement ends all waits that it completes, and only those', async () => {
  const concern = new WriteConcern();
  const met = [concern.wait(1, 2, LONG_MS), concern.wait(2, 2, LONG_MS)];
  const later = concern.wait(3, 2, LONG_MS);
  concern.acknowledged('a', 2);
  assert.equal(await Promise.all(met), [2, 2]);
  assert.is(concern.waiting, 1);
  concern.acknowledged('a', 3);
  assert.is(await later, 2);
});

test('a wait that is not met ends with its time, and says how many there are', async () => {
  const concern = new WriteConcern();
  concern.acknowledged('a', 9);
  assert.is(await concern.wait(9, 3, 5), 2);
  assert.is(concern.waiting, 0);
});

test('an acknowledgement that met a wait counts, though its voter is lost a moment later', async () => {
  const concern = new WriteConcern();
  const wait = concern.wait(4, 2, LONG_MS);
  concern.acknowledged('a', 4);
  concern.lost('a');
  assert.is(await wait, 2);
});

test('the end of the mastership ends every wait with what was known then, and forgets the rest', async () => {
  const concern = new WriteConcern();
  concern.acknowledged('a', 4);
  const waits = [concern.wait(4, 3, LONG_MS), concern.wait(5, 2, LONG_MS)];
  concern.end();
  assert.equal(await Promise.all(waits), [2, 1]);
  assert.is(concern.waiting, 0);
  assert.is(concern.holders(1), 1);
});

test('what a number of nodes hold is the k-th largest seq, never more than this node has', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 6 }), fc.nat(50), fc.integer({ min: 1, max: 8 }), (held, ownSeq, nodes) => {
      const concern = new WriteConcern();
      for (const [at, seq] of held.entries()) concern.acknowledged(`n${at}`, seq);
      let expected = 0;
      for (let seq = 1; seq <= ownSeq; seq++) if (concern.holders(seq) >= nodes) expected = seq;
      assert.is(concern.heldBy(nodes, ownSeq), expected);
    }),
    { numRuns: 500 },
  );
});

test('for any order of acknowledgements and losses, a wait that answers "enough" had enough at that moment', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('ack' as const), node: fc.constantFrom('a', 'b', 'c', 'd'), seq: fc.nat(10) }),
    fc.record({ kind: fc.constant('lost' as const), node: fc.constantFrom('a', 'b', 'c', 'd') }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 5 }),
      async (steps, seq, required) => {
        const concern = new WriteConcern();
        const held = new Map<string, number>();
        const enough = (): boolean => 1 + [...held.values()].filter((at) => at >= seq).length >= required;
        let expected = enough();
        const wait = concern.wait(seq, required, LONG_MS);
        for (const event of steps) {
          if (event.kind === 'ack') {
            concern.acknowledged(event.node, event.seq);
            held.set(event.node, event.seq);
          } else {
            concern.lost(event.node);
            held.delete(event.node);
          }
          expected ||= enough();
        }
        concern.end();
        assert.is((await wait) >= required, expected);
        assert.is(concern.waiting, 0);
      },
    ),
    { numRuns: 300 },
  );
});

test.run();
