/** The look at graphs: what it remembers, when it asks for a fresh graph, when it lets one be. */

import * as assert from 'uvu/assert';
import type { CatalogueEntry } from '../../src/engine/catalogue.js';
import { IndexHealthWatch } from '../../src/engine/index-health-watch.js';
import { systemClock } from '../../src/model/clock.js';
import type { LogFields } from '../../src/model/log.js';
import { silentLog } from '../../src/model/log.js';
import { nativeBuild } from '../../src/vector-index/open-index.js';
import type { IndexHealth } from '../../src/vector-index/vector-index.js';
import { openTestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/index-health-watch');
const HOUR_MS = 3_600_000;
const LINKS = { orphans: 0, inDegreeMin: 3, inDegreeMean: 16 };
const WELL: IndexHealth = { sampled: 1_000, reachable: 990, ...LINKS };
const WORN: IndexHealth = { sampled: 1_000, reachable: 989, ...LINKS };

function entry(uid: number, kind: 'graph' | 'flat' = 'graph', growing = 0): CatalogueEntry {
  return {
    row: { uid, name: `c${uid}` },
    vector: { report: { status: { kind, growing } } },
    health: null,
  } as unknown as CatalogueEntry;
}

class Rig {
  nowMs = 1_000_000;
  entries: CatalogueEntry[] = [entry(1)];
  look: (uid: number) => Promise<IndexHealth | null> = async () => WORN;
  readonly looked: number[] = [];
  readonly renewed: number[] = [];
  readonly warned: LogFields[] = [];
  readonly watch = new IndexHealthWatch({
    intervalMs: 0,
    clock: { wallMs: () => this.nowMs, monotonicMs: () => this.nowMs },
    log: { ...silentLog, warn: (event, fields) => void this.warned.push({ event, ...fields }) },
    entries: () => this.entries,
    look: (uid) => {
      this.looked.push(uid);
      return this.look(uid);
    },
    renew: (uid) => void this.renewed.push(uid),
  });

  async lookAfter(ms: number): Promise<void> {
    this.nowMs += ms;
    await this.watch.lookAtAll();
  }
}

test('only graphs are looked at, one after the other, and what was found stays with the collection', async () => {
  const rig = new Rig();
  rig.entries = [entry(1), entry(2, 'flat'), entry(3)];
  let open = 0;
  rig.look = async () => {
    open += 1;
    assert.is(open, 1);
    await Promise.resolve();
    open -= 1;
    return WELL;
  };
  await Promise.all([rig.watch.lookAtAll(), rig.watch.lookAtAll()]);
  assert.equal(rig.looked, [1, 3]);
  assert.equal(
    rig.entries.map(({ health }) => health),
    [{ ...WELL, checkedAtMs: 1_000_000 }, null, { ...WELL, checkedAtMs: 1_000_000 }],
  );
  assert.equal(rig.renewed, []);
});

test('more than one in a hundred that is not found asks for a fresh graph, and the log has it', async () => {
  const rig = new Rig();
  await rig.watch.lookAtAll();
  assert.equal(rig.renewed, [1]);
  assert.equal(rig.warned, [{ event: 'index_renewal_asked', collection: 'c1', sampled: 1_000, reachable: 989 }]);
});

test('exactly one in a hundred, or a few points of few, do not', async () => {
  const rig = new Rig();
  rig.look = async () => WELL;
  await rig.watch.lookAtAll();
  rig.look = async () => ({ ...LINKS, sampled: 99, reachable: 90 });
  await rig.watch.lookAtAll();
  assert.equal(rig.renewed, []);
});

test('a graph is asked once an hour at most, and twice as seldom each time that it does not help', async () => {
  const rig = new Rig();
  await rig.watch.lookAtAll();
  for (let minutes = 10; minutes < 60; minutes += 10) await rig.lookAfter(HOUR_MS / 6);
  assert.is(rig.renewed.length, 1);
  await rig.lookAfter(HOUR_MS / 6);
  assert.is(rig.renewed.length, 2);
  await rig.lookAfter(HOUR_MS);
  assert.is(rig.renewed.length, 2);
  await rig.lookAfter(HOUR_MS);
  assert.is(rig.renewed.length, 3);
  rig.look = async () => WELL;
  await rig.lookAfter(HOUR_MS);
  rig.look = async () => WORN;
  await rig.lookAfter(1);
  assert.is(rig.renewed.length, 4, 'what was well in between begins anew');
});

test('a graph that is being left already is not hurried', async () => {
  const rig = new Rig();
  rig.entries = [entry(1, 'graph', 500)];
  await rig.watch.lookAtAll();
  assert.equal(rig.renewed, []);
});

test('a look that fails costs nothing but itself', async () => {
  const rig = new Rig();
  rig.entries = [entry(1), entry(2)];
  rig.look = async (uid) => (uid === 1 ? Promise.reject(new Error('the worker died')) : WORN);
  await rig.watch.lookAtAll();
  assert.equal([rig.looked, rig.renewed], [[1, 2], [2]]);
});

test('a pause follows each look, many times its length, and a stop ends it', async () => {
  const rig = new Rig();
  rig.entries = [entry(1), entry(2)];
  rig.look = async () => {
    rig.nowMs += 3_600_000;
    return WELL;
  };
  const round = rig.watch.lookAtAll();
  await waitUntil(() => rig.looked.length === 1 && rig.entries[0]?.health !== null, { what: 'the first look' });
  rig.watch.stop();
  await round;
  assert.equal(rig.looked, [1]);
});

test('an engine looks at its graphs by itself, and has one with too few links made anew', async (t) => {
  const watching = { recall: { share: 0, msPerS: 0 }, indexHealthIntervalMs: 50 };
  // Looks seem short, so that the pauses between them are: a look that a busy machine makes long is no longer waited for twenty times as long.
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() / 50 };
  const { engine, put } = await openTestEngine(t.folder(), {}, 'master', 0, { watching, clock });
  t.after(() => engine.stop());
  const random = new Random(t.seed());
  for (const [name, hnsw] of [
    ['well', { m: 16, efConstruct: 200, efSearch: 64 }],
    ['worn', { m: 2, efConstruct: 2, efSearch: 64 }],
  ] as const) {
    await engine.write(
      [{ kind: 'create_collection', collection: name, spec: { dimension: 16, distance: 'euclid', hnsw, ttlMs: null } }],
      WAIT,
    );
    await put(
      name,
      Array.from({ length: 2_000 }, (_, id) => ({ id, vector: random.vector(16) })),
    );
  }
  await waitUntil(() => engine.status().index.waitingBytes === 0, { what: 'the graphs have all points' });
  // hnswlib-node's own binary, where the addon cannot be loaded, shows no links.
  if (nativeBuild().startsWith('hnswlib')) return assert.is(engine.collection('well').indexHealth, null);
  const looked = (name: string) => engine.collection(name).indexHealth;
  const whole = (name: string) => looked(name)?.sampled === 1_000;
  await waitUntil(() => whole('well') && whole('worn'), { what: 'both are looked at' });
  const well = looked('well');
  assert.ok((well?.reachable ?? 0) >= 990 && (well?.inDegreeMean ?? 0) > 8, JSON.stringify(well));
  const worn = looked('worn');
  assert.ok((worn?.reachable ?? 1_000) < 990, JSON.stringify(worn));
  await waitUntil(() => engine.status().index.rebuilds > 0, { what: 'the worn graph is left for a fresh one' });
  assert.is(engine.collection('well').tombstoneRatio, 0);
  const figures = engine.status().search.graphs;
  assert.equal(
    figures.map(({ collection }) => collection),
    ['well', 'worn'],
  );
  assert.ok((figures[0]?.unreachableRatio ?? 1) <= 0.01 && (figures[1]?.unreachableRatio ?? 0) > 0.01);
});

test.run();
