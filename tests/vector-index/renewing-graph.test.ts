/** A graph that is rebuilt while it serves: nothing is lost, found twice or found worse, whatever is written meanwhile. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { Clock } from '../../src/model/clock.js';
import { type Distance, scorer } from '../../src/model/distance.js';
import { decodeHead, encodeHead } from '../../src/vector-index/checkpoint-head.js';
import { createIndex, openCheckpoint } from '../../src/vector-index/open-index.js';
import type { VectorIndex } from '../../src/vector-index/vector-index.js';
import { fill } from '../support/filled-index.js';
import { GaussianMixture, Random } from '../support/random.js';
import { suite, type TestContext } from '../support/suite.js';

const test = suite('vector-index/renewing-graph');
const OWNER = { uid: 1, labelGeneration: 0 };
const LIMITS = { flatPointsMax: 0, rebuildTombstonesMin: 50 };
const QUIET_MS = 5_000;
const DIMENSION = 16;

/** A clock that stands until it is moved; every question costs a little. */
class SlowClock implements Clock {
  nowMs = 0;
  wallMs(): number {
    return this.nowMs;
  }
  monotonicMs(): number {
    this.nowMs += 0.01;
    return this.nowMs;
  }
}

interface Rig {
  readonly index: VectorIndex;
  readonly clock: SlowClock;
  /** What must be inside. */
  readonly live: Map<number, Float32Array>;
  add(vector: Float32Array, replaces?: number | null): number;
  remove(label: number): void;
}

function make(t: TestContext, distance: Distance = 'euclid'): Rig {
  const clock = new SlowClock();
  const index = createIndex(
    { dimension: DIMENSION, distance, m: 16, efConstruct: 100, quantization: 'none' },
    { limits: LIMITS, clock },
  );
  t.after(() => index.close());
  const live = new Map<number, Float32Array>();
  let next = 0;
  return {
    index,
    clock,
    live,
    add: (vector, replaces = null) => {
      index.add(next, vector, replaces);
      fill(index);
      if (replaces !== null) live.delete(replaces);
      live.set(next, vector);
      return next++;
    },
    remove: (label) => {
      index.remove(label);
      live.delete(label);
    },
  };
}

function truth({ index, live }: Rig, query: Float32Array): number[] {
  const score = scorer(index.parameters.distance, query);
  const sign = index.parameters.distance === 'euclid' ? 1 : -1;
  const scored = [...live].map(([label, vector]) => ({ label, key: score(vector) * sign }));
  return scored
    .sort((a, b) => a.key - b.key)
    .slice(0, 10)
    .map(({ label }) => label);
}

/** Checks that everything inside is found, once, and nothing else. @returns recall@10 over the queries */
function checked(rig: Rig, queries: readonly Float32Array[]): number {
  const { index, live } = rig;
  assert.is(index.status().live, live.size);
  const all = index.search(queries[0] as Float32Array, live.size, 64).labels;
  assert.equal([...all].sort(), [...live.keys()].sort());
  let found = 0;
  for (const query of queries) {
    const { labels } = index.search(query, 10, 64);
    assert.is(labels.length, Math.min(10, live.size));
    found += truth(rig, query).filter((label) => labels.includes(label)).length;
  }
  return found / (queries.length * Math.min(10, live.size));
}

/** Which of the labels, oldest first, is replaced next. */
const CHOICES = {
  'the oldest point': () => 0,
  'a point at random': (count, random) => random.integer(0, count - 1),
  'one of the newest points': (count, random) => random.integer(count - 20, count - 1),
} satisfies Record<string, (count: number, random: Random) => number>;

for (const [what, choose] of Object.entries(CHOICES)) {
  test(`replacing ${what}, again and again, finds what an exact search finds, and the dead stay few`, (t) => {
    const random = new Random(t.seed());
    const data = new GaussianMixture(random, { dimension: DIMENSION, clusters: 20 });
    const rig = make(t);
    const queries = data.take(20);
    for (const vector of data.take(1_500)) rig.add(vector);
    let growing = 0;
    const recalls: number[] = [];
    for (let turn = 0; turn < 6_000; turn++) {
      const labels = [...rig.live.keys()];
      rig.add(data.next(), labels[choose(labels.length, random)]);
      const status = rig.index.status();
      if (status.growing > 0) growing += 1;
      assert.ok(status.tombstones <= 3 * status.live + 100, `${status.tombstones} tombstones beside ${status.live}`);
      if (turn % 400 === 399) recalls.push(checked(rig, queries));
    }
    assert.ok(growing > 100 && rig.index.status().rebuilds >= 2, `${growing} turns, ${rig.index.status().rebuilds} rebuilds`);
    assert.ok(Math.min(...recalls) >= 0.95, `recalls ${recalls.join(', ')}`);
    // Each replacement costs one insert, and never more than one beside it.
    assert.ok(rig.index.inserts <= 1_500 + 6_000 * 2);
  });
}

