/** The native graph itself, in every build that this machine can run: what it computes, and that nothing it is given ends the process. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DISTANCES, type Distance, dot, norm, squaredEuclid } from '../../src/model/distance.js';
import { type LabelFilter, labelFilterOf } from '../../src/model/label-filter.js';
import { loadNative } from '../../src/vector-index/native.js';
import type { NativeGraph, ScanBlock } from '../../src/vector-index/native-graph.js';
import type { VectorForm } from '../../src/vector-index/vector-index.js';
import { GaussianMixture, Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const test = suite('vector-index/native-graph');

const builds = new Map(
  [undefined, 'plain', 'hnswlib-node'].map((setting) => {
    const { build, Graph } = loadNative({ setting });
    return [build, Graph] as const;
  }),
);
const FORMS: readonly VectorForm[] = ['none', 'float16', 'int8'];
/** How far a kept component may be off, as a share of the greatest one. */
const ROUNDING = { none: 2 ** -24, float16: 2 ** -11, int8: 0.51 / 127 };
const NONE: LabelFilter = labelFilterOf(new Uint32Array(0));
const bounds = (limit: number, ef = 64): { limit: number; ef: number; visitsMax: number } => ({ limit, ef, visitsMax: 0 });

/** Of cosine, copies of length 1 are kept. */
const factorOf = (distance: Distance, vector: Float32Array): number => (distance === 'cosine' ? 1 / norm(vector) : 1);

function filled(graph: NativeGraph, vectors: readonly Float32Array[], labelOf = (place: number): number => place): NativeGraph {
  graph.create(vectors.length, 8, 60, 1);
  for (const [place, vector] of vectors.entries()) {
    graph.load(vector, 1);
    graph.insert(labelOf(place), true);
  }
  return graph;
}

const newBlock = (room: number): ScanBlock => ({
  labels: new Uint32Array(room),
  measures: new Float64Array(room),
  state: new Float64Array(3),
});

/** Everything that a scan gives, in blocks of `room`. */
function scanned(graph: NativeGraph, query: Float32Array, to: number, filter: LabelFilter | null = null, most = Infinity) {
  const block = newBlock(7);
  const found: [number, number][] = [];
  for (let from = 0; from < to; from = block.state[2] as number) {
    graph.scan(query, { from, to, most }, filter, block);
    for (let i = 0; i < (block.state[0] as number); i++) found.push([block.labels[i] as number, block.measures[i] as number]);
  }
  return found;
}

/** What a scan must measure of a kept vector. */
function measureOf(distance: Distance, query: Float32Array, kept: Float32Array): number {
  return distance === 'euclid' ? Math.sqrt(squaredEuclid(query, kept)) : -dot(query, kept);
}

