/** The vector index's door: what holds for flat rows, for a graph, for a graph with rows that wait before it, and for one that is rebuilt
 *  again and again. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DISTANCES, type Distance, scorer } from '../../src/model/distance.js';
import { createIndex, openCheckpoint } from '../../src/vector-index/open-index.js';
import type { IndexParameters, VectorIndex } from '../../src/vector-index/vector-index.js';
import { fill } from '../support/filled-index.js';
import { GaussianMixture, Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('contract/vector-index');

/** How many points stay flat, how many removed ones make a rebuild, and how many labels come before waiting points get their place. */
const KINDS = {
  flat: { flatPointsMax: 1_000_000, rebuildTombstonesMin: 500, fillEvery: 1 },
  waiting: { flatPointsMax: 40, rebuildTombstonesMin: 500, fillEvery: 37 },
  graph: { flatPointsMax: 0, rebuildTombstonesMin: 500, fillEvery: 1 },
  rebuilt: { flatPointsMax: 0, rebuildTombstonesMin: 3, fillEvery: 1 },
} as const;
type Kind = keyof typeof KINDS;

/** Adds a label, and lets the graph take what waits when it is time for that. */
function put(kind: Kind, index: VectorIndex, label: number, vector: Float32Array, replaces: number | null = null): void {
  index.add(label, vector, replaces);
  if (label % KINDS[kind].fillEvery === 0) fill(index);
}

function make(kind: Kind, distance: Distance, dimension = 8): { index: VectorIndex; parameters: IndexParameters } {
  const parameters = { dimension, distance, m: 8, efConstruct: 100, quantization: 'none' } as const;
  const { flatPointsMax, rebuildTombstonesMin } = KINDS[kind];
  const limits = { flatPointsMax, rebuildTombstonesMin, flatBytesMax: 2 ** 30 };
  return { parameters, index: createIndex(parameters, { limits }) };
}

/** Exact answer over a model, ties by label. */
function nearest(distance: Distance, points: ReadonlyMap<number, Float32Array>, query: Float32Array, limit: number): number[] {
  const score = scorer(distance, query);
  const better = distance === 'euclid' ? 1 : -1;
  const scored = [...points].map(([label, vector]) => ({ label, score: score(vector) * better }));
  return scored
    .sort((a, b) => a.score - b.score || a.label - b.label)
    .slice(0, limit)
    .map(({ label }) => label);
}

const allowed = (points: ReadonlyMap<number, Float32Array>): number[] => [...points.keys()].sort((a, b) => a - b);