test('adds alone end a rebuild, and so do removals and time alone', (t) => {
  const random = new Random(t.seed());
  for (const how of ['adds', 'time'] as const) {
    const rig = make(t);
    const labels = Array.from({ length: 300 }, () => rig.add(random.vector(DIMENSION)));
    for (const label of labels.slice(0, 150)) rig.remove(label);
    assert.is(rig.index.status().rebuilds, 0);
    for (let turn = 0; rig.index.status().growing > 0; turn++) {
      assert.ok(turn < 150 * 8 + 8, 'the rebuild goes on for too long');
      if (how === 'adds') rig.add(random.vector(DIMENSION));
      else rig.clock.nowMs += rig.index.work(0.05) ?? 0;
    }
    assert.equal([rig.index.status().rebuilds, rig.index.status().tombstones], [1, 0], how);
    checked(rig, [random.vector(DIMENSION)]);
  }
});

test('work rests between slices, less when changes are over, and a call too early does nothing', (t) => {
  const random = new Random(t.seed());
  const rig = make(t);
  const labels = Array.from({ length: 1_000 }, () => rig.add(random.vector(DIMENSION)));
  for (const label of labels.slice(0, 400)) rig.remove(label);
  const before = rig.index.status().growing;
  const busyMs = rig.index.work(0.1) ?? 0;
  const left = rig.index.status().growing;
  assert.ok(busyMs > 0 && left > 0 && left < before);
  const restMs = rig.index.work(0.1) ?? 0;
  assert.ok(restMs > 0 && restMs < busyMs);
  assert.is(rig.index.status().growing, left, 'it rests');
  rig.clock.nowMs += QUIET_MS;
  const quietMs = rig.index.work(0.1) ?? 0;
  assert.ok(quietMs > 0 && quietMs < busyMs / 2, `${quietMs} ms when quiet, ${busyMs} ms when busy`);
  assert.ok(rig.index.status().growing < left);
});

test('a tenth of dead is rebuilt away once changes are over for five seconds, less never', (t) => {
  const random = new Random(t.seed());
  const rig = make(t);
  const labels = Array.from({ length: 1_000 }, () => rig.add(random.vector(DIMENSION)));
  for (const label of labels.slice(0, 90)) rig.remove(label);
  assert.is(rig.index.work(1), null);
  for (const label of labels.slice(90, 120)) rig.remove(label);
  const waitMs = rig.index.work(1) ?? 0;
  assert.ok(waitMs > QUIET_MS / 2 && waitMs <= QUIET_MS, `${waitMs} ms`);
  assert.is(rig.index.status().growing, 0);
  rig.clock.nowMs += waitMs;
  for (let nextMs: number | null = 0; nextMs !== null; nextMs = rig.index.work(1)) rig.clock.nowMs += nextMs;
  assert.equal([rig.index.status().rebuilds, rig.index.status().tombstones], [1, 0]);
  checked(rig, [random.vector(DIMENSION)]);
});

test('the last removal leaves nothing: no tombstones, and the next points are searched exactly', (t) => {
  const random = new Random(t.seed());
  const rig = make(t);
  const labels = Array.from({ length: 300 }, () => rig.add(random.vector(DIMENSION)));
  for (const label of labels) rig.remove(label);
  assert.equal([rig.index.status().kind, rig.index.status().tombstones, rig.index.status().growing], ['flat', 0, 0]);
  assert.ok(rig.index.status().rebuilds > 0);
  const label = rig.add(random.vector(DIMENSION));
  assert.equal([...rig.index.liveLabels()], [label]);
});

