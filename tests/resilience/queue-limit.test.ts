/** The bound of a queue follows how fast the queue goes: too much work is refused, waits stay near the target, a burst is taken whole. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { QueueLimit } from '../../src/resilience/queue-limit.js';
import { suite } from '../support/suite.js';

const test = suite('resilience/queue-limit');
const RULES = { min: 8, max: 1_000, targetMs: 200 };

interface Outcome {
  readonly waits: number[];
  refused: number;
}

/** One server that takes `workMs` for each; arrivals every `everyMs`, from fromMs to untilMs. Time passes in the simulation alone. */
class Queue {
  readonly limit = new QueueLimit(RULES);
  readonly #waiting: number[] = [];
  #freeMs = 0;

  arrivals(fromMs: number, untilMs: number, everyMs: number, workMs: number): Outcome {
    const outcome: Outcome = { waits: [], refused: 0 };
    for (let nowMs = fromMs; nowMs < untilMs; nowMs += everyMs) {
      this.#serve(nowMs, workMs, outcome);
      if (this.#waiting.length >= this.limit.at(nowMs)) outcome.refused += 1;
      else this.#waiting.push(nowMs);
    }
    return outcome;
  }

  #serve(untilMs: number, workMs: number, outcome: Outcome): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const startMs = Math.max(this.#freeMs, next);
      if (startMs + workMs > untilMs) return;
      this.#freeMs = startMs + workMs;
      const waitedMs = startMs - next;
      this.limit.left({ waitedMs, queued: this.#waiting.length }, this.#freeMs);
      this.#waiting.shift();
      outcome.waits.push(waitedMs);
    }
  }
}

function highest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

test('ten times more than can be done is refused for the most part, and who is let in waits about as long as the target', () => {
  for (const workMs of [0.5, 5, 20]) {
    const queue = new Queue();
    const onset = queue.arrivals(0, 3_000, workMs / 10, workMs);
    assert.ok(highest(onset.waits) < 6 * RULES.targetMs, `${highest(onset.waits)} ms at the onset, ${workMs} ms each`);
    const steady = queue.arrivals(3_000, 10_000, workMs / 10, workMs);
    assert.ok(steady.waits.length > 7_000 / workMs - 5, `${steady.waits.length} were served: the server was kept busy`);
    assert.ok(steady.refused > 0.85 * (70_000 / workMs), `${steady.refused} were refused`);
    assert.ok(highest(steady.waits) < 1.5 * RULES.targetMs, `${highest(steady.waits)} ms, ${workMs} ms each`);
  }
});

test('what can be done is never refused, and a burst of a second’s work is taken whole', () => {
  const queue = new Queue();
  assert.is(queue.arrivals(0, 2_000, 6, 5).refused, 0);
  assert.is(queue.arrivals(2_000, 2_050, 0.25, 5).refused, 0);
  assert.is(queue.arrivals(2_050, 4_000, 20, 5).refused, 0);
  assert.not.ok(queue.limit.isStanding);
});

test('after too much nothing is refused within half a second', () => {
  const queue = new Queue();
  queue.arrivals(0, 5_000, 0.5, 5);
  assert.ok(queue.limit.isStanding);
  queue.arrivals(5_000, 5_500, 6, 5);
  assert.is(queue.arrivals(5_500, 8_000, 6, 5).refused, 0);
  assert.not.ok(queue.limit.isStanding);
});

test('a few may always wait, however long each takes', () => {
  const limit = new QueueLimit(RULES);
  for (let nowMs = 0; nowMs < 60_000; nowMs += 3_000) limit.left({ waitedMs: 9_000, queued: 4 }, nowMs);
  assert.is(limit.at(60_000), RULES.min);
});

test('before anything is known, and without a target, the bound is the fixed one', () => {
  assert.is(new QueueLimit(RULES).at(0), RULES.max);
  const limit = new QueueLimit({ ...RULES, targetMs: 0 });
  for (let nowMs = 0; nowMs < 1_000; nowMs += 10) limit.left({ waitedMs: 5_000, queued: 900 }, nowMs);
  assert.is(limit.at(1_000), RULES.max);
});

test('idle time between two that leave says nothing of how fast the queue goes', () => {
  const limit = new QueueLimit(RULES);
  for (let nowMs = 0; nowMs < 60_000; nowMs += 6_000) limit.left({ waitedMs: 0, queued: 1 }, nowMs);
  assert.is(limit.at(60_000), RULES.max);
});

test('work that ends in bunches goes as fast as it does on the whole', () => {
  const limit = new QueueLimit(RULES);
  for (let roundMs = 0; roundMs < 20_000; roundMs += 1_000) {
    // A hundred that were worked at in turns end within some milliseconds of each other.
    for (let i = 0; i < 100; i++) limit.left({ waitedMs: 900, queued: 100 }, roundMs + i * 0.1);
    const bound = limit.at(roundMs + 10);
    if (roundMs > 5_000) assert.ok(bound >= 15 && bound <= 30, `${bound} of a hundred a second, where 200 ms are borne`);
  }
});

test('whatever leaves the queue, the bound stays between its ends', () => {
  const left = fc.record({
    waitedMs: fc.double({ min: -5, max: 1e6, noNaN: true }),
    queued: fc.integer({ min: 1, max: 1_000 }),
    afterMs: fc.double({ min: 0, max: 300, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(left, { maxLength: 200 }), (all) => {
      const limit = new QueueLimit(RULES);
      let nowMs = 0;
      for (const { afterMs, ...one } of all) {
        nowMs += afterMs;
        limit.left(one, nowMs);
        const bound = limit.at(nowMs);
        assert.ok(Number.isInteger(bound) && bound >= RULES.min && bound <= RULES.max, `${bound}`);
      }
    }),
  );
});

test.run();