for (const [build, Graph] of builds) {
  const forms = build === 'hnswlib-node' ? (['none'] as const) : FORMS;
  for (const form of forms) {
    for (const distance of DISTANCES) {
      test(`${build}, ${form}, ${distance}: distances and measures are those of what is kept, in every dimension and size`, () => {
        const cases = fc.record({
          dimension: fc.integer({ min: 1, max: 70 }),
          seed: fc.nat(),
          exponent: fc.integer({ min: -20, max: 20 }),
        });
        fc.assert(
          fc.property(cases, ({ dimension, seed, exponent }) => {
            const random = new Random(seed);
            const vectors = Array.from({ length: 6 }, () => random.vector(dimension).map((value) => value * 2 ** exponent));
            const graph = filled(new Graph(distance, dimension, form), vectors);
            const query = random.vector(dimension).map((value) => value * 2 ** exponent);
            const kept = vectors.map((_, label) => graph.vectorOf(label));
            for (const [label, vector] of vectors.entries()) {
              const most = vector.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0);
              for (const [i, value] of vector.entries())
                assert.ok(Math.abs(((kept[label] as Float32Array)[i] as number) - value) <= most * ROUNDING[form]);
            }
            const unit = 4 ** exponent * dimension;
            const { labels, distances } = graph.search(query, 1, bounds(6), null);
            assert.is(labels.length, 6);
            for (const [i, label] of labels.entries()) {
              const inside = kept[label] as Float32Array;
              const exact = distance === 'dot' ? 1 - dot(query, inside) : squaredEuclid(query, inside);
              const near = (form === 'int8' ? 1e-3 : 1e-5) * (unit + 1);
              assert.ok(Math.abs((distances[i] as number) - exact) <= near, `${distances[i]} is not ${exact}`);
            }
            for (const [label, measure] of scanned(graph, query, 6)) {
              const exact = measureOf(distance, query, kept[label] as Float32Array);
              if (form === 'int8')
                assert.ok(Math.abs(measure - exact) <= 1e-3 * (distance === 'euclid' ? Math.sqrt(unit) : unit));
              else assert.is(measure, exact, 'to the last bit');
            }
          }),
          { numRuns: 40 },
        );
      });

      test(`${build}, ${form}, ${distance}: a scan gives exactly what is not beyond its bound, also where float32 cannot tell`, () => {
        fc.assert(
          fc.property(
            fc.integer({ min: 1, max: 40 }),
            fc.nat(),
            fc.integer({ min: -30, max: 30 }),
            (dimension, seed, exponent) => {
              const random = new Random(seed);
              const centre = random.vector(dimension).map((value) => value * 2 ** exponent);
              // So near each other that many differ in the last bits only.
              const near = (): Float32Array => centre.map((value) => value * (1 + random.integer(0, 3) * 2 ** -23));
              const graph = new Graph(distance, dimension, form);
              graph.create(40, 8, 60, 1);
              for (let label = 0; label < 40; label++) {
                const vector = near();
                graph.load(vector, factorOf(distance, vector));
                graph.insert(label, true);
              }
              const query = random.boolean() ? near() : random.vector(dimension);
              const all = scanned(graph, query, 40);
              assert.is(all.length, 40);
              const most = (all[random.integer(0, 39)] as [number, number])[1];
              assert.equal(
                scanned(graph, query, 40, null, most),
                all.filter(([, measure]) => measure <= most),
              );
            },
          ),
          { numRuns: 30 },
        );
      });
    }
  }

  test(`${build}: labels may lie anywhere, and walks and scans know filters of them`, (t) => {
    const random = new Random(t.seed());
    const data = new GaussianMixture(random, { dimension: 12, clusters: 8 });
    const vectors = data.take(1_500);
    // Far apart, in no order, and up to the last label there is.
    const labels = random.shuffled(vectors.map((_, i) => (i % 3 === 0 ? 2 ** 31 - 1 - i : i * (i % 3 === 1 ? 1 : 4_000))));
    const graph = filled(new Graph('euclid', 12, 'none'), vectors, (place) => labels[place] as number);
    const all = Uint32Array.from(labels).sort();
    for (const share of [1, 2, 4, 20]) {
      const picked = all.filter((_, i) => i % share === 0);
      const filter = labelFilterOf(picked);
      assert.is(graph.matches(filter, 10_000), picked.length);
      assert.is(graph.matches(filter, 3), 3);
      if (build !== 'hnswlib-node')
        assert.equal(
          scanned(graph, vectors[0] as Float32Array, 2 ** 31, filter).map(([label]) => label),
          [...picked],
        );
      let found = 0;
      for (const query of data.take(20)) {
        const exact = [...picked].sort((a, b) => graph.measure(query, a, 1) - graph.measure(query, b, 1)).slice(0, 5);
        const hits = graph.search(query, 1, bounds(5), filter);
        assert.ok(hits.labels.every((label) => picked.includes(label)));
        found += exact.filter((label) => hits.labels.includes(label)).length;
      }
      assert.ok(found >= 98, `${found} of 100`);
    }
    assert.is(graph.search(vectors[0] as Float32Array, 1, bounds(5), NONE).labels.length, 0);
    assert.is(graph.matches(NONE, 5), 0);
  });

  test(`${build}: what lies far off the query, behind all that does not pass, is found`, (t) => {
    const random = new Random(t.seed());
    const data = new GaussianMixture(random, { dimension: 16, clusters: 30 });
    const vectors = data.take(4_000);
    const graph = filled(new Graph('euclid', 16, 'none'), vectors);
    let [found, wanted] = [0, 0];
    for (const query of data.take(15)) {
      const order = [...vectors.keys()].sort((a, b) => graph.measure(query, a, 1) - graph.measure(query, b, 1));
      for (const first of [400, 2_000, 3_500]) {
        const far = order.slice(first);
        const { labels } = graph.search(query, 1, bounds(10), labelFilterOf(Uint32Array.from(far).sort()));
        found += far.slice(0, 10).filter((label) => labels.includes(label)).length;
        wanted += 10;
      }
    }
    assert.ok(found >= wanted * (build === 'hnswlib-node' ? 0.8 : 0.98), `${found} of ${wanted}`);
  });

  test(`${build}: twins answer for their place, hidden and removed labels do not, and a place moves to another graph as it is kept`, () => {
    for (const form of forms) {
      const graph = filled(new Graph('euclid', 3, form), [Float32Array.of(1, 2, 3), Float32Array.of(3, 2, 1)]);
      const query = Float32Array.of(1, 2, 3);
      const found = (filter: LabelFilter | null = null): number[] => [...graph.search(query, 1, bounds(5), filter).labels];
      assert.equal(found(), [0, 1]);
      graph.load(query, 1);
      assert.equal([graph.holdsLoaded(0), graph.holdsLoaded(1), graph.holdsLoaded(2)], [true, false, false]);
      graph.join(0, 7, true);
      graph.join(0, 8, false);
      assert.equal(found(), [0, 7, 1]);
      assert.equal(found(labelFilterOf(Uint32Array.of(7))), [7]);
      graph.remove(0);
      graph.remove(0);
      assert.equal(found(), [7, 1]);
      assert.ok(graph.holdsLoaded(0), 'others may join a place whose own label is gone');
      graph.join(0, 9, true);
      graph.remove(7);
      assert.equal(found(), [9, 1]);
      graph.hide(1);
      assert.equal(found(), [9]);
      assert.is(
        graph.measure(query, 1, 2),
        measureOf(
          'euclid',
          query,
          graph.vectorOf(1).map((value) => value * 2),
        ),
      );
      const other = new Graph('euclid', 3, form);
      other.create(4, 8, 60, 1);
      assert.is(other.loadFrom(graph, 9), graph.load(query, 1), 'the same bits have the same hash');
      other.insert(9, true);
      assert.equal(other.vectorOf(9), graph.vectorOf(9));
      graph.remove(9);
      assert.equal(found(), []);
      assert.throws(() => graph.vectorOf(9), /label 9 is not live/);
    }
  });

  test(`${build}: a walk says how many places it looked at, or nothing`, (t) => {
    const random = new Random(t.seed());
    const vectors = Array.from({ length: 100 }, () => random.vector(3));
    const graph = filled(new Graph('euclid', 3, 'none'), vectors);
    const { labels, visited } = graph.search(random.vector(3), 1, { limit: 10, ef: 20, visitsMax: 0 }, null);
    assert.is(labels.length, 10);
    assert.ok(build === 'hnswlib-node' ? visited === 0 : visited >= 20 && visited <= 200, `${visited}`);
  });

  test(`${build}: of many twins those that are left answer, in whatever order the others go`, (t) => {
    const random = new Random(t.seed());
    const graph = filled(new Graph('euclid', 3, 'none'), [Float32Array.of(1, 2, 3), Float32Array.of(3, 2, 1)]);
    const left = new Set([0]);
    const found = (): number[] => [...graph.search(Float32Array.of(1, 2, 3), 1, bounds(100), null).labels].sort((a, b) => a - b);
    for (let label = 2; label < 60; label++) {
      graph.join(label % 2, label, true);
      left.add(label);
    }
    left.add(1);
    const going = random.shuffled([...left]);
    for (const label of going) {
      assert.equal(
        found(),
        [...left].sort((a, b) => a - b),
      );
      graph.remove(label);
      left.delete(label);
    }
    assert.equal(found(), []);
  });

  test(`${build}: while a file is written searches and removals go on, and the graph does not change`, async (t) => {
    const random = new Random(t.seed());
    const vectors = Array.from({ length: 500 }, () => random.vector(6));
    const graph = filled(new Graph('euclid', 6, 'none'), vectors);
    const path = join(t.folder(), 'graph');
    const writing = graph.write(path);
    graph.load(random.vector(6), 1);
    for (const change of [() => graph.insert(500, true), () => graph.resize(9_000), () => graph.free()])
      assert.throws(change, /being read or written/);
    const second = (async () => graph.write(path))().then(
      () => assert.unreachable('one write at a time'),
      (error: unknown) => assert.match(String(error), /being read or written/),
    );
    graph.remove(3);
    assert.is(graph.search(vectors[0] as Float32Array, 1, bounds(500, 500), null).labels.length, 499);
    await writing;
    await second;
    const again = new Graph('euclid', 6, 'none');
    await again.read(path);
    assert.is(again.count, 500);
    assert.is(again.search(vectors[0] as Float32Array, 1, bounds(500, 500), null).labels.length, 500);
    for (const broken of [join(t.folder(), 'nothing'), join(t.folder(), 'text')]) {
      if (broken.endsWith('text'))
        writeFileSync(broken, 'no graph, but a text that is long enough to be read as the header of one '.repeat(4));
      if (build === 'hnswlib-node' && broken.endsWith('text')) continue;
      await new Graph('euclid', 6, 'none').read(broken).then(
        () => assert.unreachable('it is no graph'),
        (error: unknown) => assert.instance(error, Error),
      );
    }
  });

  if (build === 'hnswlib-node') continue;

  test(`${build}: whatever is given wrongly is an error, and the graph is as it was`, () => {
    const graph = filled(new Graph('euclid', 4, 'none'), [Float32Array.of(1, 2, 3, 4), Float32Array.of(4, 3, 2, 1)]);
    const query = Float32Array.of(1, 1, 1, 1);
    const gone = Float32Array.of(1, 2, 3, 4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    const block = newBlock(4);
    const loose = graph as unknown as Record<string, (...given: unknown[]) => unknown>;
    const range = { from: 0, to: 2, most: 1 };
    const wrong: readonly [string, ...unknown[]][] = [
      ...[
        gone,
        new Float32Array(3),
        new Float64Array(4),
        [1, 2, 3, 4],
        null,
        undefined,
        Float32Array.of(1, Number.NaN, 1, 1),
      ].flatMap((vector): [string, ...unknown[]][] => [
        ['load', vector, 1],
        ['search', vector, 1, bounds(1), null],
        ['scan', vector, range, null, block],
        ['measure', vector, 0, 1],
      ]),
      ...[-1, 2 ** 31, 1.5, Number.NaN, '0', null].flatMap((label): [string, ...unknown[]][] => [
        ['insert', label, true],
        ['remove', label],
        ['join', label, 5, true],
        ['join', 0, label, true],
        ['vectorOf', label],
        ['measure', query, label, 1],
        ['loadFrom', graph, label],
      ]),
      ['load', query, 'much'],
      ['loadFrom', {}, 0],
      ['loadFrom', new Graph('euclid', 4, 'int8'), 0],
      ['loadFrom', new Graph('euclid', 5, 'none'), 0],
      ['insert', 1, true],
      ['insert', 2, true],
      ['join', 0, 1, true],
      ['join', 6, 7, true],
      ['hide', 9],
      ['resize', 1],
      ['resize', 2 ** 40],
      ['create', 0, 8, 60, 1],
      ['create', 8, 1, 60, 1],
      ['create', 8, 5_000, 60, 1],
      ['search', query, 1, bounds(0), null],
      ['search', query, 1, bounds(1, -1), null],
      ['search', query, 1, null, null],
      ['search', query, 1, bounds(1), { pageOf: [0], bits: new Uint32Array(2_048), size: 1 }],
      ['search', query, 1, bounds(1), { pageOf: Int32Array.of(0), bits: new Int32Array(2_048), size: 1 }],
      ['search', query, 1, bounds(1), { pageOf: Int32Array.of(0), bits: new Uint32Array(2_048) }],
      ['scan', query, { from: 2, to: 1, most: 1 }, null, block],
      ['scan', query, { from: 0, to: 2 ** 32, most: 1 }, null, block],
      ['scan', query, range, null, newBlock(0)],
      ['scan', query, range, null, { ...block, state: new Float64Array(2) }],
      ['scan', query, range, null, { ...block, labels: new Uint16Array(4) }],
    ];
    graph.load(query, 1);
    for (const [call, ...given] of wrong) assert.throws(() => loose[call]?.(...given), Error, `${call} of ${inspect(given)}`);
    for (const [distance, dimension, form] of [
      ['l2', 4, 'none'],
      ['dot', 0, 'none'],
      ['dot', 70_000, 'none'],
      ['dot', 4, 'int4'],
    ])
      assert.throws(() => new Graph(distance as Distance, dimension as number, form as VectorForm));
    // Pages and bits that are not there hold nothing.
    for (const filter of [
      { pageOf: Int32Array.of(5, -7), bits: new Uint32Array(2_048).fill(2 ** 32 - 1), size: 9 },
      { pageOf: Int32Array.of(0), bits: new Uint32Array(10).fill(2 ** 32 - 1), size: 9 },
    ])
      assert.is(graph.search(query, 1, bounds(5), filter).labels.length, 0);
    assert.equal([...graph.search(query, 1, bounds(5), null).labels].sort(), [0, 1]);
    assert.is(graph.count, 2);
    graph.free();
    assert.is(graph.search(query, 1, bounds(5), null).labels.length, 0);
    assert.equal([graph.count, graph.capacity, scanned(graph, query, 9)], [0, 0, []]);
    assert.throws(() => graph.insert(3, true), /was not made/);
  });
}

test.run();