test('what the one graph has is found though all that is dead lies around the query in the other', (t) => {
  const random = new Random(t.seed());
  const near = (centre: number): Float32Array => random.vector(DIMENSION).map((value) => centre + value * 0.1);
  const rig = make(t);
  const crowd = Array.from({ length: 2_000 }, () => rig.add(near(0)));
  const far = Array.from({ length: 60 }, () => rig.add(near(5)));
  for (const label of crowd) rig.remove(label);
  assert.ok(rig.index.status().growing > 0);
  assert.ok(rig.index.search(near(0), 10, 64).labels.every((label) => far.includes(label)));
  assert.is(checked(rig, [near(5)]), 1);
});

test('copies of one vector and vectors that cannot be ranked move with the others', (t) => {
  const random = new Random(t.seed());
  const rig = make(t, 'dot');
  const same = random.vector(DIMENSION);
  const copies = Array.from({ length: 40 }, () => rig.add(same));
  const long = Array.from({ length: 5 }, () => rig.add(random.vector(DIMENSION).map((value) => value * 1e15)));
  for (let i = 0; i < 400; i++) rig.add(random.vector(DIMENSION).map((value) => value * 0.01));
  const others = [...rig.live.keys()].slice(45);
  for (const label of others.slice(0, 250)) rig.remove(label);
  // One that others stand behind goes too.
  rig.remove(copies[0] as number);
  for (let turn = 0; rig.index.status().rebuilds === 0; turn++) {
    assert.ok(turn < 10_000);
    const { labels } = rig.index.search(same, 39, 64);
    assert.equal([...labels].filter((label) => copies.includes(label)).length, 39);
    for (const label of long) assert.ok(labels.includes(label));
    rig.clock.nowMs += rig.index.work(0.05) ?? 0;
  }
  assert.equal([rig.index.status().unranked, rig.index.status().live], [5, rig.live.size]);
  const { labels } = rig.index.search(same, 39, 64);
  assert.equal([...labels].filter((label) => copies.includes(label)).length, 39);
});

test('few points beside more copies of one that cannot be ranked are found with them', (t) => {
  const random = new Random(t.seed());
  const rig = make(t, 'dot');
  const others = Array.from({ length: 12 }, () => rig.add(random.vector(DIMENSION)));
  const long = random.vector(DIMENSION).map((value) => value * 1e15);
  for (let i = 0; i < 40; i++) rig.add(long);
  const { labels } = rig.index.search(random.vector(DIMENSION), 12, 64);
  assert.is(labels.length, 52);
  for (const label of others) assert.ok(labels.includes(label));
});

test('what died in the young graph while it was filled is not left for the next change', (t) => {
  const random = new Random(t.seed());
  for (const removed of [60, 120]) {
    const rig = make(t);
    const labels = Array.from({ length: 500 }, () => rig.add(random.vector(DIMENSION)));
    for (const label of labels.slice(0, 100)) rig.remove(label);
    const added = Array.from({ length: 120 }, () => rig.add(random.vector(DIMENSION)));
    for (const label of added.slice(0, removed)) rig.remove(label);
    assert.ok(rig.index.status().growing > 0);
    while (rig.index.status().rebuilds === 0) rig.clock.nowMs += rig.index.work(1) ?? 0;
    const beforeMs = rig.clock.nowMs;
    for (let nextMs: number | null = 0; nextMs !== null; nextMs = rig.index.work(1)) rig.clock.nowMs += nextMs;
    assert.equal([rig.index.status().rebuilds, rig.index.status().tombstones], [2, 0]);
    assert.is(rig.clock.nowMs - beforeMs < QUIET_MS / 2, removed === 120, 'a fifth is left at once, a tenth when all is quiet');
  }
});

