/** The following side of a link for any order of events: what is handed on is dense and of one chain, chunks come in order, and a replica
 *  that is not stopped tries again. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import {
  newReplica,
  type ReplicaEvent,
  type ReplicaFault,
  type ReplicaState,
  replicaStep,
} from '../../src/replication/replica-progress.js';
import { entries, kinds, RULES } from '../support/replica-events.js';
import { suite } from '../support/suite.js';

const test = suite('replication/replica-orders');

const time = fc.integer({ min: 0, max: 20_000 });
const epoch = fc.constantFrom(2, 2, 2, 2, 1, 3);
const random = fc.double({ min: 0, max: 1, noNaN: true });
const seq = fc.integer({ min: 0, max: 12 });
const fault = fc.constantFrom<ReplicaFault>(
  'closed',
  'cannot_connect',
  'snapshot_failed',
  'resync',
  'apply_failed',
  'rejected',
  'bad_frame',
);
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ticked' as const), nowMs: time, random }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('connected' as const), nowMs: time }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('continued' as const), epoch, seq, hash: fc.constant('?'), nowMs: time }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot_promised' as const), epoch, nowMs: time }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('head_came' as const),
      epoch,
      chunks: fc.integer({ min: 1, max: 4 }),
      nextChunk: fc.nat(4),
      nowMs: time,
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('chunk_came' as const), epoch, number: fc.nat(4), nowMs: time }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('next_entries' as const),
      epoch,
      count: fc.integer({ min: 1, max: 3 }),
      nowMs: time,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('any_entries' as const),
      epoch,
      firstSeq: seq,
      count: fc.integer({ min: 1, max: 3 }),
      line: fc.constantFrom('', '', 'other '),
      nowMs: time,
    }),
  },
  // What goes well in the phase that it meets.
  {
    weight: 25,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      snapshot: fc.boolean(),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('heartbeat_came' as const),
      epoch,
      number: fc.nat(9),
      lastSeq: seq,
      nowMs: time,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('alive' as const), nowMs: time, waiting: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commits' as const), share: random }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'differs' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'repaired' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('failed' as const), fault, nowMs: time, random }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot_wanted' as const), reason: fc.constant('asked') }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'stopped' as const }) },
);
type Command = typeof command extends fc.Arbitrary<infer Value> ? Value : never;

function advance(
  { phase, epoch, retryAtMs: nowMs, receivedSeq, chunks, nextChunk }: ReplicaState,
  snapshot: boolean,
  count: number,
): ReplicaEvent {
  switch (phase) {
    case 'connecting':
      return { kind: 'connected', nowMs };
    case 'greeting':
      return snapshot
        ? { kind: 'snapshot_promised', epoch, nowMs }
        : { kind: 'continued', epoch, seq: 5, hash: 'after 5', nowMs };
    case 'snapshot':
      return chunks === 0
        ? { kind: 'head_came', epoch, chunks: 3, nextChunk: 0, nowMs }
        : { kind: 'chunk_came', epoch, number: nextChunk, nowMs };
    case 'following':
      return entries(receivedSeq + 1, count, { epoch, nowMs });
    default:
      return { kind: 'ticked', nowMs, random: 0.5 };
  }
}

function eventOf(state: ReplicaState, given: Command): ReplicaEvent {
  switch (given.kind) {
    case 'advance':
      return advance(state, given.snapshot, given.count);
    case 'commits':
      return { kind: 'committed', seq: state.durableSeq + Math.floor((state.receivedSeq - state.durableSeq) * given.share) };
    case 'continued':
      return { ...given, hash: `after ${given.seq}` };
    case 'next_entries':
      return entries(state.receivedSeq + 1, given.count, { epoch: given.epoch, nowMs: given.nowMs });
    case 'any_entries': {
      const { firstSeq, line } = given;
      return entries(firstSeq, given.count, {
        epoch: given.epoch,
        nowMs: given.nowMs,
        hashBefore: `${line}after ${firstSeq - 1}`,
      });
    }
    case 'head_came':
      return { ...given, nextChunk: Math.min(given.nextChunk, given.chunks) };
    default:
      return given;
  }
}

/** What goes well from the start, so that every phase is met whatever is drawn. */
function script(snapshot: boolean, length: number): Command[] {
  return Array.from({ length }, () => ({ kind: 'advance', snapshot, count: 1 }));
}

