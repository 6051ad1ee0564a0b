/** What a node knows of one replica: lag that is unknown, zero or growing as the truth is, and a status that does not flap. */

import * as assert from 'uvu/assert';
import { CommitTimes } from '../../src/replication/commit-times.js';
import { type Moment, type RecordRules, ReplicaRecord } from '../../src/replication/replica-record.js';
import { suite } from '../support/suite.js';

const test = suite('replication/replica-record');

const RULES: RecordRules = { heartbeatMs: 1_000, timeoutMs: 10_000, lagMs: 1_000 };
const START_SEQ = 100;

/** Seq 101 … 110 became durable at 1,000 ms, 2,000 ms … */
function moment(nowMs: number, more: Partial<Moment> = {}): Moment {
  const times = new CommitTimes(START_SEQ);
  let tailSeq = START_SEQ;
  for (let seq = 101; seq <= 110 && (seq - START_SEQ) * 1_000 <= nowMs; seq++) {
    times.note(seq, 50, (seq - START_SEQ) * 1_000);
    tailSeq = seq;
  }
  const position = (seq: number) => ({ historyId: 'h', epoch: 1, seq });
  return { nowMs, wallMs: 0, tailSeq, times, ageOfFirstAfter: () => null, position, ...more };
}

function linked(appliedSeq: number | null, heardMs: number): ReplicaRecord {
  const record = new ReplicaRecord('r', 'host', 7700, true);
  Object.assign(record, { linked: true, phase: 'streaming', appliedSeq });
  record.heard(heardMs, 0);
  return record;
}

test('what was never heard of has no lag, in no unit', () => {
  const record = new ReplicaRecord('r', 'host', 7700, true);
  const { lagMs, lagOperations, lagBytes, status, position, operationsSynced } = record.info(moment(5_000), RULES);
  assert.equal([lagMs, lagOperations, lagBytes, position, operationsSynced], [null, null, null, null, null]);
  assert.is(status, 'Disconnected');
  record.appliedSeq = 105;
  assert.is(record.lagMs(moment(5_000), RULES), null, 'a seq without a word of when');
});

test('a replica that has everything and was just heard lags by nothing', () => {
  const { lagMs, lagOperations, lagBytes, status } = linked(105, 5_000).info(moment(5_000), RULES);
  assert.equal([lagMs, lagOperations, lagBytes, status], [0, 0, 0, 'Connected']);
});

test('lag is the age of the first entry that it has not applied', () => {
  const { lagMs, lagOperations, lagBytes } = linked(102, 5_500).info(moment(5_500), RULES);
  assert.equal([lagMs, lagOperations, lagBytes], [2_500, 3, 150]);
});

test('while it is silent its lag grows, even when it had everything', () => {
  const record = linked(105, 5_000);
  const at = (nowMs: number): number | null => record.lagMs({ ...moment(5_000), nowMs }, RULES);
  assert.is(at(7_000), 0, 'two heartbeats are no silence');
  assert.is(at(7_001), 2_001);
  assert.is(at(9_000), 4_000);
  record.heard(9_000, 0);
  assert.is(at(9_000), 0);
});

test('without a link its lag is at least the time since its last word', () => {
  const record = linked(105, 5_000);
  record.linked = false;
  assert.is(record.lagMs({ ...moment(5_000), nowMs: 5_400 }, RULES), 400);
  assert.is(record.lagMs(moment(10_000), RULES), 5_000);
  const behind = linked(102, 5_400);
  behind.linked = false;
  assert.is(behind.lagMs(moment(5_500), RULES), 2_500);
});

test('what is older than this process is asked of the log; when it does not know either, the lag is unknown', () => {
  const record = linked(50, 5_000);
  assert.is(record.lagMs(moment(5_000), RULES), null);
  assert.is(record.lagMs(moment(5_000, { ageOfFirstAfter: (seq) => (seq === 50 ? 77_000 : 0) }), RULES), 77_000);
  assert.is(record.info(moment(5_000), RULES).lagBytes, null);
});

test('it lags after three heartbeats above the limit, and no more once below half of it', () => {
  const record = linked(100, 0);
  const judge = (lagMs: number): string => {
    // Seq 101 became durable at 1,000 ms.
    const nowMs = 1_000 + lagMs;
    record.heard(nowMs, 0);
    record.judge(moment(nowMs), RULES);
    return record.status(nowMs, RULES);
  };
  assert.equal([1_001, 1_001].map(judge), ['Connected', 'Connected']);
  assert.is(judge(1_001), 'Lagging');
  assert.is(judge(900), 'Lagging');
  assert.is(judge(500), 'Lagging');
  assert.is(judge(499), 'Connected');
  assert.equal([1_001, 1_001, 400, 1_001, 1_001].map(judge), Array(5).fill('Connected'));
  assert.is(judge(1_001), 'Lagging');
});

test('a lag that is not known changes nothing in what was judged', () => {
  const record = linked(100, 0);
  for (let beat = 0; beat < 3; beat++) {
    record.heard(3_000, 0);
    record.judge(moment(3_000), RULES);
  }
  assert.is(record.status(3_000, RULES), 'Lagging');
  record.appliedSeq = null;
  record.judge(moment(3_000), RULES);
  assert.is(record.status(3_000, RULES), 'Lagging');
});

test('it syncs until it has reached the tail once, and is disconnected without a link or after the timeout', () => {
  const record = linked(105, 0);
  for (const phase of ['opening', 'snapshot', 'catchup'] as const) {
    record.phase = phase;
    assert.is(record.status(0, RULES), 'Syncing');
  }
  record.phase = 'streaming';
  assert.is(record.status(10_000, RULES), 'Connected');
  assert.is(record.status(10_001, RULES), 'Disconnected');
  record.linked = false;
  assert.is(record.status(0, RULES), 'Disconnected');
});

test.run();
