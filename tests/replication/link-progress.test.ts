/** The serving side of a link: its invariants for any order of events, the window, the chunks in flight, and the timers. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  type Acked,
  type LinkEffect,
  type LinkEvent,
  type LinkRules,
  type LinkState,
  linkStep,
  maySendChunk,
  maySendEntries,
  openLink,
} from '../../src/replication/link-progress.js';
import { suite } from '../support/suite.js';

const test = suite('replication/link-progress');

const RULES: LinkRules = { windowBytes: 1_000, heartbeatMs: 100, timeoutMs: 1_000, openingMs: 500 };
const LARGEST_FRAME = 700;
const ACK: Acked = { receivedBytes: 0, receivedSeq: 10, durableSeq: 10, appliedSeq: 10, diverged: false };

/** Steps one after the other; the effects of all of them. */
function play(events: readonly LinkEvent[], from: LinkState = openLink(0, 20)): { state: LinkState; effects: LinkEffect[] } {
  const effects: LinkEffect[] = [];
  let state = from;
  for (const event of events) {
    const step = linkStep(state, event, RULES);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

const catchup = (): LinkState => play([{ kind: 'continued', seq: 10, nowMs: 0 }]).state;
const acked = (ack: Partial<Acked>, nowMs = 1): LinkEvent => ({ kind: 'acked', ack: { ...ACK, ...ack }, nowMs });
const closes = (effects: readonly LinkEffect[]): string | null => {
  const found = effects.find(({ kind }) => kind === 'close');
  return found?.kind === 'close' ? found.reason : null;
};

test('a replica at the tail is live with its first acknowledgement, and once only', () => {
  const { state, effects } = play([{ kind: 'continued', seq: 20, nowMs: 0 }, acked({ receivedSeq: 20, durableSeq: 20 })]);
  assert.is(state.phase, 'streaming');
  assert.equal(effects, [{ kind: 'heartbeat' }, { kind: 'live' }], 'the first heartbeat follows the welcome at once');
  assert.equal(play([acked({ receivedSeq: 20, durableSeq: 20 })], state).effects, []);
});

test('a replica behind the tail is not live before it holds the tail durably', () => {
  const events: LinkEvent[] = [{ kind: 'entries_sent', throughSeq: 20, bytes: 10 }, acked({ receivedSeq: 20, durableSeq: 19 })];
  const { state, effects } = play(events, catchup());
  assert.is(state.phase, 'catchup');
  assert.equal(effects, []);
});

test('under steady writes a replica is live once it holds the tail of one heartbeat ago, however fast the tail moves on', () => {
  const behind = play(
    [
      { kind: 'tail_moved', seq: 100 },
      { kind: 'entries_sent', throughSeq: 60, bytes: 10 },
      { kind: 'ticked', nowMs: 100 },
      { kind: 'tail_moved', seq: 200 },
      { kind: 'entries_sent', throughSeq: 150, bytes: 10 },
    ],
    catchup(),
  ).state;
  assert.is(play([acked({ receivedSeq: 99, durableSeq: 99 })], behind).state.phase, 'catchup');
  const { state, effects } = play([acked({ receivedSeq: 150, durableSeq: 100 })], behind);
  assert.is(state.phase, 'streaming');
  assert.equal(effects, [{ kind: 'live' }]);
});

test('what falls behind again stays live', () => {
  const live = play([{ kind: 'continued', seq: 20, nowMs: 0 }, acked({ receivedSeq: 20, durableSeq: 20 })]).state;
  assert.is(play([{ kind: 'tail_moved', seq: 500 }], live).state.phase, 'streaming');
});

test('the window counts bytes that the replica has not said to have received', () => {
  const sent = play([{ kind: 'entries_sent', throughSeq: 12, bytes: 999 }], catchup()).state;
  assert.ok(maySendEntries(sent, RULES), 'one byte of room is room for a frame');
  const full = play([{ kind: 'entries_sent', throughSeq: 13, bytes: 1 }], sent).state;
  assert.not(maySendEntries(full, RULES));
  assert.ok(maySendEntries(play([acked({ receivedBytes: 1, receivedSeq: 11 })], full).state, RULES));
});

test('nothing is sent beyond the tail, and nothing to a replica whose data differs', () => {
  assert.not(maySendEntries(play([{ kind: 'entries_sent', throughSeq: 20, bytes: 1 }], catchup()).state, RULES));
  assert.not(maySendEntries(play([acked({ diverged: true })], catchup()).state, RULES));
  assert.ok(maySendEntries(play([acked({ diverged: true }), acked({ diverged: false })], catchup()).state, RULES));
});

test('an acknowledgement that cannot be true ends the link', () => {
  const sent = play(
    [{ kind: 'entries_sent', throughSeq: 15, bytes: 100 }, acked({ receivedBytes: 50, receivedSeq: 12, durableSeq: 12 })],
    catchup(),
  );
  const impossible: Partial<Acked>[] = [
    { receivedBytes: 50, receivedSeq: 16, durableSeq: 12 },
    { receivedBytes: 50, receivedSeq: 12, durableSeq: 13 },
    { receivedBytes: 50, receivedSeq: 12, durableSeq: 12, appliedSeq: 13 },
    { receivedBytes: 50, receivedSeq: 12, durableSeq: 11 },
    { receivedBytes: 49, receivedSeq: 12, durableSeq: 12 },
    { receivedBytes: 101, receivedSeq: 12, durableSeq: 12 },
  ];
  for (const ack of impossible) {
    const { state, effects } = play([acked(ack)], sent.state);
    assert.is(state.phase, 'closed', JSON.stringify(ack));
    assert.is(closes(effects), 'impossible_ack', JSON.stringify(ack));
  }
});

test('a replica that says nothing is given up after the timeout, not before', () => {
  assert.is(play([{ kind: 'ticked', nowMs: 1_000 }], catchup()).state.phase, 'catchup');
  assert.is(closes(play([{ kind: 'ticked', nowMs: 1_001 }], catchup()).effects), 'silent');
  assert.is(closes(play([acked({}, 900), { kind: 'ticked', nowMs: 1_001 }], catchup()).effects), null);
});

test('a connection that never comes to a hello is ended', () => {
  assert.is(closes(play([{ kind: 'ticked', nowMs: 500 }]).effects), null);
  assert.is(closes(play([{ kind: 'ticked', nowMs: 501 }]).effects), 'opening_timeout');
});

test('heartbeats go out at their interval while a replica follows or takes a snapshot, and never before the welcome', () => {
  const beats = (from: LinkState): number =>
    play(
      Array.from({ length: 50 }, (_, at): LinkEvent => ({ kind: 'ticked', nowMs: at * 10 })),
      from,
    ).effects.filter(({ kind }) => kind === 'heartbeat').length;
  assert.is(beats(catchup()), 4);
  assert.is(beats(play([{ kind: 'snapshot_begun', nowMs: 0 }]).state), 4);
  assert.is(beats(openLink(0, 20)), 0);
});

test('chunks begin where the replica wants them and stay at most eight ahead of what it has', () => {
  let { state } = play([
    { kind: 'snapshot_begun', nowMs: 0 },
    { kind: 'head_sent', chunks: 100 },
  ]);
  assert.not(maySendChunk(state), 'before the first wish');
  state = play([{ kind: 'chunks_wanted', nextChunk: 40, nowMs: 0 }], state).state;
  assert.is(state.nextChunk, 40);
  let inFlight = 0;
  for (; maySendChunk(state); inFlight += 1) state = play([{ kind: 'chunk_sent', number: state.nextChunk }], state).state;
  assert.is(inFlight, 8);
  state = play([{ kind: 'chunks_wanted', nextChunk: 43, nowMs: 0 }], state).state;
  assert.is(state.nextChunk, 48, 'what was sent is not sent again');
  for (inFlight = 0; maySendChunk(state); inFlight += 1)
    state = play([{ kind: 'chunk_sent', number: state.nextChunk }], state).state;
  assert.is(inFlight, 3);
});

test('a wish beyond the last chunk, or backwards, ends the link', () => {
  const { state } = play([
    { kind: 'snapshot_begun', nowMs: 0 },
    { kind: 'head_sent', chunks: 5 },
    { kind: 'chunks_wanted', nextChunk: 3, nowMs: 0 },
  ]);
  assert.is(closes(play([{ kind: 'chunks_wanted', nextChunk: 6, nowMs: 0 }], state).effects), 'unexpected_message');
  assert.is(closes(play([{ kind: 'chunks_wanted', nextChunk: 2, nowMs: 0 }], state).effects), 'unexpected_message');
  assert.is(play([{ kind: 'chunks_wanted', nextChunk: 5, nowMs: 0 }], state).state.phase, 'snapshot');
});

// Any order of events. What the replica sends is free; what this side does itself keeps to what it may.

const small = fc.integer({ min: 0, max: 40 });
const time = fc.integer({ min: 0, max: 2_500 });
const anyAck = fc.record({
  receivedBytes: fc.integer({ min: 0, max: 3_000 }),
  receivedSeq: small,
  durableSeq: small,
  appliedSeq: small,
  diverged: fc.boolean(),
});
const command = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('continued' as const), seq: fc.integer({ min: 0, max: 20 }), nowMs: time }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot_begun' as const), nowMs: time }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('head_sent' as const), chunks: fc.integer({ min: 1, max: 30 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('chunks_wanted' as const),
      nextChunk: fc.integer({ min: 0, max: 31 }),
      nowMs: time,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('acked' as const), ack: anyAck, nowMs: time }) },
  // An acknowledgement of what was really sent.
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('true_ack' as const),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      nowMs: time,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      entries: fc.integer({ min: 1, max: 5 }),
      bytes: fc.integer({ min: 1, max: LARGEST_FRAME }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('tail_moved' as const), seq: small }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('ticked' as const), nowMs: time }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'ended' as const }) },
);

