/** The recall check of live searches: what is chosen, what it may cost, when its result counts. */

import * as assert from 'uvu/assert';
import type { CatalogueEntry } from '../../src/engine/catalogue.js';
import type { IndexAnswers, VectorAsk, VectorFound } from '../../src/engine/index-asks.js';
import { RecallWatch } from '../../src/engine/recall-watch.js';
import type { RecallWatchSettings } from '../../src/engine/search-status.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { openTestEngine, SEARCH } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/recall-watch');

const ASK: VectorAsk = {
  kind: 'vector',
  query: Float32Array.of(1),
  wanted: 2,
  ef: 64,
  exact: false,
  filter: null,
  labels: null,
};
const FOUND: VectorFound = {
  labels: Uint32Array.of(1, 2),
  scores: Float64Array.of(1, 2),
  exact: false,
  plan: 'graph',
  reason: '',
  estimated: 100,
  matches: 100,
  visited: 10,
  rejected: 0,
  live: 100,
  seq: 7,
  steps: [{ name: 'scan', tookMs: 20 }],
  unindexed: [],
};

function entry(uid: number): CatalogueEntry {
  const spec = { dimension: 1, distance: 'euclid', vectors: [], sparseVectors: [] };
  return { row: { uid, name: `c${uid}`, spec } } as unknown as CatalogueEntry;
}

class Rig {
  nowMs = 0;
  chance = 0;
  readonly asked: VectorAsk[] = [];
  answer: () => Promise<IndexAnswers['vector']> = async () => FOUND;
  readonly dropped = new Set<number>();
  readonly watch: RecallWatch;

  constructor(settings: Partial<RecallWatchSettings> = {}) {
    this.watch = new RecallWatch({
      settings: { share: 1, msPerS: 10, ...settings },
      clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
      random: () => this.chance,
      ask: (_uid, ask) => {
        this.asked.push(ask);
        return this.answer();
      },
      nameOf: (uid) => (this.dropped.has(uid) ? null : `c${uid}`),
    });
  }

  async search(found: Partial<VectorFound> = {}, ask: Partial<VectorAsk> = {}, uid = 1): Promise<void> {
    await this.watch.answered(entry(uid), { ...ASK, ...ask }, { ...FOUND, ...found }, false);
  }
}

test('an answer is held against the exact one, by class of its filter', async () => {
  const rig = new Rig();
  rig.answer = async () => ({ ...FOUND, labels: Uint32Array.of(1, 3), scores: Float64Array.of(1, 1.5) });
  await rig.search();
  await rig.search({ labels: Uint32Array.of(1, 3), scores: Float64Array.of(1, 1.5) });
  await rig.search({ matches: 5 }, { filter: {} });
  assert.ok(rig.asked.every(({ exact, background }) => exact && background === true));
  assert.equal(rig.watch.status(), {
    figures: [
      { collection: 'c1', filterClass: 'none', recall: 0.75, checks: 2 },
      { collection: 'c1', filterClass: '1_to_10', recall: 0.5, checks: 1 },
    ],
    shortfalls: [],
    skipped: 0,
    discarded: 0,
  });
});

test('only the share that was asked for is checked, none of exact searches, and what was compared with all counts 1 unasked', async () => {
  const rig = new Rig({ share: 0.25 });
  rig.chance = 0.25;
  await rig.search();
  rig.chance = 0.2;
  await rig.search({}, { exact: true });
  assert.is(rig.asked.length, 0);
  assert.equal(rig.watch.status().figures, []);
  await rig.search({ plan: 'scan' }, { filter: {} });
  assert.is(rig.asked.length, 0);
  assert.equal(rig.watch.status().figures, [{ collection: 'c1', filterClass: 'above_50', recall: 1, checks: 1 }]);
  await rig.search();
  assert.is(rig.asked.length, 1);
});

test('a result counts only when the index stood still between the two', async () => {
  const rig = new Rig();
  rig.answer = async () => ({ ...FOUND, seq: 8 });
  await rig.search();
  rig.answer = async () => ({ ...FOUND, live: 101 });
  await rig.search();
  assert.equal(rig.watch.status(), { figures: [], shortfalls: [], skipped: 0, discarded: 2 });
});

