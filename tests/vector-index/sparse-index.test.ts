/** The sparse index against plain sums: adds, removals, sweeps, filters, idf, slices. */

import * as assert from 'uvu/assert';
import { labelFilterOf } from '../../src/model/label-filter.js';
import type { SparseVector } from '../../src/model/point.js';
import { SparseIndex } from '../../src/vector-index/sparse-index.js';
import { type NamedPoint, plainSparse, randomSparse, sparse } from '../support/named-points.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/sparse-index');

function found(index: SparseIndex, query: SparseVector, limit: number, filter: Uint32Array | null, idf: boolean) {
  const scan = index.scan(query, limit, filter === null ? null : labelFilterOf(filter), idf ? 'idf' : null);
  while (!scan.advance(0)) {
    // One list at a time.
  }
  return scan.hits();
}

test('whatever comes and goes, it finds what plain sums find, before and after a sweep', (t) => {
  const random = new Random(t.seed());
  const index = new SparseIndex();
  const model = new Map<number, NamedPoint>();
  let label = 0;
  let swept = 0;
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 150; i++) {
      const labels = [...model.keys()];
      const replaces =
        labels.length > 300 && random.unit() < 0.7 ? (labels[random.integer(0, labels.length - 1)] as number) : null;
      const vector = randomSparse(random, 12, 60);
      index.add(label, vector, replaces);
      if (replaces !== null) model.delete(replaces);
      model.set(label, { id: label, vectors: new Map([['', vector]]) });
      label += random.integer(1, 3);
    }
    const before = index.status().tombstones;
    for (let left = index.work(0); left !== null; left = index.work(0)) {
      // In slices.
    }
    if (index.status().tombstones < before) swept += 1;
    assert.equal([...index.liveLabels()], [...model.keys()]);
    assert.is(index.status().live, model.size);
    for (const idf of [false, true]) {
      const query = randomSparse(random, 8, 70);
      const truth = plainSparse(model.values(), '', query, idf);
      const all = found(index, query, 10, null, idf);
      assert.is(all.matches, truth.length);
      assert.is(all.labels.length, Math.min(10, truth.length));
      for (const [place, score] of all.scores.entries()) assert.ok(Math.abs(score - (truth[place]?.score ?? Number.NaN)) < 1e-9);
      const some = [...model.keys()].filter((one) => one % 3 === 0);
      const passing = truth.filter(({ id }) => (id as number) % 3 === 0);
      const filtered = found(index, query, 5, Uint32Array.from(some), idf);
      assert.equal([filtered.matches, filtered.labels.length], [passing.length, Math.min(5, passing.length)]);
      assert.ok([...filtered.labels].every((one) => one % 3 === 0));
    }
  }
  assert.ok(swept > 0, 'it was swept');
  const { memoryBytes } = index.status();
  assert.ok(memoryBytes > 0 && memoryBytes < 5_000_000, `${memoryBytes}`);
});

test('hits share an index with the query, ties stand by label, and 0 is a score', () => {
  const index = new SparseIndex();
  index.add(1, sparse({ 5: 1 }), null);
  index.add(2, sparse({ 0: 1, 4294967295: -2 }), null);
  index.add(3, sparse({ 5: 1 }), null);
  index.add(4, sparse({}), null);
  const hits = (query: SparseVector) => [...found(index, query, 10, null, false).labels];
  assert.equal(hits(sparse({ 5: 2 })), [1, 3]);
  assert.equal(hits(sparse({ 5: 0 })), [1, 3]);
  assert.equal(hits(sparse({ 4294967295: 1, 5: -1 })), [1, 3, 2]);
  assert.equal(hits(sparse({ 6: 1 })), []);
  assert.equal(hits(sparse({})), []);
  index.remove(1);
  index.remove(99);
  assert.equal(hits(sparse({ 5: 2 })), [3]);
  assert.throws(() => index.add(4, sparse({ 1: 1 }), null), RangeError);
  assert.equal([index.has(3), index.has(1)], [true, false]);
});

test.run();
