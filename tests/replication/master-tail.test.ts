/** How far behind a replica's own answers may be: unknown is null, silence makes it grow, a new link never makes it young. */

import * as assert from 'uvu/assert';
import { type LinkBeginning, MasterTail } from '../../src/replication/master-tail.js';
import { suite } from '../support/suite.js';

const test = suite('replication/master-tail');

const EPOCH = 1;

interface Asked {
  readonly appliedSeq: number;
  readonly nowMs: number;
  readonly linked?: boolean;
  readonly heardMs?: number;
}

function lag(tail: MasterTail, { appliedSeq, nowMs, linked = true, heardMs = nowMs }: Asked): number | null {
  return tail.lagMs({ nowMs, appliedSeq, linked, heardMs, heartbeatMs: 1_000 });
}

function beginning(lastSeq: number, nowMs: number, more: Partial<LinkBeginning> = {}): LinkBeginning {
  return { lastSeq, nowMs, epoch: EPOCH, parted: false, ...more };
}

/** With the heartbeat that comes right behind a welcome: the sender's data is of now. */
function begin(tail: MasterTail, link: LinkBeginning): void {
  tail.linked(link);
  tail.heartbeat(link.lastSeq, 0, link.nowMs);
}

function linkedAt(lastSeq: number, nowMs: number): MasterTail {
  const tail = new MasterTail();
  begin(tail, beginning(lastSeq, nowMs));
  return tail;
}

test('before the first word, and until what it named is applied, the lag is not known', () => {
  assert.is(lag(new MasterTail(), { appliedSeq: 5, nowMs: 100 }), null);
  assert.is(new MasterTail().lagOperations(5), null);
  const tail = linkedAt(10, 0);
  assert.is(lag(tail, { appliedSeq: 9, nowMs: 100 }), null);
  assert.is(tail.lagOperations(9), 1);
  assert.is(lag(tail, { appliedSeq: 10, nowMs: 100 }), 0);
});

test('lag is the time since the first word of what is not applied', () => {
  const tail = linkedAt(10, 0);
  tail.entries(12, 40, 1_000);
  tail.heartbeat(15, 0, 2_000);
  assert.equal(
    [10, 11, 12, 14, 15].map((appliedSeq) => lag(tail, { appliedSeq, nowMs: 3_000 })),
    [2_000, 2_000, 1_000, 1_000, 0],
  );
  assert.is(tail.lagBytes(10, 12), null, 'more is known of than has come');
  tail.entries(15, 60, 2_100);
  assert.is(tail.lagBytes(10, 15), 100);
});

test('the age of the sender’s own data is added; a sender that does not know makes it unknown', () => {
  const tail = linkedAt(10, 0);
  tail.heartbeat(10, 700, 100);
  assert.is(lag(tail, { appliedSeq: 10, nowMs: 200 }), 700);
  tail.heartbeat(12, 700, 300);
  assert.is(lag(tail, { appliedSeq: 10, nowMs: 400 }), 800);
  tail.heartbeat(12, null, 500);
  assert.is(lag(tail, { appliedSeq: 12, nowMs: 600 }), null);
});

test('silence makes the lag grow: on a link after two heartbeats, without one at once', () => {
  const tail = linkedAt(10, 1_000);
  assert.is(lag(tail, { appliedSeq: 10, nowMs: 3_000, heardMs: 1_000 }), 0);
  assert.is(lag(tail, { appliedSeq: 10, nowMs: 3_001, heardMs: 1_000 }), 2_001);
  assert.is(lag(tail, { appliedSeq: 10, nowMs: 3_001, heardMs: 3_000 }), 0, 'something was heard');
  assert.is(lag(tail, { appliedSeq: 10, nowMs: 1_300, linked: false, heardMs: 1_300 }), 300);
});

test('a new link never makes what is missing younger than the last contact', () => {
  const tail = linkedAt(10, 0);
  tail.heartbeat(10, 0, 1_000);
  const before = lag(tail, { appliedSeq: 10, nowMs: 9_000, linked: false }) ?? Number.NaN;
  begin(tail, beginning(20, 9_000));
  assert.is(before, 8_000);
  assert.is(lag(tail, { appliedSeq: 10, nowMs: 9_000 }), before);
  tail.entries(15, 10, 9_500);
  assert.is(lag(tail, { appliedSeq: 15, nowMs: 9_500 }), 8_500);
  assert.is(lag(tail, { appliedSeq: 20, nowMs: 9_500 }), 0);
});

test('a node that is itself behind does not take back what is known of the tail, a new mastership does', () => {
  const tail = linkedAt(10, 0);
  tail.heartbeat(30, 0, 1_000);
  begin(tail, beginning(20, 2_000));
  assert.is(tail.knownSeq, 30);
  assert.is(lag(tail, { appliedSeq: 20, nowMs: 3_000 }), 2_000);
  begin(tail, beginning(21, 4_000, { epoch: EPOCH + 1 }));
  assert.is(tail.knownSeq, 21);
  assert.is(tail.lagOperations(21), 0);
  assert.is(lag(tail, { appliedSeq: 21, nowMs: 9_000 }), 0, 'what was given up is not waited for');
  assert.is(lag(tail, { appliedSeq: 20, nowMs: 4_000 }), 3_000, 'and what is missing is as old as it was');
});

test('the sender’s age is not known before it says it, on every link anew', () => {
  const tail = new MasterTail();
  for (const nowMs of [0, 5_000]) {
    tail.linked(beginning(10, nowMs));
    assert.is(lag(tail, { appliedSeq: 10, nowMs: nowMs + 10 }), null);
    tail.heartbeat(10, 3_000, nowMs + 20);
    assert.is(lag(tail, { appliedSeq: 10, nowMs: nowMs + 20 }), 3_000);
  }
});

test('a node that has what its master has not knows nothing of its age until it follows again', () => {
  const tail = linkedAt(100, 0);
  tail.heartbeat(120, 0, 100);
  tail.linked(beginning(110, 1_000, { epoch: EPOCH + 1, parted: true }));
  tail.heartbeat(115, 0, 1_100);
  const asked = { appliedSeq: 120, nowMs: 1_200 };
  assert.equal([lag(tail, asked), tail.lagOperations(120), tail.lagBytes(120, 120), tail.knownSeq], [null, null, null, null]);
  begin(tail, beginning(116, 2_000, { epoch: EPOCH + 1 }));
  assert.equal([lag(tail, { appliedSeq: 116, nowMs: 2_000 }), tail.knownSeq], [0, 116]);
});

test.run();