test('one check runs at a time, and what fails is skipped', async () => {
  const rig = new Rig();
  let release = (): void => {};
  rig.answer = () => new Promise((resolve) => (release = () => resolve(FOUND)));
  const first = rig.search();
  await rig.search();
  await rig.search({}, {}, 2);
  assert.is(rig.asked.length, 1);
  release();
  await first;
  rig.answer = async () => Promise.reject(new Error('the worker died'));
  await rig.search();
  assert.is(rig.watch.status().skipped, 3);
  assert.is(rig.watch.status().figures[0]?.checks, 1);
});

test('checks cost so many milliseconds a second on average, however many searches there are', async () => {
  const rig = new Rig({ msPerS: 10 });
  const costMs = 70;
  rig.answer = async () => ({ ...FOUND, steps: [{ name: 'scan', tookMs: costMs }] });
  const seconds = 600;
  for (let i = 0; i < seconds * 10; i++) {
    rig.nowMs += 100;
    await rig.search();
  }
  const spentMs = rig.asked.length * costMs;
  // Ten seconds' worth are saved at the start, and the last check may cost more than is left.
  assert.ok(spentMs <= 10 * (seconds + 10) + costMs, `${spentMs} ms`);
  assert.ok(spentMs >= 10 * seconds - costMs, `${spentMs} ms`);
  assert.is(rig.watch.status().skipped, seconds * 10 - rig.asked.length);
});

test('without any time nothing is asked', async () => {
  const rig = new Rig({ msPerS: 0 });
  await rig.search();
  assert.is(rig.asked.length, 0);
  assert.is(rig.watch.status().skipped, 1);
});

test('a hundred collections have figures of their own, the others common ones, and dropped ones none', async () => {
  const rig = new Rig({ msPerS: 1_000 });
  for (let uid = 1; uid <= 150; uid++) {
    rig.nowMs += 1_000;
    await rig.search({}, {}, uid);
    rig.watch.shortfall(entry(uid));
  }
  const { figures, shortfalls } = rig.watch.status();
  assert.is(figures.length, 101);
  assert.is(
    figures.reduce((sum, { checks }) => sum + checks, 0),
    150,
  );
  assert.is(shortfalls.find(({ collection }) => collection === null)?.count, 50);
  for (let uid = 1; uid <= 99; uid++) rig.dropped.add(uid);
  assert.is(rig.watch.status().figures.length, 2);
});

test('live searches of a graph are checked in its worker, and one that looks too little shows', async (t) => {
  const watching = { recall: { share: 1, msPerS: 1_000 }, indexHealthIntervalMs: 0 };
  const rig = await openTestEngine(t.folder(), DEFAULT_LIMITS, 'master', 0, { watching });
  t.after(() => rig.engine.stop());
  const random = new Random(t.seed());
  const hnsw = { m: 4, efConstruct: 8, efSearch: 1 };
  await rig.engine.write(
    [{ kind: 'create_collection', collection: 'c', spec: { dimension: 24, distance: 'cosine', hnsw, ttlMs: null } }],
    { wait: 'indexed', timeoutMs: 20_000 },
  );
  await rig.put(
    'c',
    Array.from({ length: 3_000 }, (_, id) => ({ id, vector: random.vector(24) })),
  );
  await waitUntil(() => rig.engine.status().index.waitingBytes === 0, { what: 'the graph has all points' });
  const figure = () => rig.engine.status().search.recall.figures[0];
  for (let i = 0; i < 40; i++) {
    const before = checksOf(rig.engine.status().search.recall);
    await rig.engine.search('c', { ...SEARCH, vector: random.vector(24), limit: 1 });
    await waitUntil(() => checksOf(rig.engine.status().search.recall) > before, { what: 'the search is checked' });
  }
  const poor = figure();
  assert.is(poor?.filterClass, 'none');
  assert.ok((poor?.checks ?? 0) >= 20, JSON.stringify(rig.engine.status().search.recall));
  assert.ok((poor?.recall ?? 1) < 0.95, `a walk of one candidate found ${poor?.recall}`);
});

function checksOf({ figures, skipped, discarded }: ReturnType<RecallWatch['status']>): number {
  return figures.reduce((sum, { checks }) => sum + checks, 0) + skipped + discarded;
}

test.run();