for (const kind of Object.keys(KINDS) as Kind[]) {
  for (const distance of DISTANCES) {
    test(`${kind}, ${distance}: answers as an exact search does, through adds, replacements and removals`, (t) => {
      const random = new Random(t.seed());
      const data = new GaussianMixture(random, { dimension: 8, clusters: 10 });
      const { index } = make(kind, distance);
      t.after(() => index.close());
      const points = new Map<number, Float32Array>();
      let found = 0;
      let wanted = 0;
      for (let label = 0; label < 600; label++) {
        const vector = data.next();
        const replaces = random.boolean(0.3) && points.size > 0 ? random.pick([...points.keys()]) : null;
        put(kind, index, label, vector, replaces);
        points.set(label, vector);
        if (replaces !== null) points.delete(replaces);
        if (random.boolean(0.2) && points.size > 0) {
          const gone = random.pick([...points.keys()]);
          index.remove(gone);
          points.delete(gone);
        }
        if (label % 50 !== 49) continue;
        assert.equal([...index.liveLabels()], allowed(points));
        const query = data.next();
        const { labels, scores, exact } = index.search(query, 10, 200);
        assert.is(exact, index.status().kind === 'flat');
        const truth = nearest(distance, points, query, 10);
        assert.is(labels.length, truth.length);
        assert.is(new Set(labels).size, labels.length, 'no duplicates');
        assert.ok(
          [...labels].every((found) => points.has(found)),
          'only live labels',
        );
        if (exact) {
          assert.equal([...labels], truth);
          assert.equal(
            [...scores],
            truth.map((label) => scorer(distance, query)(points.get(label) as Float32Array)),
          );
        }
        found += truth.filter((label) => labels.includes(label)).length;
        wanted += truth.length;
      }
      assert.ok(found >= wanted * 0.99, `recall ${found} of ${wanted}`);
      assert.is(index.status().live, points.size);
      if (kind === 'rebuilt') assert.ok(index.status().rebuilds > 2, `${index.status().rebuilds} rebuilds`);
    });
  }

  if (kind !== 'flat')
    test(`${kind}: a saved index opens with all but what waited, answers as before once that is added, and goes on from there`, async (t) => {
      const random = new Random(t.seed());
      const { index, parameters } = make(kind, 'cosine');
      const vectors = Array.from({ length: 200 }, () => random.vector(8));
      const first = 7_000_000;
      for (const [i, vector] of vectors.entries()) put(kind, index, first + i, vector);
      for (let label = first; label < first + 200; label += 3) index.remove(label);
      const waiting = index.status().waiting;
      assert.is(waiting > 0, kind === 'waiting');
      const folder = t.folder();
      const owner = { uid: 5, labelGeneration: 2 };
      const bytes = await index.save(folder, { ...owner, seq: 99, nextLabel: first + 200 });
      assert.ok(bytes > 0);

      const opened = await openCheckpoint(folder, { ...owner, parameters });
      if ('refused' in opened) throw new Error(opened.refused);
      const labels = [...index.liveLabels()];
      const nextLabel = labels[labels.length - waiting] ?? first + 200;
      assert.equal(opened.head, { format: 4, ...owner, seq: 99, nextLabel, parameters });
      assert.equal([...opened.index.liveLabels()], labels.slice(0, labels.length - waiting));
      for (const label of labels.slice(labels.length - waiting))
        opened.index.add(label, vectors[label - first] as Float32Array, null);
      assert.equal(opened.index.liveLabels(), index.liveLabels());
      const { kind: opens, tombstones, waiting: waits } = opened.index.status();
      assert.equal([opens, tombstones, waits], ['graph', index.status().tombstones, waiting]);
      for (const query of vectors.slice(0, 20)) {
        assert.equal(opened.index.search(query, 10, 64), index.search(query, 10, 64));
      }
      opened.index.add(first + 200, vectors[1] as Float32Array, first + 1);
      assert.is(opened.index.search(vectors[1] as Float32Array, 1, 64).labels[0], first + 200);
      assert.is(opened.index.has(first + 1), false);
      index.close();
      opened.index.close();
    });

  test(`${kind}: a replacement shows the old label or the new one, never both, never neither`, (t) => {
    const { index } = make(kind, 'euclid');
    t.after(() => index.close());
    const at = (place: number): Float32Array => new Float32Array(8).fill(place);
    for (let label = 0; label < 60; label++) put(kind, index, label, at(label));
    for (let label = 60; label < 160; label++) {
      put(kind, index, label, at(label % 60), label - 60);
      const { labels } = index.search(at(label % 60), 2, 64);
      assert.is(labels[0], label);
      assert.not.ok(labels.includes(label - 60));
      assert.is(index.status().live, 60);
    }
  });

  test(`${kind}: a label comes once and never again, even after its removal`, (t) => {
    // hnswlib loses other points from its label map when a deleted label is added again, and updates in place when a live one is.
    const { index } = make(kind, 'dot');
    t.after(() => index.close());
    const vector = new Float32Array(8).fill(1);
    for (let label = 0; label < 50; label++) put(kind, index, label, vector);
    assert.throws(() => index.add(3, vector, null), /label 3 is not beyond/);
    index.remove(3);
    assert.throws(() => index.add(3, vector, null), /label 3 is not beyond/);
    index.add(50, vector, 4);
    assert.throws(() => index.add(4, vector, null), /label 4 is not beyond/);
    assert.is(index.status().live, 49);
  });

  test(`${kind}: refuses what the native code would take silently or die of, and stays as it was`, (t) => {
    const { index } = make(kind, 'euclid', 2);
    t.after(() => index.close());
    for (let label = 0; label < 50; label++) put(kind, index, label, Float32Array.of(label, 1));
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      assert.throws(() => index.add(60, Float32Array.of(1, bad), null), /not finite/);
    }
    assert.throws(() => index.add(60, Float32Array.of(1), null), /components/);
    assert.throws(() => index.add(60, Float32Array.of(1, 2, 3), null), /components/);
    for (const label of [-1, 1.5, 2 ** 31, 2 ** 32, Number.NaN]) {
      assert.throws(() => index.add(label, Float32Array.of(1, 1), null), /out of range/);
    }
    assert.throws(() => index.search(Float32Array.of(1), 1, 10), /components/);
    for (const limit of [0, -1, 1.5, Number.NaN]) assert.throws(() => index.search(Float32Array.of(1, 1), limit, 10), /limit/);
    assert.is(index.status().live, 50);
    assert.is(index.search(Float32Array.of(7, 1), 1, 10).labels[0], 7);
  });

  test(`${kind}: removing what is not inside does nothing, and removing everything leaves nothing to find`, (t) => {
    const { index } = make(kind, 'cosine', 3);
    t.after(() => index.close());
    index.remove(4);
    assert.is(index.search(Float32Array.of(1, 0, 0), 5, 64).labels.length, 0);
    const random = new Random(t.seed());
    for (let label = 0; label < 80; label++) put(kind, index, label, random.vector(3));
    index.remove(4_000);
    assert.is(index.search(random.vector(3), 1_000, 1).labels.length, 80, 'a limit above the live count gives them all');
    for (let label = 0; label < 80; label++) {
      index.remove(label);
      index.remove(label);
    }
    assert.is(index.search(random.vector(3), 10, 64).labels.length, 0);
    assert.is(index.status().live, 0);
    assert.is(index.liveLabels().length, 0);
    index.add(80, Float32Array.of(1, 2, 3), null);
    assert.equal([...index.search(random.vector(3), 10, 64).labels], [80]);
  });

  if (kind !== 'flat')
    test(`${kind}: while a checkpoint is written searches and changes go on, and it has what was there when it began`, async (t) => {
      const { index, parameters } = make(kind, 'euclid', 2);
      t.after(() => index.close());
      const at = (place: number): Float32Array => Float32Array.of(place, 0);
      const found = (place: number): number | undefined => index.search(at(place), 1, 64).labels[0];
      for (let label = 0; label < 100; label++) put(kind, index, label, at(label));
      const folder = t.folder();
      const owner = { uid: 1, labelGeneration: 0 };
      const saving = index.save(folder, { ...owner, seq: 1, nextLabel: 100 });
      await index.save(folder, { ...owner, seq: 2, nextLabel: 100 }).then(
        () => assert.unreachable('one save at a time'),
        (error: unknown) => assert.match(String(error), /being written already/),
      );
      const before = index.status();
      index.remove(3);
      index.remove(3);
      index.add(100, at(10), 10);
      index.add(101, at(200), null);
      index.remove(99);
      const check = (): void => {
        assert.equal([found(10), found(200), index.has(3), index.has(10), index.has(99)], [100, 101, false, false, false]);
        assert.ok([2, 4].includes(found(3) as number));
        const labels = [...Array(99).keys(), 100, 101].filter((label) => label !== 3 && label !== 10);
        assert.equal([...index.liveLabels()], labels);
        assert.equal(
          [...index.search(at(0), 1_000, 64).labels].sort((a, b) => a - b),
          labels,
        );
        const { live, tombstones, waiting } = index.status();
        assert.is(live, 99);
        assert.is(live + tombstones, before.live + before.tombstones + 2 - (before.waiting - waiting + 2));
      };
      check();
      assert.is(index.work(1_000), null, 'the graph stands still');
      await saving;
      check();
      fill(index);
      assert.is(index.status().waiting, 0);
      assert.equal([found(10), found(200), index.has(3)], [100, 101, false]);

      const opened = await openCheckpoint(folder, { ...owner, parameters });
      if ('refused' in opened) throw new Error(opened.refused);
      assert.is(opened.index.status().live, 100 - before.waiting);
      assert.is(opened.head.nextLabel, 100 - before.waiting);
      opened.index.close();
    });

  if (kind !== 'flat')
    test(`${kind}: an index that is closed while its checkpoint is written is gone at once, and the checkpoint is whole`, async (t) => {
      const random = new Random(t.seed());
      const { index, parameters } = make(kind, 'dot');
      for (let label = 0; label < 100; label++) put(kind, index, label, random.vector(8));
      const { live, waiting } = index.status();
      const folder = t.folder();
      const owner = { uid: 1, labelGeneration: 0 };
      const saving = index.save(folder, { ...owner, seq: 1, nextLabel: 100 });
      index.remove(0);
      index.close();
      assert.throws(() => index.search(random.vector(8), 5, 64), /closed/);
      assert.throws(() => index.add(100, random.vector(8), null), /closed/);
      await saving;
      assert.throws(() => index.search(random.vector(8), 5, 64), /closed/);
      assert.is(index.work(10), null);
      const opened = await openCheckpoint(folder, { ...owner, parameters });
      if ('refused' in opened) throw new Error(opened.refused);
      assert.is(opened.index.status().live, live - waiting);
      opened.index.close();
    });
}