test('a graph that got its points cluster by cluster, and lost the way to some, finds all of them when it is renewed', (t) => {
  const random = new Random(t.seed());
  const clock = new SlowClock();
  const parameters = { dimension: 32, distance: 'cosine', m: 16, efConstruct: 100, quantization: 'none' } as const;
  const index = createIndex(parameters, { limits: LIMITS, clock });
  t.after(() => index.close());
  const normal = (): Float32Array => Float32Array.from({ length: 32 }, () => random.normal());
  const vectors = Array.from({ length: 40 }, normal).flatMap((centre) =>
    Array.from({ length: 100 }, () => normal().map((value, i) => value + 30 * (centre[i] as number))),
  );
  for (const [label, vector] of vectors.entries()) index.add(label, vector, null);
  fill(index);
  const finding = (): number =>
    vectors.reduce((found, vector, label) => found + (index.search(vector, 1, 64).labels[0] === label ? 1 : 0), 0);
  const before = finding();
  assert.ok(before < 0.97 * vectors.length, `${before} of ${vectors.length} were found before`);
  assert.is(index.renew(), true);
  // What a scan meets in the one graph and again in the other is given once, and nothing is passed over.
  const scan = index.scan(vectors[0] as Float32Array, vectors.length, null);
  for (let ended = false; !ended; ended = scan.advance(0)) clock.nowMs += index.work(0.5) ?? 0;
  assert.equal(
    [...scan.hits().labels].sort((a, b) => a - b),
    [...vectors.keys()],
  );
  while (index.status().growing > 0) clock.nowMs += index.work(1) ?? 0;
  const after = finding();
  assert.ok(after >= 0.995 * vectors.length, `${after} of ${vectors.length}`);
});

async function savedHalfway(t: TestContext): Promise<{ rig: Rig; folder: string; random: Random }> {
  const random = new Random(t.seed());
  const rig = make(t, 'cosine');
  for (let i = 0; i < 600; i++) rig.add(random.vector(DIMENSION));
  for (const label of random.shuffled([...rig.live.keys()]).slice(0, 450)) rig.add(random.vector(DIMENSION), label);
  assert.ok(rig.index.status().growing > 0);
  const folder = t.folder();
  await rig.index.save(folder, { ...OWNER, seq: 7, nextLabel: 5_000 });
  return { rig, folder, random };
}

test('a checkpoint in the middle of a rebuild opens there, with both graphs, and the rebuild ends', async (t) => {
  const { rig, folder, random } = await savedHalfway(t);
  assert.equal(readdirSync(folder).sort(), ['7.2.hnsw', '7.hnsw', '7.json']);
  const clock = new SlowClock();
  const { parameters } = rig.index;
  const opened = await openCheckpoint(folder, { ...OWNER, parameters }, { limits: LIMITS, clock });
  if ('refused' in opened) throw new Error(opened.refused);
  const { index } = opened;
  t.after(() => index.close());
  assert.equal(index.status().growing, rig.index.status().growing);
  assert.equal(index.liveLabels(), rig.index.liveLabels());
  for (let i = 0; i < 20; i++) {
    const query = random.vector(DIMENSION);
    assert.equal(index.search(query, 10, 64), rig.index.search(query, 10, 64));
  }
  for (let nextMs: number | null = 0; nextMs !== null; nextMs = index.work(1)) clock.nowMs += nextMs;
  assert.is(index.status().growing, 0);
  assert.ok(index.status().tombstones < LIMITS.rebuildTombstonesMin, 'what died in the first graph');
  assert.ok(checked({ ...rig, index }, [random.vector(DIMENSION)]) >= 0.9);
  await index.save(folder, { ...OWNER, seq: 8, nextLabel: 5_000 });
  assert.equal(readdirSync(folder).sort(), ['8.hnsw', '8.json'], 'the second file goes with the checkpoint it belongs to');
});

test('a checkpoint whose second graph is damaged, missing, or has what the first has is refused', async (t) => {
  const { rig, folder } = await savedHalfway(t);
  const expected = { ...OWNER, parameters: rig.index.parameters };
  const refused = async (): Promise<string> => {
    const opened = await openCheckpoint(folder, expected);
    return 'refused' in opened ? opened.refused : 'opened';
  };
  const path = join(folder, '7.2.hnsw');
  const good = readFileSync(path);
  const bad = Buffer.from(good);
  bad[good.length >> 1] = (bad[good.length >> 1] as number) ^ 1;
  for (const content of [bad, good.subarray(0, 1_000), Buffer.alloc(0)]) {
    writeFileSync(path, content);
    assert.match(await refused(), /^7: /);
  }
  writeFileSync(path, good);
  const headPath = join(folder, '7.json');
  const head = decodeHead(readFileSync(headPath, 'utf8'));
  const [young, old] = head.parts;
  if (young === undefined || old === undefined) throw new Error('there are two parts');
  const moved = old.removed.find((label) => rig.live.has(label));
  const removed = old.removed.filter((label) => label !== moved);
  writeFileSync(headPath, encodeHead({ ...head, parts: [young, { ...old, removed, live: old.live + 1 }] }));
  assert.match(await refused(), /alive in both graphs/);
});

test.run();
