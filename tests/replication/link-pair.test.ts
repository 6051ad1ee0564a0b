/** Both sides of a link joined by a network that loses, repeats, reorders and delays, links that end on one side only, and commits that
 *  come late: never a wrong order, and everything in the end once the network heals. Time is simulated; nothing waits. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { type LinkEvent, type LinkState, linkStep, maySendEntries, openLink } from '../../src/replication/link-progress.js';
import { newReplica, type ReplicaEvent, type ReplicaState, replicaStep } from '../../src/replication/replica-progress.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('replication/link-pair');

const RULES = { windowBytes: 400, heartbeatMs: 100, timeoutMs: 1_000, openingMs: 500 };
const REPLICA_RULES = { timeoutMs: 1_000, greetingMs: 500, backoffMinMs: 50, backoffMaxMs: 1_000, steadyMs: 10_000 };
const TICK_MS = 10;
const ENTRY_BYTES = 60;
const hash = (seq: number): string => `hash ${seq}`;

interface Faults {
  /** Shares of messages that are lost, come twice, and come late. On one connection nothing comes behind a lost message, as with TCP,
   *  unless `holes` says otherwise. */
  readonly lost: number;
  readonly holes: boolean;
  readonly twice: number;
  readonly late: number;
  readonly lateMs: number;
  /** How often in a thousand ticks a socket ends, seen by one side or both. */
  readonly cuts: number;
  /** The longest that a batch takes to be durable on the replica. */
  readonly commitMs: number;
}

const HEALED: Faults = { lost: 0, holes: false, twice: 0, late: 0, lateMs: 0, cuts: 0, commitMs: 20 };

type ToMaster =
  | { kind: 'hello'; seq: number }
  | { kind: 'ack'; receivedBytes: number; receivedSeq: number; durableSeq: number }
  | { kind: 'closed' };
type ToReplica =
  | { kind: 'connected' }
  | { kind: 'welcome'; fromSeq: number }
  | { kind: 'entries'; firstSeq: number; count: number; bytes: number }
  | { kind: 'heartbeat'; number: number; lastSeq: number }
  | { kind: 'closed' };

/** One master, one replica, and what is between them. */
class Pair {
  readonly #random: Random;
  #nowMs = 0;
  #inFlight: { atMs: number; order: number; deliver: () => void }[] = [];
  #order = 0;
  readonly #dead = new Set<string>();
  faults: Faults;
  tailSeq = 0;
  /** What the replica holds, in the order in which it was made durable. */
  readonly applied: number[] = [];
  #queue: { firstSeq: number; count: number; durableAtMs: number }[] = [];
  replica: ReplicaState = newReplica(0, 1, null);
  #session = 0;
  #socket: number | null = null;
  link: LinkState | null = null;
  #linkSession = 0;
  #beats = 0;
  mostInFlight = 0;

  constructor(seed: number, faults: Faults) {
    this.#random = new Random(seed);
    this.faults = faults;
  }

  get durableSeq(): number {
    return this.applied.length;
  }

  write(entries: number): void {
    this.tailSeq += entries;
    this.#master({ kind: 'tail_moved', seq: this.tailSeq });
    this.#pump();
  }

  /** Lets time pass, a tick at a time. */
  run(forMs: number, each: () => void = () => {}): void {
    for (const endMs = this.#nowMs + forMs; this.#nowMs < endMs; this.#nowMs += TICK_MS) {
      each();
      if (this.#random.unit() * 1_000 < this.faults.cuts) this.#cut();
      const due = this.#inFlight.filter(({ atMs }) => atMs <= this.#nowMs).sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      this.#inFlight = this.#inFlight.filter(({ atMs }) => atMs > this.#nowMs);
      for (const { deliver } of due) deliver();
      this.#commit();
      this.#step({ kind: 'ticked', nowMs: this.#nowMs, random: this.#random.unit() });
      this.#master({ kind: 'ticked', nowMs: this.#nowMs });
      this.#pump();
    }
  }

  // The network.

  /** @param way one direction of one connection */
  #send(way: string, deliver: () => void): void {
    const { lost, holes, twice, late, lateMs } = this.faults;
    if (this.#random.unit() < lost) {
      if (!holes) this.#dead.add(way);
      return;
    }
    if (this.#dead.has(way)) return;
    for (const copy of [0, 1]) {
      if (copy === 1 && this.#random.unit() >= twice) return;
      const delayMs = this.#random.unit() < late ? this.#random.integer(0, lateMs) : TICK_MS;
      this.#inFlight.push({ atMs: this.#nowMs + delayMs, order: this.#order++, deliver });
    }
  }

  #toMaster(session: number, message: ToMaster): void {
    this.#send(`${session} up`, () => this.#takenByMaster(session, message));
  }

  #toReplica(session: number, message: ToReplica): void {
    this.#send(`${session} down`, () => this.#socket === session && this.#takenByReplica(message));
  }

