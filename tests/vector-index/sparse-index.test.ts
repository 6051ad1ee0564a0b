/** The sparse index against plain sums: adds, removals, sweeps, filters, idf, slices. */

import * as fc from 'fast-check';
import * as assert from 'uvu/assert';
import { labelFilterOf } from '../../src/model/label-filter.js';
import type { SparseVector } from '../../src/model/point.js';
import { SparseIndex } from '../../src/vector-index/sparse-index.js';
import { SCANS_MAX, SumsPool } from '../../src/vector-index/sparse-sums.js';
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
  const index = new SparseIndex(new SumsPool());
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

/** What may happen to an index between two looks at it, by a share of 100. */
const step = fc.record({
  what: fc.integer({ min: 0, max: 99 }),
  which: fc.nat(),
  seed: fc.integer({ min: 1, max: 2 ** 30 }),
  many: fc.integer({ min: 1, max: 700 }),
});

/** Every index occurs in a list of its own: more lists than are swept at once. */
const INDEX_MAX = 300;

class Modelled {
  readonly pool = new SumsPool();
  readonly index = new SparseIndex(this.pool);
  readonly model = new Map<number, NamedPoint>();
  #label = 0;

  /** Whoever adds waits while it is crowded, as the upkeep of a worker does. */
  makeRoom(): void {
    while (this.index.crowded) this.index.work(0);
    const { live, tombstones } = this.index.status();
    assert.ok(tombstones <= Math.max(1_000, live / 2), `${tombstones} removed beside ${live}`);
  }

  put(random: Random, replaces: number | null): void {
    const vector = randomSparse(random, 6, INDEX_MAX);
    this.index.add(this.#label, vector, replaces);
    if (replaces !== null) this.model.delete(replaces);
    this.model.set(this.#label, { id: this.#label, vectors: new Map([['', vector]]) });
    this.#label += random.integer(1, 3);
  }

  take(label: number): void {
    this.index.remove(label);
    this.model.delete(label);
  }

  mustBeLikeItsModel(random: Random): void {
    assert.equal([...this.index.liveLabels()], [...this.model.keys()]);
    const { live } = this.index.status();
    assert.is(live, this.model.size);
    const query = randomSparse(random, 8, INDEX_MAX);
    for (const idf of [false, true]) {
      const truth = plainSparse(this.model.values(), '', query, idf);
      const { labels, scores, matches } = found(this.index, query, 10, null, idf);
      assert.is(matches, truth.length);
      assert.is(labels.length, Math.min(10, truth.length));
      for (const [place, score] of scores.entries()) assert.ok(Math.abs(score - (truth[place]?.score ?? Number.NaN)) < 1e-9);
    }
  }
}

test('in any order of writes, slices of a sweep and searches it answers as a map does, and is no larger than what is alive', () => {
  const swept = { begun: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const rig = new Modelled();
      for (const { what, which, seed, many } of steps) {
        const random = new Random(seed);
        const labels = [...rig.model.keys()];
        rig.makeRoom();
        const one = labels[which % Math.max(1, labels.length)] ?? null;
        if (what < 20) for (let i = 0; i < many; i++) rig.put(random, null);
        else if (what < 50) for (const label of labels.slice(0, many)) rig.put(random, label);
        else if (what < 60) for (const label of labels.slice(0, many)) rig.take(label);
        else if (what < 65) rig.put(random, one);
        else if (what < 68) for (const label of labels) rig.take(label);
        else if (what < 95) swept.begun += rig.index.work(0) === 0 ? 1 : 0;
        else {
          while (rig.index.work(0) !== null) {
            // To its end.
          }
        }
        if (which % 4 === 0) rig.mustBeLikeItsModel(random);
      }
      rig.mustBeLikeItsModel(new Random(1));
    }),
    { numRuns: 20 },
  );
  assert.ok(swept.begun > 20, `${swept.begun} looks at an index that was swept by half`);
});

test('points that are written again and again leave it as large as a fresh one', (t) => {
  const random = new Random(t.seed());
  const vectors = Array.from({ length: 2_000 }, () => randomSparse(random, 30, 5_000));
  const fresh = new SparseIndex(new SumsPool());
  for (const [label, vector] of vectors.entries()) fresh.add(label, vector, null);
  const index = new SparseIndex(new SumsPool());
  for (let round = 0, label = 0; round < 15; round++) {
    for (const vector of vectors) {
      index.add(label, vector, round === 0 ? null : label - vectors.length);
      label += 1;
    }
    while (index.work(0) !== null) {
      // In slices.
    }
  }
  const [now, before] = [index.status(), fresh.status()];
  assert.is(now.live, before.live);
  assert.ok(now.memoryBytes < 1.6 * before.memoryBytes, `${now.memoryBytes} after, ${before.memoryBytes} at first`);
  for (let label = 0; label < 15 * vectors.length; label++) index.remove(label);
  while (index.work(0) !== null) {
    // In slices.
  }
  assert.ok(index.status().memoryBytes < 10_000, `${index.status().memoryBytes} of nothing`);
});

test('only so many searches add up at once, and the others get their turn in the order in which they came', (t) => {
  const random = new Random(t.seed());
  const index = new SparseIndex(new SumsPool());
  for (let label = 0; label < 50; label++) index.add(label, sparse({ 1: random.unit(), 2: random.unit() }), null);
  const query = sparse({ 1: 1, 2: 1 });
  const scans = Array.from({ length: SCANS_MAX + 4 }, () => index.scan(query, 5, null, null));
  const ended: number[] = [];
  const turn = (): void => {
    for (const [i, scan] of scans.entries()) {
      if (ended.includes(i) || !scan.advance(-1)) continue;
      assert.is(scan.hits().labels.length, 5);
      ended.push(i);
    }
  };
  turn();
  assert.equal(ended, []);
  // Given up while it waited, and while it had its turn.
  for (const i of [0, SCANS_MAX + 1]) {
    scans[i]?.end();
    ended.push(i);
  }
  turn();
  assert.equal(ended.slice(2), [1, 2, 3], 'the first had one list to go');
  for (let i = 0; i < 4; i++) turn();
  assert.equal(ended.slice(5), [4, 6, 7]);
  assert.equal(
    [...found(index, query, 50, null, false).labels].sort((a, b) => a - b),
    [...Array(50).keys()],
  );
});

test('hits share an index with the query, ties stand by label, and 0 is a score', () => {
  const index = new SparseIndex(new SumsPool());
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
