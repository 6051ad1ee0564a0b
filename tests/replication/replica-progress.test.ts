/** The following side of a link: what it takes and refuses, how it waits, how a snapshot comes in. */

import * as assert from 'uvu/assert';
import {
  newReplica,
  type ReplicaEffect,
  type ReplicaEvent,
  type ReplicaFault,
  type ReplicaState,
  replicaStep,
} from '../../src/replication/replica-progress.js';
import { entries, kinds, RULES } from '../support/replica-events.js';
import { suite } from '../support/suite.js';

const test = suite('replication/replica-progress');

function play(
  events: readonly ReplicaEvent[],
  from: ReplicaState = newReplica(0, 1, null),
): { state: ReplicaState; effects: ReplicaEffect[] } {
  const effects: ReplicaEffect[] = [];
  let state = from;
  for (const event of events) {
    const step = replicaStep(state, event, RULES);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

const faultOf = (effects: readonly ReplicaEffect[]): ReplicaFault | null => {
  const found = effects.find(({ kind }) => kind === 'disconnect');
  return found?.kind === 'disconnect' ? found.fault : null;
};
const tick = (nowMs: number, random = 1): ReplicaEvent => ({ kind: 'ticked', nowMs, random });
const beat = (nowMs: number, more: Partial<ReplicaEvent & { kind: 'heartbeat_came' }> = {}): ReplicaEvent => ({
  kind: 'heartbeat_came',
  epoch: 2,
  number: 1,
  lastSeq: 10,
  nowMs,
  ...more,
});
const greeting = (): ReplicaState => play([tick(0), { kind: 'connected', nowMs: 0 }]).state;
const following = (): ReplicaState =>
  play([{ kind: 'continued', epoch: 2, seq: 10, hash: 'after 10', nowMs: 0 }], greeting()).state;
const taking = (chunks = 4, nextChunk = 0): ReplicaState =>
  play(
    [
      { kind: 'snapshot_promised', epoch: 2, nowMs: 0 },
      { kind: 'head_came', epoch: 2, chunks, nextChunk, nowMs: 0 },
    ],
    greeting(),
  ).state;
const chunk = (number: number, epoch = 2): ReplicaEvent => ({ kind: 'chunk_came', epoch, number, nowMs: 1 });

test('entries that follow are handed on and counted; the acknowledgement of their durability is never ahead of them', () => {
  const { state, effects } = play([entries(11, 5), entries(16, 1), { kind: 'committed', seq: 15 }], following());
  assert.equal(kinds(effects), ['apply', 'apply']);
  assert.is(state.receivedSeq, 16);
  assert.is(state.receivedHash, 'after 16');
  assert.is(state.receivedBytes, 20);
  assert.is(state.durableSeq, 15);
});

test('what was received before is passed over, uncounted', () => {
  const once = play([entries(11, 5)], following()).state;
  for (const again of [entries(11, 5), entries(12, 2), entries(15, 1), entries(1, 3)]) {
    const { state, effects } = play([again], once);
    assert.equal(effects, []);
    assert.equal(state, once);
  }
});

test('a gap, an overlap and another chain end the link, and nothing of them is handed on', () => {
  const cases: [ReplicaEvent, ReplicaFault][] = [
    [entries(12, 1), 'gap'],
    [entries(10, 2), 'gap'],
    [entries(11, 1, { hashBefore: 'another past' }), 'chain'],
  ];
  for (const [event, fault] of cases) {
    const { state, effects } = play([event], following());
    assert.equal(kinds(effects), ['disconnect']);
    assert.is(faultOf(effects), fault);
    assert.is(state.phase, 'waiting');
    assert.is(state.receivedSeq, 10);
  }
});

test('of an older epoch nothing is taken, and a newer one is greeted anew', () => {
  const events: ((epoch: number) => ReplicaEvent)[] = [(epoch) => entries(11, 1, { epoch }), (epoch) => beat(1, { epoch })];
  for (const event of events) {
    assert.is(faultOf(play([event(1)], following()).effects), 'old_epoch');
    assert.is(faultOf(play([event(3)], following()).effects), 'new_epoch');
  }
  assert.is(faultOf(play([chunk(0, 1)], taking()).effects), 'old_epoch');
  assert.is(faultOf(play([chunk(0, 3)], taking()).effects), 'new_epoch');
});

test('a welcome of an older epoch than was ever seen is refused; a newer one is remembered', () => {
  const old = play([{ kind: 'continued', epoch: 0, seq: 10, hash: '', nowMs: 0 }], greeting());
  assert.is(faultOf(old.effects), 'old_epoch');
  assert.is(following().epoch, 2);
  const lost = play(
    [{ kind: 'failed', fault: 'closed', nowMs: 1, random: 0 }, tick(1), { kind: 'connected', nowMs: 1 }],
    following(),
  ).state;
  assert.is(faultOf(play([{ kind: 'continued', epoch: 1, seq: 10, hash: '', nowMs: 1 }], lost).effects), 'old_epoch');
  assert.is(faultOf(play([{ kind: 'snapshot_promised', epoch: 1, nowMs: 1 }], lost).effects), 'old_epoch');
});

test('data that differs is not added to until it is repaired', () => {
  const differing = play([{ kind: 'differs' }], following()).state;
  assert.equal(play([entries(11, 1)], differing).effects, []);
  assert.is(play([entries(11, 1)], differing).state.receivedSeq, 10);
  assert.equal(kinds(play([{ kind: 'repaired' }, entries(11, 1)], differing).effects), ['apply']);
});

test('a silent master is given up after the timeout, an unanswered greeting after its own, and each message begins the time anew', () => {
  assert.is(faultOf(play([tick(1_000)], following()).effects), null);
  assert.is(faultOf(play([tick(1_001)], following()).effects), 'silent');
  assert.is(faultOf(play([beat(900), tick(1_900)], following()).effects), null);
  assert.is(faultOf(play([tick(500)], greeting()).effects), null);
  assert.is(faultOf(play([tick(501)], greeting()).effects), 'greeting_timeout');
  assert.is(faultOf(play([tick(1_001)], taking()).effects), 'silent');
});

test('entries that the master has and that do not come are a stall, whatever else comes', () => {
  const lost = [beat(500, { lastSeq: 12 }), beat(1_000, { lastSeq: 12 })];
  assert.is(faultOf(play(lost, following()).effects), null);
  assert.is(faultOf(play([...lost, beat(1_001, { lastSeq: 12 })], following()).effects), 'stalled');
  const coming = [...lost, entries(11, 1, { nowMs: 1_000 }), beat(2_000, { lastSeq: 12 })];
  assert.is(faultOf(play(coming, following()).effects), null, 'what comes begins the time anew');
  assert.is(faultOf(play([...coming, beat(2_001, { lastSeq: 12 })], following()).effects), 'stalled');
  const quiet = [beat(900), beat(1_800), beat(2_000, { lastSeq: 11 })];
  assert.is(faultOf(play(quiet, following()).effects), null, 'nothing was missing until now');
  const differing = { ...following(), diverged: true };
  assert.is(faultOf(play([...lost, beat(1_001, { lastSeq: 12 })], differing).effects), null, 'nothing is sent to it');
});

test('bytes that are no frame yet are a word of the master; a network that is not read stalls nobody', () => {
  const alive = (nowMs: number, waiting: boolean): ReplicaEvent => ({ kind: 'alive', nowMs, waiting });
  for (const phase of [following(), taking()]) {
    assert.is(faultOf(play([alive(900, false), tick(1_900)], phase).effects), null);
    assert.is(faultOf(play([alive(900, false), tick(1_901)], phase).effects), 'silent');
  }
  const missing = [beat(500, { lastSeq: 12 }), alive(900, false), beat(1_001, { lastSeq: 12 })];
  assert.is(faultOf(play(missing, following()).effects), 'stalled', 'bytes alone are no progress');
  const full = [beat(500, { lastSeq: 12 }), alive(900, true), beat(1_900, { lastSeq: 12 })];
  assert.is(faultOf(play(full, following()).effects), null);
  const waiting = newReplica(0, 1, null);
  assert.is(play([alive(5, true)], waiting).state.phase, 'waiting');
});

test('tries are spread over a time that doubles up to its bound', () => {
  let { state } = play([tick(0)]);
  const waits: number[] = [];
  for (let round = 0; round < 9; round++) {
    const failed = play([{ kind: 'failed', fault: 'cannot_connect', nowMs: 0, random: 1 }], state).state;
    waits.push(failed.retryAtMs);
    assert.is(play([{ kind: 'failed', fault: 'cannot_connect', nowMs: 0, random: 0 }], state).state.retryAtMs, 0, 'full jitter');
    state = play([tick(failed.retryAtMs)], failed).state;
    assert.is(state.phase, 'connecting');
  }
  assert.equal(waits, [200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000]);
});

test('a link that lasted counts its tries anew; one that did not goes on counting', () => {
  const failed = (nowMs: number): ReplicaEvent => ({ kind: 'failed', fault: 'closed', nowMs, random: 1 });
  const tried = { ...following(), attempt: 6 };
  assert.is(play([failed(9_999)], tried).state.attempt, 7);
  assert.is(play([failed(10_000)], tried).state.attempt, 0);
  assert.is(play([failed(10_000)], tried).state.retryAtMs, 10_100);
});

test('a refusal that names a time is not asked again before it', () => {
  const rejected: ReplicaEvent = { kind: 'failed', fault: 'rejected', nowMs: 0, random: 0, retryAfterMs: 700 };
  const { state } = play([rejected], greeting());
  assert.equal(play([tick(699)], state).effects, []);
  assert.equal(kinds(play([tick(700)], state).effects), ['connect']);
});

test('being asked to link again happens at once', () => {
  const { state } = play([{ kind: 'failed', fault: 'resync', nowMs: 5, random: 1 }], following());
  assert.equal(kinds(play([tick(5)], state).effects), ['connect']);
});

test('what cannot be applied makes the next hello ask for a snapshot; another reason that was there stays', () => {
  const failed: ReplicaEvent = { kind: 'failed', fault: 'apply_failed', nowMs: 1, random: 0 };
  assert.is(play([failed], following()).state.wants, 'apply_failed');
  assert.is(play([{ kind: 'snapshot_wanted', reason: 'asked' }, failed], following()).state.wants, 'asked');
});

test('chunks are written in order, once each, and the last one is followed by the installation', () => {
  const { state, effects } = play([chunk(0), chunk(0), chunk(1), chunk(2), chunk(1), chunk(3)], taking());
  assert.equal(kinds(effects), ['write_chunk', 'write_chunk', 'write_chunk', 'write_chunk', 'install']);
  assert.is(state.phase, 'installing');
});

test('a snapshot goes on behind the chunks that are there; complete ones are installed at once', () => {
  assert.equal(kinds(play([chunk(2), chunk(3)], taking(4, 2)).effects), ['write_chunk', 'write_chunk', 'install']);
  const { state, effects } = play([{ kind: 'head_came', epoch: 2, chunks: 4, nextChunk: 4, nowMs: 0 }], {
    ...greeting(),
    phase: 'snapshot',
    epoch: 2,
  });
  assert.equal(kinds(effects), ['install']);
  assert.is(state.phase, 'installing');
});

test('a chunk too early, beyond the last, or before the head ends the link', () => {
  assert.is(faultOf(play([chunk(1)], taking()).effects), 'gap');
  const promised = play([{ kind: 'snapshot_promised', epoch: 2, nowMs: 0 }], greeting()).state;
  assert.is(faultOf(play([chunk(0)], promised).effects), 'gap');
});

test('a snapshot that fails leaves the replica waiting for the next try', () => {
  const { state, effects } = play([chunk(0), chunk(1), chunk(2), chunk(3)], taking());
  assert.is(effects.length, 5);
  const failed = play([{ kind: 'failed', fault: 'snapshot_failed', nowMs: 5, random: 1 }], state);
  assert.is(failed.state.phase, 'waiting');
  assert.ok(failed.state.retryAtMs > 5);
});

test('messages out of their phase end the link', () => {
  const welcome: ReplicaEvent = { kind: 'continued', epoch: 2, seq: 10, hash: '', nowMs: 0 };
  const head: ReplicaEvent = { kind: 'head_came', epoch: 2, chunks: 1, nextChunk: 0, nowMs: 0 };
  const cases: [ReplicaState, ReplicaEvent][] = [
    [greeting(), entries(11, 1)],
    [greeting(), beat(0)],
    [following(), welcome],
    [following(), head],
    [following(), chunk(0)],
    [taking(), entries(11, 1)],
    [taking(), welcome],
  ];
  for (const [state, event] of cases) {
    assert.is(faultOf(play([event], state).effects), 'unexpected_message', `${state.phase}: ${event.kind}`);
  }
});

test.run();