  /** The socket ends; each side may or may not be told. */
  #cut(): void {
    const session = this.#linkSession;
    if (this.#random.unit() < 0.7) this.#takenByMaster(session, { kind: 'closed' });
    if (this.#random.unit() < 0.7 && this.#socket === session) this.#takenByReplica({ kind: 'closed' });
  }

  // The master.

  #takenByMaster(session: number, message: ToMaster): void {
    if (message.kind === 'hello') {
      if (session <= this.#linkSession || message.seq > this.tailSeq) return;
      this.#linkSession = session;
      this.link = openLink(this.#nowMs, this.tailSeq);
      this.#toReplica(session, { kind: 'welcome', fromSeq: message.seq + 1 });
      this.#master({ kind: 'continued', seq: message.seq, nowMs: this.#nowMs });
    } else if (session !== this.#linkSession) {
      return;
    } else if (message.kind === 'closed') {
      this.#master({ kind: 'ended' });
    } else {
      const ack = { ...message, appliedSeq: message.durableSeq, diverged: false };
      this.#master({ kind: 'acked', ack, nowMs: this.#nowMs });
    }
    this.#pump();
  }

  #master(event: LinkEvent): void {
    if (this.link === null) return;
    const { state, effects } = linkStep(this.link, event, RULES);
    this.link = state;
    for (const effect of effects) {
      if (effect.kind === 'heartbeat')
        this.#toReplica(this.#linkSession, { kind: 'heartbeat', number: ++this.#beats, lastSeq: this.tailSeq });
      if (effect.kind === 'close') this.#toReplica(this.#linkSession, { kind: 'closed' });
    }
  }

  #pump(): void {
    while (this.link !== null && maySendEntries(this.link, RULES)) {
      const firstSeq = this.link.sentSeq + 1;
      const count = Math.min(this.#random.integer(1, 3), this.tailSeq - this.link.sentSeq);
      const bytes = count * ENTRY_BYTES;
      this.#toReplica(this.#linkSession, { kind: 'entries', firstSeq, count, bytes });
      this.#master({ kind: 'entries_sent', throughSeq: firstSeq + count - 1, bytes });
      this.mostInFlight = Math.max(this.mostInFlight, this.link.sentBytes - this.link.receivedBytes);
    }
  }

  // The replica.

  #takenByReplica(message: ToReplica): void {
    const nowMs = this.#nowMs;
    const fail = (): void => this.#step({ kind: 'failed', fault: 'closed', nowMs, random: this.#random.unit() });
    switch (message.kind) {
      case 'connected':
        this.#step({ kind: 'connected', nowMs });
        if (this.#socket !== null) this.#toMaster(this.#socket, { kind: 'hello', seq: this.durableSeq });
        return;
      case 'welcome':
        if (message.fromSeq !== this.durableSeq + 1) return fail();
        // A new session of batches: what waited of the old one is dropped.
        this.#queue = [];
        return this.#step({ kind: 'continued', epoch: 1, seq: this.durableSeq, hash: hash(this.durableSeq), nowMs });
      case 'entries': {
        const { firstSeq, count, bytes } = message;
        const more = { hashBefore: hash(firstSeq - 1), hashAfter: hash(firstSeq + count - 1), bytes, nowMs };
        return this.#step({ kind: 'entries_came', epoch: 1, firstSeq, count, ...more });
      }
      case 'heartbeat':
        return this.#step({ ...message, kind: 'heartbeat_came', epoch: 1, nowMs });
      case 'closed':
        return fail();
    }
  }

  #step(event: ReplicaEvent): void {
    const { state, effects } = replicaStep(this.replica, event, REPLICA_RULES);
    this.replica = state;
    for (const effect of effects) {
      if (effect.kind === 'connect') {
        const session = ++this.#session;
        this.#socket = session;
        this.#toReplica(session, { kind: 'connected' });
      } else if (effect.kind === 'disconnect') {
        if (this.#socket !== null) this.#toMaster(this.#socket, { kind: 'closed' });
        this.#socket = null;
      } else if (effect.kind === 'acknowledge') this.#acknowledge();
      else if (effect.kind === 'apply' && event.kind === 'entries_came') {
        const slowMs = this.#random.integer(0, this.faults.commitMs);
        this.#queue.push({ firstSeq: event.firstSeq, count: event.count, durableAtMs: this.#nowMs + slowMs });
      }
    }
  }

  #commit(): void {
    for (let next = this.#queue[0]; next !== undefined && next.durableAtMs <= this.#nowMs; next = this.#queue[0]) {
      this.#queue.shift();
      for (let i = 0; i < next.count; i++) this.applied.push(next.firstSeq + i);
      this.#step({ kind: 'committed', seq: next.firstSeq + next.count - 1 });
      if (this.replica.phase === 'following') this.#acknowledge();
    }
  }