type Command = typeof command extends fc.Arbitrary<infer Drawn> ? Drawn : never;

function eventOf(state: LinkState, given: Command): LinkEvent | null {
  if (given.kind === 'true_ack') {
    const receivedSeq = state.receivedSeq + Math.floor((state.sentSeq - state.receivedSeq) * given.share);
    const receivedBytes = state.receivedBytes + Math.floor((state.sentBytes - state.receivedBytes) * given.share);
    const ack = { receivedBytes, receivedSeq, durableSeq: receivedSeq, appliedSeq: state.durableSeq, diverged: false };
    return { kind: 'acked', ack, nowMs: given.nowMs };
  }
  // A head is sent once.
  if (given.kind === 'head_sent' && state.chunks > 0) return null;
  if (given.kind !== 'send') return given;
  if (maySendEntries(state, RULES))
    return { kind: 'entries_sent', throughSeq: Math.min(state.tailSeq, state.sentSeq + given.entries), bytes: given.bytes };
  return maySendChunk(state) ? { kind: 'chunk_sent', number: state.nextChunk } : null;
}

function holds(state: LinkState): void {
  const { phase, appliedSeq, durableSeq, receivedSeq, sentSeq, tailSeq, sentBytes, receivedBytes } = state;
  assert.ok(
    appliedSeq <= durableSeq && durableSeq <= receivedSeq && receivedSeq <= sentSeq && sentSeq <= tailSeq,
    JSON.stringify(state),
  );
  assert.ok(receivedBytes <= sentBytes && sentBytes - receivedBytes < RULES.windowBytes + LARGEST_FRAME, JSON.stringify(state));
  assert.ok(state.nextChunk <= state.chunks || state.wantedChunk < 0, JSON.stringify(state));
  assert.ok(state.nextChunk - Math.max(0, state.wantedChunk) <= 8, JSON.stringify(state));
  if (phase === 'snapshot') assert.is(sentBytes, 0, 'entries went out beside a snapshot');
  if (phase === 'closed') assert.not(maySendEntries(state, RULES) || maySendChunk(state));
}