test('for any order of events: what is handed on is dense, of the newest epoch, of one chain; chunks are in order; stopped stays stopped', () => {
  const phases = new Set<string>();
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
      let state = newReplica(0, 1, null);
      let newest = state.epoch;
      let handed: { seq: number; hash: string } | null = null;
      let sockets = 0;
      let nextChunk = 0;
      let installs = 0;
      for (const given of commands) {
        const event = eventOf(state, given);
        const before = state;
        const step = replicaStep(before, event, RULES);
        state = step.state;
        phases.add(state.phase);
        const effects = kinds(step.effects);

        assert.ok(state.epoch >= newest, 'the epoch fell');
        newest = state.epoch;
        assert.ok(state.durableSeq <= state.receivedSeq, JSON.stringify(state));
        if (before.phase === 'stopped') assert.equal([state.phase, effects], ['stopped', []]);

        if (event.kind === 'continued' && state.phase === 'following' && before.phase === 'greeting')
          handed = { seq: event.seq, hash: event.hash };
        if (effects.includes('apply')) {
          if (event.kind !== 'entries_came' || handed === null) throw new Error('entries were handed on from nowhere');
          assert.is(event.epoch, newest, 'entries of another epoch than the newest');
          assert.is(event.firstSeq, handed.seq + 1, 'not dense');
          assert.is(event.hashBefore, handed.hash, 'another chain');
          assert.not(before.diverged, 'added to data that differs');
          handed = { seq: event.firstSeq + event.count - 1, hash: event.hashAfter };
          assert.equal([state.receivedSeq, state.receivedHash], [handed.seq, handed.hash]);
        }

        if (event.kind === 'head_came' && before.phase === 'snapshot' && state.phase !== 'waiting') {
          nextChunk = event.nextChunk;
          installs = 0;
        }
        if (effects.includes('write_chunk')) {
          if (event.kind !== 'chunk_came') throw new Error('a chunk from nowhere');
          assert.is(event.number, nextChunk);
          nextChunk += 1;
        }
        if (effects.includes('install')) {
          assert.is(nextChunk, state.chunks, 'installed before it was whole');
          assert.is(++installs, 1);
        }

        // One socket at a time, none while waiting.
        if (effects.includes('connect')) assert.is(++sockets, 1);
        if (effects.includes('disconnect')) sockets = 0;
        assert.is(
          sockets === 1,
          state.phase !== 'waiting' && state.phase !== 'stopped',
          `${state.phase} with ${sockets} sockets`,
        );
        if (effects.includes('acknowledge')) assert.ok(state.phase === 'following' || state.phase === 'snapshot');
        if (state.phase === 'waiting' && before.phase !== 'waiting' && 'nowMs' in event)
          assert.ok(state.retryAtMs >= event.nowMs && state.retryAtMs <= event.nowMs + RULES.backoffMaxMs);
      }
    }),
    { numRuns: 5_000, examples: [[script(true, 8)], [[...script(false, 4), { kind: 'stopped' }]]] },
  );
  assert.is(phases.size, 7, [...phases].join(', '));
});

test('whatever has happened, a replica that is not stopped tries again within the longest wait', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      let state = newReplica(0, 1, null);
      for (const given of commands) state = replicaStep(state, eventOf(state, given), RULES).state;
      // What is being installed ends by itself: with another follower, or with a failure.
      if (state.phase === 'stopped' || state.phase === 'installing') return;
      const effects: string[] = [];
      for (let nowMs = 20_000; nowMs <= 70_000; nowMs += 500) {
        const step = replicaStep(state, { kind: 'ticked', nowMs, random: 1 }, RULES);
        state = step.state;
        effects.push(...kinds(step.effects));
      }
      assert.ok(effects.includes('connect'), state.phase);
    }),
    { numRuns: 1_000 },
  );
});

test.run();
