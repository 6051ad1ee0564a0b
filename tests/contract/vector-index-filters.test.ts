/** The vector index's door with filters and scans: whatever is inside and however it is kept, only what passes is found, and all of it. */

import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { DISTANCES, type Distance, scorer } from '../../src/model/distance.js';
import { type LabelFilter, labelFilterOf } from '../../src/model/label-filter.js';
import { exactTopK } from '../../src/vector-index/exact-scan.js';
import { createIndex, nativeBuild, openCheckpoint } from '../../src/vector-index/open-index.js';
import type { IndexHealth, IndexHits, IndexScan, VectorForm, VectorIndex } from '../../src/vector-index/vector-index.js';
import { fill } from '../support/filled-index.js';
import { GaussianMixture, Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('contract/vector-index-filters');
const FORMS: readonly VectorForm[] = nativeBuild() === 'hnswlib-node' ? ['none'] : ['none', 'float16', 'int8'];
const OWNER = { uid: 1, labelGeneration: 0 };

/** How many points stay flat, how many removed ones make a rebuild, how many wait at the end. */
const KINDS = {
  flat: { flatPointsMax: 1_000_000, rebuildTombstonesMin: 500, waiting: 0 },
  waiting: { flatPointsMax: 0, rebuildTombstonesMin: 500, waiting: 150 },
  graph: { flatPointsMax: 0, rebuildTombstonesMin: 5_000, waiting: 0 },
  rebuilt: { flatPointsMax: 0, rebuildTombstonesMin: 40, waiting: 0 },
} as const;
type Kind = keyof typeof KINDS;

interface Rig {
  readonly index: VectorIndex;
  readonly live: Map<number, Float32Array>;
  readonly data: GaussianMixture;
  readonly random: Random;
}

/** 900 points of 12 clusters in 16 dimensions, of which 250 are replaced; label % 12 says nothing about the cluster. */
function make(t: TestContext, kind: Kind, distance: Distance, quantization: VectorForm = 'none'): Rig {
  const random = new Random(t.seed());
  const data = new GaussianMixture(random, { dimension: 16, clusters: 12 });
  const { flatPointsMax, rebuildTombstonesMin, waiting } = KINDS[kind];
  const limits = { flatPointsMax, rebuildTombstonesMin, flatBytesMax: 2 ** 30 };
  const index = createIndex({ dimension: 16, distance, m: 12, efConstruct: 120, quantization }, { limits });
  t.after(() => index.close());
  const live = new Map<number, Float32Array>();
  for (let label = 0; label < 1_150; label++) {
    const vector = data.next();
    const replaces = label >= 900 ? random.pick([...live.keys()]) : null;
    index.add(label, vector, replaces);
    if (replaces !== null) live.delete(replaces);
    live.set(label, vector);
    if (label < 1_150 - waiting) fill(index);
  }
  return { index, live, data, random };
}

function filterBy(live: ReadonlyMap<number, unknown>, passes: (label: number) => boolean): LabelFilter {
  // Labels that were removed or never came are in filters too.
  const labels = [...Array(1_300).keys()].filter((label) => passes(label) || (!live.has(label) && label % 3 === 0));
  return labelFilterOf(Uint32Array.from(labels));
}

function truth({ index, live }: Rig, query: Float32Array, limit: number, passes: (label: number) => boolean) {
  const exact = exactTopK(index.parameters.distance, query, limit);
  for (const [label, vector] of live) if (passes(label)) exact.offer(label, vector);
  return exact.finish();
}

function scanned(scan: IndexScan): IndexHits {
  while (!scan.advance(0));
  return scan.hits();
}

/** Best first, none twice, only what is live and passes. */
function checkHits({ index, live }: Rig, hits: IndexHits, passes: (label: number) => boolean): void {
  assert.is(hits.scores.length, hits.labels.length);
  assert.is(new Set(hits.labels).size, hits.labels.length);
  for (const label of hits.labels) assert.ok(live.has(label) && passes(label), `label ${label} may not be there`);
  const sign = index.parameters.distance === 'euclid' ? 1 : -1;
  for (let i = 1; i < hits.scores.length; i++)
    assert.ok((hits.scores[i - 1] as number) * sign <= (hits.scores[i] as number) * sign, 'best first');
}

for (const form of FORMS) {
  for (const kind of form === 'none' ? (Object.keys(KINDS) as Kind[]) : (['waiting', 'rebuilt'] as const)) {
    for (const distance of DISTANCES) {
      test(`${form}, ${kind}, ${distance}: a search finds the best that pass, many, few or none`, (t) => {
        const rig = make(t, kind, distance, form);
        const { index, live, data } = rig;
        let found = 0;
        let wanted = 0;
        for (const share of [1, 2, 3, 7, 30, 200, 10_000]) {
          const passes = (label: number): boolean => (label * 7_919) % share === (share === 1 ? 0 : 1);
          const filter = filterBy(live, passes);
          for (const query of data.take(8)) {
            const hits = index.search(query, form === 'none' ? 10 : 25, 80, { filter });
            const best = truth(rig, query, 10, passes);
            checkHits(rig, hits, passes);
            assert.ok(hits.reached && !hits.stopped);
            assert.ok(hits.labels.length >= best.labels.length, `${hits.labels.length} of ${best.labels.length}`);
            found += [...best.labels].filter((label) => hits.labels.includes(label)).length;
            wanted += best.labels.length;
            const score = scorer(distance, query);
            const near = form === 'none' ? 1e-5 : form === 'float16' ? 1e-2 : 0.3;
            for (const [i, label] of hits.labels.entries()) {
              const exact = score(live.get(label) as Float32Array);
              const off = Math.abs((hits.scores[i] as number) - exact) / Math.max(1, Math.abs(exact));
              assert.ok(hits.exact ? off === 0 : off < near, `a score of ${exact} is off by ${off}`);
            }
          }
        }
        assert.ok(found >= wanted * 0.98, `recall ${found} of ${wanted}`);
      });

      test(`${form}, ${kind}, ${distance}: a scan gives the true best of what passes, in slices`, (t) => {
        const rig = make(t, kind, distance, form);
        const { index, live, data } = rig;
        let found = 0;
        let wanted = 0;
        for (const share of [0, 1, 3, 40, 10_000]) {
          const passes = (label: number): boolean => share === 0 || (label * 7_919) % share === (share === 1 ? 0 : 1);
          const filter = share === 0 ? null : filterBy(live, passes);
          for (const query of data.take(5)) {
            const hits = scanned(index.scan(query, 10, filter, { candidates: 25 }));
            const best = truth(rig, query, 10, passes);
            checkHits(rig, hits, passes);
            assert.is(hits.scanned, [...live.keys()].filter(passes).length);
            if (hits.exact) assert.equal({ labels: hits.labels, scores: hits.scores }, best);
            assert.is(hits.exact, kind === 'flat' || (form === 'none' && distance !== 'cosine'));
            found += [...best.labels].filter((label) => hits.labels.includes(label)).length;
            wanted += best.labels.length;
          }
        }
        assert.ok(form === 'none' ? found === wanted : found >= wanted * 0.99, `recall ${found} of ${wanted}`);
      });
    }
  }

  test(`${form}: a saved index opens in its form and answers as before`, async (t) => {
    const rig = make(t, 'rebuilt', 'cosine', form);
    const { index, live, data } = rig;
    const folder = t.folder();
    await index.save(folder, { ...OWNER, seq: 5, nextLabel: 1_150 });
    const expected = { ...OWNER, parameters: index.parameters };
    const opened = await openCheckpoint(folder, expected, { limits: KINDS.rebuilt });
    if ('refused' in opened) throw new Error(opened.refused);
    t.after(() => opened.index.close());
    assert.equal(opened.index.liveLabels(), index.liveLabels());
    const filter = filterBy(live, (label) => label % 5 === 0);
    for (const query of data.take(10)) {
      assert.equal(opened.index.search(query, 10, 64, { filter }), index.search(query, 10, 64, { filter }));
      assert.equal(scanned(opened.index.scan(query, 10, filter)), scanned(index.scan(query, 10, filter)));
    }
    for (const other of (['none', 'float16', 'int8'] as const).filter((other) => other !== form)) {
      const parameters = { ...index.parameters, quantization: other };
      const refused = await openCheckpoint(folder, { ...OWNER, parameters });
      if ('index' in refused) t.after(() => refused.index.close());
      const said = 'refused' in refused ? refused.refused : `opened as ${refused.index.parameters.quantization}`;
      assert.match(said, FORMS.includes(other) ? `of quantization ${form}, not ${other}` : 'opened as none');
    }
  });

  test(`${form}: copies of one vector are found by filters that only some of them pass`, (t) => {
    const random = new Random(t.seed());
    const limits = { flatPointsMax: 0, flatBytesMax: 2 ** 30 };
    const index = createIndex({ dimension: 8, distance: 'euclid', m: 8, efConstruct: 60, quantization: form }, { limits });
    t.after(() => index.close());
    const same = random.vector(8);
    for (let label = 0; label < 600; label++) index.add(label, label % 2 === 0 ? same : random.vector(8), null);
    fill(index);
    for (const picked of [[0], [2, 598], [300], [10, 12, 14, 16, 18, 20, 22, 24, 26, 28]]) {
      const others = Array.from({ length: 300 }, (_, i) => 2 * i + 1);
      const filter = labelFilterOf(Uint32Array.from([...picked, ...others].sort((a, b) => a - b)));
      const { labels } = index.search(same, picked.length, 64, { filter });
      assert.equal(
        [...labels].sort((a, b) => a - b),
        picked,
      );
      assert.equal([...scanned(index.scan(same, picked.length, filter)).labels], picked);
      // The first of them stands for the others: it goes, they stay.
      index.remove(picked[0] as number);
      assert.not.ok(index.search(same, 5, 64, { filter }).labels.includes(picked[0] as number));
    }
  });
}

for (const distance of ['dot', 'euclid'] as const) {
  test(`${distance}: points that the graph cannot rank come with a filtered search, and a scan ranks them with the others`, (t) => {
    const random = new Random(t.seed());
    const limits = { flatPointsMax: 0, flatBytesMax: 2 ** 30 };
    const index = createIndex({ dimension: 8, distance, m: 8, efConstruct: 60, quantization: 'none' }, { limits });
    t.after(() => index.close());
    const live = new Map<number, Float32Array>();
    const sizes = [1, 1, 1, 1e25, 1e-25];
    for (let label = 0; label < 150; label++) {
      live.set(
        label,
        random.vector(8).map((value) => value * (sizes[label % 5] as number)),
      );
      index.add(label, live.get(label) as Float32Array, null);
    }
    fill(index);
    assert.is(index.status().unranked, 60);
    const passes = (label: number): boolean => label % 3 === 0;
    const filter = filterBy(live, passes);
    const rig = { index, live, random, data: new GaussianMixture(random, { dimension: 8 }) };
    for (const query of rig.data.take(5)) {
      const hits = index.search(query, 10, 64, { filter });
      checkHits(rig, hits, passes);
      for (const label of live.keys()) if (passes(label) && label % 5 > 2) assert.ok(hits.labels.includes(label));
      const best = truth(rig, query, 40, passes);
      const all = scanned(index.scan(query, 40, filter));
      assert.is(all.exact, false, 'what is out of all proportion is kept times a power of two');
      assert.equal(all.labels, best.labels);
      assert.equal(all.scores, best.scores);
    }
    for (let label = 150; label < 200; label++) index.add(label, new Float32Array(8).fill(1e28 + label * 1e25), null);
    fill(index);
    const { reached, labels } = index.search(random.vector(8), 10, 64, { filter });
    assert.equal([reached, labels.length], [false, 0]);
    assert.is(scanned(index.scan(random.vector(8), 10, null)).labels.length, 10);
  });
}

test('a walk that is stopped says so, and gives only what passes', (t) => {
  const rig = make(t, 'graph', 'euclid');
  const { index, live, data } = rig;
  const passes = (label: number): boolean => label % 2 === 0;
  const filter = filterBy(live, passes);
  const query = data.next();
  const free = index.search(query, 10, 200, { filter, visitsMax: 100_000 });
  assert.equal([free.stopped, free.reached], [false, true]);
  assert.ok(free.visited > 200 && free.rejected > 50 && free.rejected < free.visited);
  const bound = index.search(query, 10, 200, { filter, visitsMax: 60 });
  assert.is(bound.stopped, true);
  assert.ok(bound.visited < free.visited * 0.8, `${bound.visited} visits instead of ${free.visited}`);
  checkHits(rig, bound, passes);
  const none = index.search(query, 300, 300, { filter, visitsMax: 1 });
  assert.equal([none.stopped, none.reached, none.labels.length], [true, false, 0]);
});

test('between the slices of a scan points move, come and go: what stays is found, what went is not given', (t) => {
  const steps = fc.array(fc.record({ kind: fc.constantFrom('replace', 'remove', 'work', 'add'), pick: fc.nat(10_000) }), {
    minLength: 30,
    maxLength: 90,
  });
  fc.assert(
    fc.property(fc.constantFrom('waiting', 'graph', 'rebuilt'), steps, (kind, changes) => {
      const rig = make(t, kind as Kind, 'euclid');
      const { index, live, data } = rig;
      const query = data.next();
      const before = new Set(live.keys());
      const scan = index.scan(query, 20, null);
      let next = 1_150;
      const waiting = [...changes];
      const change = (): void => {
        const { kind: what, pick } = waiting.pop() ?? { kind: 'work', pick: 0 };
        const chosen = [...live.keys()][pick % live.size] as number;
        if (what === 'work') index.work(1);
        else if (what === 'remove') index.remove(chosen);
        else {
          live.set(next, data.next());
          index.add(next, live.get(next) as Float32Array, what === 'replace' ? chosen : null);
          next += 1;
        }
        if (what === 'remove' || what === 'replace') live.delete(chosen);
      };
      do for (let i = 0; i < 15; i++) change();
      while (!scan.advance(0));
      const hits = scan.hits();
      checkHits(rig, hits, () => true);
      const stayed = truth(rig, query, 20, (label) => before.has(label));
      for (const label of stayed.labels) assert.ok(hits.labels.includes(label), `${label} was missed`);
      index.close();
    }),
    { numRuns: 12, seed: t.seed() },
  );
});

test('a scan during which all points move from one graph to the other misses none and gives none twice', (t) => {
  let nowMs = 0;
  const tick = (): number => {
    nowMs += 10;
    return nowMs;
  };
  const limits = { flatPointsMax: 0, rebuildTombstonesMin: 40, flatBytesMax: 2 ** 30 };
  const random = new Random(t.seed());
  for (const looksBefore of [0, 1, 2]) {
    const parameters = { dimension: 4, distance: 'euclid', m: 8, efConstruct: 60, quantization: 'none' } as const;
    const index = createIndex(parameters, { limits, clock: { wallMs: tick, monotonicMs: tick } });
    t.after(() => index.close());
    const live = new Map(Array.from({ length: 2_500 }, (_, label) => [label, random.vector(4)]));
    for (const [label, vector] of live) index.add(label, vector, null);
    fill(index);
    for (let label = 0; index.status().growing === 0; label += 3) {
      index.remove(label);
      live.delete(label);
    }
    const query = random.vector(4);
    const scan = index.scan(query, 30, null);
    for (let looks = 0; looks < looksBefore; looks++) assert.is(scan.advance(0), false);
    while (index.status().growing > 0) index.work(1);
    const rig = { index, live, random, data: new GaussianMixture(random, { dimension: 4 }) };
    const { labels, scores } = scanned(scan);
    assert.equal(
      { labels, scores },
      truth(rig, query, 30, () => true),
    );
  }
});

function healthOf(index: VectorIndex, sampleMax: number): IndexHealth | null {
  const look = index.lookAtHealth(sampleMax);
  while (!look.advance(0));
  return look.health();
}

test('the health of a graph counts what is found by its own vector and who links to whom', (t) => {
  const { index } = make(t, 'graph', 'euclid');
  const health = healthOf(index, 100);
  if (nativeBuild() === 'hnswlib-node') {
    assert.is(health, null);
    return;
  }
  if (health === null) throw new Error('there is a graph');
  assert.is(health.sampled, 100);
  assert.ok(health.reachable >= 99);
  assert.is(health.orphans, 0);
  assert.ok(health.inDegreeMin >= 1 && health.inDegreeMean > 5 && health.inDegreeMean <= 24);
  assert.is(healthOf(make(t, 'flat', 'dot').index, 10), null);
});

test('a look at the health of a graph goes on in slices, passes over what goes meanwhile, and ends with the graph', (t) => {
  if (nativeBuild() === 'hnswlib-node') return;
  const { index, live } = make(t, 'graph', 'euclid');
  const look = index.lookAtHealth(100);
  for (let i = 0; i < 50; i++) assert.is(look.advance(0), false);
  for (const label of [...live.keys()].slice(-90)) index.remove(label);
  while (!look.advance(0));
  const { sampled, reachable } = look.health() ?? { sampled: 0, reachable: 0 };
  assert.ok(sampled > 50 && sampled < 100 && reachable >= sampled - 1, `${reachable} of ${sampled}`);
  const ended = index.lookAtHealth(100);
  assert.is(ended.advance(0), false);
  for (const label of index.liveLabels()) index.remove(label);
  assert.is(ended.advance(0), true);
  assert.is(ended.health()?.sampled, 1);
});

test.run();