  #acknowledge(): void {
    if (this.#socket === null) return;
    const { receivedBytes, receivedSeq, durableSeq } = this.replica;
    this.#toMaster(this.#socket, { kind: 'ack', receivedBytes, receivedSeq, durableSeq });
  }
}

const share = fc.constantFrom(0, 0, 0.02, 0.1, 0.3);
const faults: fc.Arbitrary<Faults> = fc.record({
  lost: share,
  holes: fc.constant(false),
  twice: share,
  late: share,
  lateMs: fc.constantFrom(50, 300, 2_000),
  cuts: fc.constantFrom(0, 1, 10, 50),
  commitMs: fc.constantFrom(0, 20, 200),
});
const seed = fc.integer({ min: 0, max: 2 ** 31 });

function inOrder({ applied, tailSeq }: Pair): void {
  assert.ok(applied.length <= tailSeq, 'more than was written');
  for (const [at, seq] of applied.entries()) assert.is(seq, at + 1, `wrong order at ${at}`);
}

/** Twice the silence, the longest wait, a greeting, and time for the entries themselves. */
const HEALING_MS = 2 * RULES.timeoutMs + REPLICA_RULES.backoffMaxMs + REPLICA_RULES.greetingMs + 7_000;

test('whatever the network does, entries are made durable in order and without gaps; once it heals, all of them', () => {
  fc.assert(
    fc.property(seed, faults, fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 20 }), (number, bad, writes) => {
      const pair = new Pair(number, bad);
      for (const entries of writes) {
        pair.write(entries);
        pair.run(200);
        inOrder(pair);
      }
      pair.faults = HEALED;
      pair.run(HEALING_MS);
      inOrder(pair);
      assert.is(pair.durableSeq, pair.tailSeq, 'not everything came');
      assert.is(pair.replica.phase, 'following');
      assert.is(pair.link?.phase, 'streaming');
      assert.is(pair.link?.durableSeq, pair.tailSeq, 'the master does not know');
    }),
    { numRuns: 200 },
  );
});

test('a network that swallows single messages breaks no order either', () => {
  fc.assert(
    fc.property(seed, faults, fc.constantFrom(0.02, 0.1, 0.3), (number, bad, lost) => {
      const pair = new Pair(number, { ...bad, lost, holes: true });
      pair.run(5_000, () => pair.tailSeq < 300 && pair.write(1));
      inOrder(pair);
    }),
    { numRuns: 100 },
  );
});

test('what single swallowed messages cost is noticed: once the network heals, everything comes', () => {
  fc.assert(
    fc.property(seed, fc.constantFrom(0.02, 0.1, 0.3), (number, lost) => {
      const pair = new Pair(number, { ...HEALED, lost, holes: true });
      pair.run(3_000, () => pair.tailSeq < 100 && pair.write(1));
      pair.faults = HEALED;
      pair.run(HEALING_MS);
      inOrder(pair);
      assert.is(pair.durableSeq, pair.tailSeq, 'not everything came');
      assert.is(pair.link?.durableSeq, pair.tailSeq, 'the master does not know');
    }),
    { numRuns: 50 },
  );
});

test('what is on the way never exceeds the window but for one frame', () => {
  fc.assert(
    fc.property(seed, faults, (number, bad) => {
      const pair = new Pair(number, bad);
      pair.write(500);
      pair.run(3_000);
      assert.ok(pair.mostInFlight < RULES.windowBytes + 3 * ENTRY_BYTES, `${pair.mostInFlight} bytes were on the way`);
      inOrder(pair);
    }),
    { numRuns: 50 },
  );
});

test('a quiet network costs one link, however much is written', () => {
  const pair = new Pair(1, HEALED);
  pair.run(5_000, () => pair.write(1));
  pair.run(1_000);
  assert.is(pair.durableSeq, pair.tailSeq);
  assert.is(pair.replica.attempt, 0);
});

test.run();
