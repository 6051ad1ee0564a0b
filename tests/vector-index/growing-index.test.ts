/** Growth from flat to graph: exact until it ends, always ending, in slices. */

import * as assert from 'uvu/assert';
import type { Clock } from '../../src/model/clock.js';
import { FIXED } from '../../src/model/limits.js';
import { createIndex, openCheckpoint } from '../../src/vector-index/open-index.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/growing-index');
const parameters = { dimension: 4, distance: 'euclid', m: 8, efConstruct: 60 } as const;
const limits = { flatPointsMax: 100, flatBytesMax: 2 ** 30 };

/** A clock that moves by one millisecond whenever it is asked. */
function tickingClock(): Clock {
  let nowMs = 0;
  return { wallMs: () => nowMs++, monotonicMs: () => nowMs++ };
}

test('adds alone end the growth: flat rows never exceed twice the limit and a few', (t) => {
  const index = createIndex(parameters, { limits });
  t.after(() => index.close());
  const random = new Random(t.seed());
  for (let label = 0; label < 100; label++) index.add(label, random.vector(4), null);
  assert.equal([index.status().kind, index.status().growing], ['flat', 0]);
  index.add(100, random.vector(4), null);
  assert.ok(index.status().growing > 0);
  let label = 101;
  for (; index.status().kind === 'flat'; label++) {
    assert.ok(label < 2 * 100 + 10, 'growth goes on for too long');
    index.add(label, random.vector(4), null);
  }
  assert.is(index.status().growing, 0);
  assert.is(index.status().live, label);
});

test('work does a slice of the growth at a time, and searches in between are exact', (t) => {
  const index = createIndex(parameters, { limits, clock: tickingClock() });
  t.after(() => index.close());
  const random = new Random(t.seed());
  const vectors = Array.from({ length: 101 }, () => random.vector(4));
  for (const [label, vector] of vectors.entries()) index.add(label, vector, null);
  assert.is(index.work(10), 0);
  const left = index.status().growing;
  assert.ok(left > 0 && left < 99, `${left} rows are left`);
  index.remove(0);
  index.remove(100);
  let slices = 0;
  for (; index.status().kind === 'flat'; slices++) {
    assert.is.not(index.search(vectors[50] as Float32Array, 5, 64).scores, null);
    assert.is(index.work(10), 0);
  }
  assert.ok(slices > 2);
  assert.equal([index.status().kind, index.status().live, index.status().tombstones], ['graph', 99, 1]);
  assert.is(index.work(10), null);
  assert.is(index.search(vectors[50] as Float32Array, 5, 64).labels[0], 50);
  assert.not.ok(index.search(vectors[0] as Float32Array, 101, 101).labels.includes(0));
  assert.not.ok(index.search(vectors[100] as Float32Array, 101, 101).labels.includes(100));
});

test('bytes count too: few large vectors grow a graph', (t) => {
  const dimension = 1_000;
  const index = createIndex({ ...parameters, dimension }, { limits: { flatPointsMax: 1_000, flatBytesMax: 20 * dimension * 4 } });
  t.after(() => index.close());
  for (let label = 0; label < 20; label++) index.add(label, new Float32Array(dimension).fill(label), null);
  assert.equal([index.status().kind, index.status().growing], ['flat', 0]);
  index.add(20, new Float32Array(dimension), null);
  assert.ok(index.status().growing > 0);
});

test('removals keep a collection flat: only live points count', (t) => {
  const index = createIndex(parameters, { limits });
  t.after(() => index.close());
  const random = new Random(t.seed());
  for (let label = 0; label < 2_000; label++) index.add(label, random.vector(4), label < 90 ? null : label - 90);
  assert.equal([index.status().kind, index.status().live, index.status().growing], ['flat', 90, 0]);
});

test('a checkpoint of a growing index opens and grows again', async (t) => {
  const index = createIndex(parameters, { limits });
  const random = new Random(t.seed());
  for (let label = 0; label < 130; label++) index.add(label, random.vector(4), null);
  index.remove(5);
  assert.ok(index.status().growing > 0);
  const folder = t.folder();
  const owner = { uid: 1, labelGeneration: 1 };
  await index.save(folder, { ...owner, seq: 8, nextLabel: 130 });
  index.close();
  const opened = await openCheckpoint(folder, { ...owner, parameters }, { limits });
  if ('refused' in opened) throw new Error(opened.refused);
  t.after(() => opened.index.close());
  assert.equal([opened.index.status().live, opened.index.status().growing], [129, 129]);
  while (opened.index.work(5) === 0);
  assert.equal([opened.index.status().kind, opened.index.status().live], ['graph', 129]);
});

test('by default a graph begins beyond the fixed limit of flat points', (t) => {
  const index = createIndex({ ...parameters, dimension: 1 });
  t.after(() => index.close());
  for (let label = 0; label < FIXED.flatPointsMax; label++) index.add(label, Float32Array.of(label), null);
  assert.is(index.status().growing, 0);
  index.add(FIXED.flatPointsMax, Float32Array.of(1), null);
  assert.ok(index.status().growing > 0);
});

test.run();
