/** Rows before a graph: found from the first moment, moved in slices, never in both, never made up for by the other. */

import * as assert from 'uvu/assert';
import type { Clock } from '../../src/model/clock.js';
import { DISTANCES, scorer } from '../../src/model/distance.js';
import { FIXED } from '../../src/model/limits.js';
import { createIndex, openCheckpoint } from '../../src/vector-index/open-index.js';
import { fill } from '../support/filled-index.js';
import { GaussianMixture, Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/tiered-index');
const parameters = { dimension: 4, distance: 'euclid', m: 8, efConstruct: 60, quantization: 'none' } as const;
const limits = { flatPointsMax: 100, flatBytesMax: 2 ** 30 };

/** A clock that moves by one millisecond whenever it is asked. */
function tickingClock(): Clock {
  let nowMs = 0;
  return { wallMs: () => nowMs++, monotonicMs: () => nowMs++ };
}

test('a graph begins beyond the limit, adds alone never fill it, and work does so in slices, oldest first', (t) => {
  const index = createIndex(parameters, { limits, clock: tickingClock() });
  t.after(() => index.close());
  const random = new Random(t.seed());
  const vectors = Array.from({ length: 150 }, () => random.vector(4));
  const found = (label: number): number | undefined => index.search(vectors[label] as Float32Array, 1, 64).labels[0];
  for (const [label, vector] of vectors.entries()) {
    assert.is(index.status().kind, label <= 100 ? 'flat' : 'graph');
    index.add(label, vector, null);
    assert.is(found(label), label);
  }
  assert.equal([index.status().live, index.status().waiting, index.inserts], [150, 150, 0]);
  for (let slices = 0; index.status().waiting > 0; slices++) {
    assert.ok(slices < 30, 'it does not end');
    const before = index.status().waiting;
    assert.is(index.work(10) ?? 0, 0);
    const { waiting } = index.status();
    assert.ok(waiting < before && before - waiting <= 12, `${before - waiting} in a slice`);
    assert.is(index.inserts, 150 - waiting);
    for (const label of [0, 40, 149 - waiting, 149]) assert.is(found(label), label);
  }
  assert.is(index.work(10), null);
});

for (const distance of DISTANCES) {
  test(`${distance}: graph and rows are ranked together, as one exact search ranks them`, (t) => {
    const random = new Random(t.seed());
    const data = new GaussianMixture(random, { dimension: 8, clusters: 12 });
    for (const size of [1e-4, 1, 1e4]) {
      const index = createIndex({ ...parameters, dimension: 8, distance, efConstruct: 200 }, { limits: { flatPointsMax: 0 } });
      t.after(() => index.close());
      const vectors = data.take(600).map((vector) => vector.map((value) => value * size));
      for (const [label, vector] of vectors.entries()) {
        index.add(label, vector, null);
        if (label === 299) fill(index);
      }
      assert.is(index.status().waiting, 300);
      let reached = 0;
      for (const query of data.take(40)) {
        const score = scorer(distance, query);
        const sign = distance === 'euclid' ? 1 : -1;
        const keys = vectors.map((vector, label) => ({ label, key: score(vector) * sign })).sort((a, b) => a.key - b.key);
        const { labels, exact, scanned } = index.search(query, 10, 300);
        assert.equal([labels.length, exact, scanned], [10, false, 300]);
        const best = keys.slice(0, 10).map(({ label }) => label);
        reached += best.filter((label) => labels.includes(label)).length;
        for (const label of best.filter((label) => label >= 300))
          assert.ok(labels.includes(label), 'rows are looked at one by one');
      }
      assert.ok(reached >= 390, `${reached} of 400 at size ${size}`);
    }
  });
}

test('rows do not make up in number for points that the graph does not give', (t) => {
  const index = createIndex({ ...parameters, distance: 'dot' }, { limits: { flatPointsMax: 0 } });
  t.after(() => index.close());
  const random = new Random(t.seed());
  let next = 0;
  for (; next < 65; next++)
    index.add(
      next,
      random.vector(4).map((value) => value * 1e20),
      null,
    );
  fill(index);
  for (; next < 200; next++) index.add(next, random.vector(4), null);
  assert.is(index.search(random.vector(4), 10, 64).labels.length, 0, 'more than the graph may leave unranked');
  index.remove(0);
  assert.is(index.search(random.vector(4), 10, 64).labels.length, 10 + 64);
});

test('so much may wait and no more: then the index is crowded until work has moved some', (t) => {
  const waitingBytesMax = 300 * 4 * 4;
  const index = createIndex(parameters, { limits: { ...limits, waitingBytesMax }, clock: tickingClock() });
  t.after(() => index.close());
  const random = new Random(t.seed());
  for (let label = 0; label < 300; label++) {
    assert.is(index.crowded, false, `${label} wait`);
    index.add(label, random.vector(4), null);
  }
  assert.is(index.crowded, true);
  index.work(10);
  assert.is(index.crowded, false);
});

test('while a checkpoint is written points leave the graph at once, and searches look at no more places for it', async (t) => {
  const index = createIndex(parameters, { limits });
  t.after(() => index.close());
  const random = new Random(t.seed());
  for (let label = 0; label < 4_000; label++) index.add(label, random.vector(4), null);
  fill(index);
  const query = random.vector(4);
  const { visited } = index.search(query, 10, 20);
  const saving = index.save(t.folder(), { uid: 1, labelGeneration: 0, seq: 1, nextLabel: 4_000 });
  for (let label = 0; label < 4_000; label += 2) index.remove(label);
  const { live, tombstones, growing } = index.status();
  assert.equal([live, tombstones, growing, index.crowded, index.has(2)], [2_000, 2_000, 0, false, false]);
  const found = index.search(query, 10, 20);
  assert.ok(found.labels.length === 10 && found.labels.every((label) => label % 2 === 1));
  assert.ok(found.visited <= 4 * visited, `${found.visited} places instead of ${visited}`);
  await saving;
  assert.is(index.status().growing, 2_000, 'half is dead, so it is left now');
});

test('a checkpoint whose points are all removed while it is written holds them, and nothing is left here', async (t) => {
  for (const renewing of [false, true]) {
    const index = createIndex(parameters, { limits });
    const random = new Random(t.seed());
    for (let label = 0; label < 500; label++) index.add(label, random.vector(4), null);
    fill(index);
    if (renewing) index.renew();
    for (let label = 500; label < 700; label++) index.add(label, random.vector(4), null);
    fill(index);
    assert.is(index.status().growing > 0, renewing);
    const folder = t.folder();
    const owner = { uid: 1, labelGeneration: 0 };
    const saving = index.save(folder, { ...owner, seq: 1, nextLabel: 700 });
    for (let label = 0; label < 700; label++) index.remove(label);
    assert.is(index.search(random.vector(4), 10, 64).labels.length, 0);
    index.add(700, random.vector(4), null);
    assert.equal([...index.search(random.vector(4), 10, 64).labels], [700]);
    await saving;
    assert.equal([index.status().kind, index.status().live, index.status().tombstones], ['flat', 1, 0]);
    index.close();
    const opened = await openCheckpoint(folder, { ...owner, parameters }, { limits });
    if ('refused' in opened) throw new Error(opened.refused);
    assert.is(opened.index.liveLabels().length, 700);
    opened.index.close();
  }
});

test('bytes count too: few large vectors make a graph', (t) => {
  const dimension = 1_000;
  const index = createIndex({ ...parameters, dimension }, { limits: { flatPointsMax: 1_000, flatBytesMax: 20 * dimension * 4 } });
  t.after(() => index.close());
  for (let label = 0; label < 20; label++) index.add(label, new Float32Array(dimension).fill(label), null);
  assert.is(index.status().kind, 'flat');
  index.add(20, new Float32Array(dimension), null);
  assert.is(index.status().kind, 'graph');
});

test('only live points count: removals keep a collection flat, and make it flat again before and after its graph is filled', (t) => {
  const random = new Random(t.seed());
  for (const filled of [false, true]) {
    const index = createIndex(parameters, { limits });
    t.after(() => index.close());
    for (let label = 0; label < 2_000; label++) index.add(label, random.vector(4), label < 90 ? null : label - 90);
    assert.equal([index.status().kind, index.status().live], ['flat', 90]);
    for (let label = 2_000; label < 2_100; label++) index.add(label, random.vector(4), null);
    assert.is(index.status().kind, 'graph');
    if (filled) fill(index);
    for (const label of [...index.liveLabels()]) index.remove(label);
    assert.equal([index.status().kind, index.status().live, index.status().tombstones], ['flat', 0, 0]);
    assert.is(index.status().rebuilds, filled ? 1 : 0);
    index.add(2_100, random.vector(4), null);
    assert.equal([...index.search(random.vector(4), 3, 64).labels], [2_100]);
  }
});

test('a graph whose points are all removed is left, though rows wait for it', (t) => {
  const random = new Random(t.seed());
  for (const waiting of [50, 150]) {
    const index = createIndex(parameters, { limits });
    t.after(() => index.close());
    for (let label = 0; label < 200; label++) index.add(label, random.vector(4), null);
    fill(index);
    for (let label = 200; label < 200 + waiting; label++) index.add(label, random.vector(4), null);
    for (let label = 0; label < 200; label++) index.remove(label);
    assert.equal([index.status().kind, index.status().live], [waiting <= 100 ? 'flat' : 'graph', waiting]);
    assert.is(index.status().tombstones, 0);
    fill(index);
    assert.is(index.search(random.vector(4), 500, 64).labels.length, waiting);
  }
});

test('there is nothing to save without a graph, or with an empty one', async (t) => {
  const index = createIndex(parameters, { limits });
  t.after(() => index.close());
  const random = new Random(t.seed());
  const head = { uid: 1, labelGeneration: 0, seq: 1, nextLabel: 500 };
  for (const points of [0, 50, 150]) {
    for (let label = points; label < 2 * points; label++) index.add(label, random.vector(4), null);
    await index.save(t.folder(), head).then(
      () => assert.unreachable(),
      (error: unknown) => assert.match(String(error), /no graph/),
    );
  }
});

test('by default a graph begins beyond the fixed limit of flat points', (t) => {
  const index = createIndex({ ...parameters, dimension: 1 });
  t.after(() => index.close());
  for (let label = 0; label < FIXED.flatPointsMax; label++) index.add(label, Float32Array.of(label), null);
  assert.is(index.status().kind, 'flat');
  index.add(FIXED.flatPointsMax, Float32Array.of(1), null);
  assert.is(index.status().kind, 'graph');
});

test('a graph that is to be renewed is left for a fresh one, bit by bit, and nothing is missed meanwhile', (t) => {
  const index = createIndex(parameters, { limits });
  t.after(() => index.close());
  const random = new Random(t.seed());
  const vectors = Array.from({ length: 400 }, () => random.vector(4));
  const add = (from: number, to: number): void => {
    for (let label = from; label < to; label++) index.add(label, vectors[label] as Float32Array, null);
  };
  add(0, 50);
  assert.is(index.renew(), false, 'rows alone are no graph');
  add(50, 400);
  assert.is(index.renew(), false, 'nothing is in the graph yet');
  fill(index);
  const { inserts } = index;
  assert.is(index.renew(), true);
  assert.is(index.status().growing, 400);
  assert.is(index.renew(), false, 'it is left already');
  while (index.status().growing > 0) {
    const label = random.integer(0, 399);
    assert.is(index.search(vectors[label] as Float32Array, 1, 64).labels[0], label);
    index.work(1);
  }
  assert.equal([index.status().rebuilds, index.status().live, index.inserts - inserts], [1, 400, 400]);
});

test('while a graph is saved it is not renewed', async (t) => {
  const index = createIndex(parameters, { limits });
  t.after(() => index.close());
  const random = new Random(t.seed());
  for (let label = 0; label < 200; label++) index.add(label, random.vector(4), null);
  fill(index);
  const saving = index.save(t.folder(), { uid: 1, labelGeneration: 0, seq: 1, nextLabel: 200 });
  assert.is(index.renew(), false);
  await saving;
  assert.is(index.renew(), true);
});

test.run();
