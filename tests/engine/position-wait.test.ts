/** Which positions are of this data's past, which may still come and which never will; and who waits how long. */

import * as assert from 'uvu/assert';
import { type PositionSource, placeOf, reachPosition } from '../../src/engine/position-wait.js';
import { Tail } from '../../src/engine/tail.js';
import { systemClock } from '../../src/model/clock.js';
import type { Role } from '../../src/model/replication.js';
import { rejectionOf } from '../support/refusal.js';
import { suite } from '../support/suite.js';

const test = suite('engine/position-wait');
const startHash = new Uint8Array(32);
const LINEAGE = [
  { epoch: 1, historyId: 'a', startSeq: 0, startHash },
  { epoch: 3, historyId: 'b', startSeq: 10, startHash },
  { epoch: 4, historyId: 'c', startSeq: 10, startHash },
  { epoch: 7, historyId: 'd', startSeq: 20, startHash },
];

test('the table of places', () => {
  const cases: readonly (readonly [historyId: string, epoch: number, seq: number, 'past' | 'ahead' | 'lost'])[] = [
    ['a', 1, 0, 'past'],
    ['a', 1, 10, 'past'],
    ['a', 1, 11, 'lost'],
    ['b', 3, 10, 'past'],
    ['b', 3, 11, 'lost'],
    ['c', 4, 20, 'past'],
    ['c', 4, 21, 'lost'],
    ['d', 7, 30, 'past'],
    ['d', 7, 31, 'ahead'],
    ['d', 8, 5, 'ahead'],
    ['x', 7, 1, 'lost'],
    ['x', 1, 1, 'lost'],
    ['x', 8, 1, 'ahead'],
  ];
  for (const [historyId, epoch, seq, expected] of cases) {
    assert.is(placeOf({ historyId, epoch, seq }, { epoch: 7, seq: 30 }, LINEAGE), expected, `${historyId} ${epoch} ${seq}`);
  }
});

/** A node at seq 30 of history d, and how it moves. */
function node(role: Role, voters = 1) {
  let state = { epoch: 7, seq: 30 };
  let lineage = LINEAGE;
  const durable = new Tail(30);
  const source: PositionSource = { role, state: () => state, lineage: () => lineage, voters: () => Array(voters) };
  return {
    wait: (historyId: string, epoch: number, seq: number, maxWaitMs: number) =>
      reachPosition({ historyId, epoch, seq }, source, durable, systemClock, maxWaitMs),
    move(seq: number, history?: { historyId: string; epoch: number }): void {
      if (history !== undefined) lineage = [...lineage, { ...history, startSeq: state.seq, startHash }];
      state = { epoch: history?.epoch ?? state.epoch, seq };
      durable.advance(seq);
    },
  };
}

test('a replica waits for what is ahead, and says how far it is when time is up', async () => {
  const replica = node('replica');
  await replica.wait('a', 1, 10, 0);
  const waiting = replica.wait('d', 7, 32, 10_000);
  replica.move(31);
  replica.move(32);
  await waiting;
  const late = await rejectionOf(replica.wait('d', 7, 33, 5));
  assert.equal([late.type, late.details], ['ReplicaBehind', { requested: 33, applied: 32, lag_ms: null }]);
  assert.is((await rejectionOf(replica.wait('x', 7, 1, 10_000))).type, 'PositionLost');
  assert.is((await rejectionOf(replica.wait('c', 4, 21, 10_000))).type, 'PositionLost');
});

test('a replica waits for an epoch to arrive, and then judges anew', async () => {
  const replica = node('replica');
  const reached = replica.wait('e', 9, 32, 10_000);
  const lost = rejectionOf(replica.wait('f', 8, 32, 10_000));
  replica.move(31, { historyId: 'e', epoch: 9 });
  assert.is((await lost).type, 'PositionLost');
  replica.move(32);
  await reached;
  assert.is((await rejectionOf(replica.wait('g', 10, 1, 5))).type, 'ReplicaBehind');
});

test('a master waits for no more than the message of a commit, and for no epoch at all', async () => {
  const master = node('master');
  const coming = master.wait('d', 7, 31, 0);
  master.move(31);
  await coming;
  assert.is((await rejectionOf(master.wait('d', 7, 99, 60_000))).type, 'PositionLost');
  assert.is((await rejectionOf(master.wait('x', 8, 1, 60_000))).type, 'PositionLost');
  const ofOthers = node('master', 2);
  const stale = await rejectionOf(ofOthers.wait('x', 8, 1, 60_000));
  assert.is(stale.type, 'ReplicaBehind', 'another voter may be master of that epoch');
});

test.run();