test('any history of adds, replacements and removals leaves the same live labels as a set does', () => {
  const step = fc.record({ kind: fc.constantFrom('add', 'replace', 'remove'), pick: fc.nat(1_000) });
  fc.assert(
    fc.property(fc.constantFrom(...(Object.keys(KINDS) as Kind[])), fc.array(step, { maxLength: 120 }), (kind, steps) => {
      const { index } = make(kind, 'euclid', 2);
      const live = new Set<number>();
      let next = 0;
      for (const { kind: change, pick } of steps) {
        const chosen = [...live][pick % Math.max(1, live.size)] ?? null;
        if (change === 'remove' && chosen !== null) {
          index.remove(chosen);
          live.delete(chosen);
        } else {
          const replaces = change === 'replace' ? chosen : null;
          put(kind, index, next, Float32Array.of(pick, next), replaces);
          live.add(next++);
          if (replaces !== null) live.delete(replaces);
        }
      }
      const expected = [...live].sort((a, b) => a - b);
      assert.equal([...index.liveLabels()], expected);
      const { labels } = index.search(Float32Array.of(1, 1), 1_000, 1_000);
      assert.ok([...labels].every((label) => live.has(label)));
      assert.is(index.status().live, live.size);
      index.close();
    }),
    { numRuns: 60 },
  );
});

test.run();