/** What goes well, so that every phase is met whatever is drawn. */
const LIVE: Command[] = [{ kind: 'continued', seq: 20, nowMs: 0 }, { kind: 'true_ack', share: 1, nowMs: 1 }, { kind: 'ended' }];
const COPYING: Command[] = [
  { kind: 'snapshot_begun', nowMs: 0 },
  { kind: 'head_sent', chunks: 5 },
];

test('for any order of events: applied ≤ durable ≤ received ≤ sent ≤ tail, the window but for one frame, closed stays closed', () => {
  const phases = new Set<string>();
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (script) => {
      let state = openLink(0, 20);
      let live = 0;
      for (const given of script) {
        const event = eventOf(state, given);
        if (event === null) continue;
        const before = state;
        const step = linkStep(before, event, RULES);
        state = step.state;
        holds(state);
        phases.add(state.phase);
        live += step.effects.filter(({ kind }) => kind === 'live').length;
        assert.ok(live <= 1, 'live twice');
        assert.ok(state.tailSeq >= before.tailSeq && state.durableSeq >= before.durableSeq, 'went back');
        if (before.phase === 'closed') {
          assert.equal(state, before);
          assert.equal(step.effects, []);
        }
        assert.is(
          closes(step.effects) !== null,
          state.phase === 'closed' && before.phase !== 'closed' && event.kind !== 'ended',
          'a link closes with a reason, once',
        );
      }
    }),
    { numRuns: 5_000, examples: [[LIVE], [COPYING]] },
  );
  assert.equal([...phases].sort(), ['catchup', 'closed', 'opening', 'snapshot', 'streaming']);
});

test('a step changes nothing of the state it was given', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (script) => {
      let state = Object.freeze(openLink(0, 20));
      for (const given of script) {
        const event = eventOf(state, given);
        if (event !== null) state = Object.freeze(linkStep(state, event, RULES).state);
      }
    }),
    { numRuns: 300 },
  );
});

test.run();
