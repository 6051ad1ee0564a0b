/** When what became durable: never later than it was and hardly earlier, never fewer bytes than there are, and bounded however much is
 *  noted. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { CommitTimes } from '../../src/replication/commit-times.js';
import { suite } from '../support/suite.js';

const test = suite('replication/commit-times');

interface Note {
  readonly seq: number;
  readonly bytes: number;
  readonly ms: number;
}

/** What comes this close together is one sample. */
const SAMPLE_MS = 5;
const SAMPLES_MAX = 65_536;

/** Commits of one to five entries each, at times that never go back. */
const commits = (afterMs: fc.Arbitrary<number>) =>
  fc
    .array(fc.record({ entries: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(1_000), afterMs }), { maxLength: 60 })
    .map((steps) => {
      let [seq, ms] = [10, 0];
      return steps.map(({ entries, bytes, afterMs: pauseMs }): Note => {
        seq += entries;
        ms += pauseMs;
        return { seq, bytes, ms };
      });
    });
const tail = fc.integer({ min: 10, max: 320 });
const sum = (notes: readonly Note[]): number => notes.reduce((total, { bytes }) => total + bytes, 0);

function noted(notes: readonly Note[]): CommitTimes {
  const times = new CommitTimes(10);
  for (const { seq, bytes, ms } of notes) times.note(seq, bytes, ms);
  return times;
}

test('few commits are known exactly', () => {
  fc.assert(
    fc.property(commits(fc.integer({ min: SAMPLE_MS, max: 50 })), tail, (notes, seq) => {
      const times = noted(notes);
      const behind = notes.filter((note) => note.seq > seq);
      assert.is(times.firstAfter(seq), behind[0]?.ms ?? null);
      assert.is(times.bytesAfter(seq), sum(behind));
      assert.is(times.bytes, sum(notes));
    }),
    { numRuns: 500 },
  );
});

test('of commits close together each is known to 5 ms, on the early side, and no byte of them is missing', () => {
  fc.assert(
    fc.property(commits(fc.nat(8)), tail, (notes, seq) => {
      const times = noted(notes);
      const behind = notes.filter((note) => note.seq > seq);
      const truth = behind[0]?.ms ?? null;
      const since = times.firstAfter(seq);
      assert.is(since === null, truth === null);
      if (since !== null && truth !== null) assert.ok(since <= truth && truth - since < SAMPLE_MS, `${since} for ${truth}`);
      assert.ok((times.bytesAfter(seq) ?? 0) >= sum(behind));
      assert.is(times.bytes, sum(notes));
    }),
    { numRuns: 1_000 },
  );
});

test('what was there before anything was noted is not known, and not zero', () => {
  const times = noted([{ seq: 12, bytes: 5, ms: 3 }]);
  assert.is(times.firstAfter(9), null);
  assert.is(times.bytesAfter(9), null);
  assert.is(times.firstAfter(10), 3);
  assert.is(times.firstAfter(12), null);
  assert.is(times.bytesAfter(12), 0);
});

test('word of entries may come before the entries: the lag counts from the word', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ seq: fc.integer({ min: 11, max: 60 }), bytes: fc.nat(9), afterMs: fc.integer({ min: 5, max: 9 }) }), {
        maxLength: 40,
      }),
      fc.integer({ min: 10, max: 60 }),
      (steps, seq) => {
        let ms = 0;
        const notes = steps.map((step): Note => {
          ms += step.afterMs;
          return { ...step, ms };
        });
        const behind = notes.filter((note) => note.seq > seq);
        const times = noted(notes);
        assert.is(times.firstAfter(seq), behind[0]?.ms ?? null);
        assert.ok((times.bytesAfter(seq) ?? 0) >= sum(behind));
      },
    ),
    { numRuns: 1_000 },
  );
});

test('however many commits there are, a lag is never shown smaller than it is, and the memory is bounded', () => {
  const times = new CommitTimes(0);
  const commitCount = 100_000;
  for (let seq = 1; seq <= commitCount; seq++) times.note(seq, 3, seq * SAMPLE_MS);
  const answers = new Set<number>();
  for (let seq = 0; seq < commitCount; seq++) {
    const since = times.firstAfter(seq) ?? Number.POSITIVE_INFINITY;
    const truth = (seq + 1) * SAMPLE_MS;
    assert.ok(since <= truth, `after ${seq}: ${since} is later than ${truth}`);
    assert.ok((times.bytesAfter(seq) ?? 0) >= (commitCount - seq) * 3);
    answers.add(since);
  }
  assert.ok(answers.size <= SAMPLES_MAX, `${answers.size} samples`);
  assert.is(times.firstAfter(commitCount), null);
  // The newest are known as exactly as they were noted.
  assert.is(times.firstAfter(commitCount - 1_000), (commitCount - 999) * SAMPLE_MS);
});

test.run();
