/** Graphs of named vectors over restarts: each comes from its own checkpoint, and what a checkpoint lacks is read from rows; whichever of them
 *  is old, new, damaged or gone, the answers are those of the points. */

import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import type { RunningEngine } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { buildSnapshot } from '../../src/engine/snapshot.js';
import { systemClock } from '../../src/model/clock.js';
import { DEFAULT_HNSW } from '../../src/model/collection.js';
import { DEFAULT_LIMITS } from '../../src/model/limits.js';
import { type Log, silentLog } from '../../src/model/log.js';
import type { NewCollection } from '../../src/model/operation.js';
import type { DenseVector, SparseVector } from '../../src/model/point.js';
import { dense, type NamedPoint, namedBlock, plainDense, plainSparse, randomSparse } from '../support/named-points.js';
import { openTestEngine, SEARCH, type TestEngine, WAIT } from '../support/open-test-engine.js';
import { Random } from '../support/random.js';
import { allBytes, blankReplica, receive } from '../support/snapshots.js';
import { suite, type TestContext } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('engine/named-checkpoints', { deadlineMs: 120_000 });
const DIMENSION = 6;
const POINTS = 1_700;
const SETTINGS = { hnsw: { ...DEFAULT_HNSW, efConstruct: 40 }, quantization: null };
const SPEC: NewCollection = {
  dimension: DIMENSION,
  distance: 'euclid',
  hnsw: SETTINGS.hnsw,
  ttlMs: null,
  vectors: [
    { name: 'large', dimension: DIMENSION, distance: 'cosine', ...SETTINGS },
    { name: 'small', dimension: 2, distance: 'dot', ...SETTINGS },
  ],
  sparseVectors: [{ name: 'words', modifier: 'idf' }],
};
type Model = Map<number, NamedPoint>;

function pointOf(random: Random, id: number): NamedPoint {
  const vectors = new Map<string, DenseVector | SparseVector>();
  if (id % 3 !== 1) vectors.set('', dense(random.vector(DIMENSION)));
  if (id % 3 !== 0) vectors.set('large', dense(random.vector(DIMENSION)));
  if (id % 20 === 0) vectors.set('small', dense(random.vector(2)));
  if (id % 5 !== 0) vectors.set('words', randomSparse(random, 5, 200));
  return { id, vectors, payload: { part: id % 4 } };
}

async function put(engine: RunningEngine, model: Model, random: Random, ids: readonly number[]): Promise<void> {
  const points = ids.map((id) => pointOf(random, id));
  await engine.write([{ kind: 'upsert', collection: 'c', points: namedBlock(points, DIMENSION) }], WAIT);
  for (const point of points) model.set(point.id as number, point);
}

async function remove(engine: RunningEngine, model: Model, ids: readonly number[]): Promise<void> {
  await engine.write([{ kind: 'delete', collection: 'c', ids }], WAIT);
  for (const id of ids) model.delete(id);
}

async function mustFind(engine: RunningEngine, model: Model, random: Random, what: string): Promise<void> {
  await waitUntil(() => engine.collection('c').status === 'ready', { what: 'the index to be there', deadlineMs: 60_000 });
  for (const filtered of [false, true]) {
    const among = [...model.values()].filter(({ id }) => !filtered || (id as number) % 4 === 1);
    const filter = filtered ? { filter: { must: [{ kind: 'match_value', key: 'part', value: 1 } as const] } } : {};
    const [own, large, small] = [random.vector(DIMENSION), random.vector(DIMENSION), random.vector(2)];
    const words = randomSparse(random, 20, 200);
    const asks = [
      [{ vector: own }, plainDense(among, '', 'euclid', own)],
      [{ using: 'large', vector: large }, plainDense(among, 'large', 'cosine', large)],
      [{ using: 'small', vector: small }, plainDense(among, 'small', 'dot', small)],
      ...(filtered || words.indices.length === 0
        ? []
        : [[{ using: 'words', vector: words }, plainSparse(among, 'words', words, true)] as const]),
    ] as const;
    for (const [ask, truth] of asks) {
      for (const exact of [true, false]) {
        const { hits, complete } = await engine.search('c', { ...SEARCH, ...ask, ...filter, exact, efSearch: 300, cache: false });
        const name = `${what}: ${'using' in ask ? ask.using : 'default'}, exact ${exact}, filtered ${filtered}`;
        assert.ok(complete, name);
        assert.is(hits.length, Math.min(SEARCH.limit, truth.length), name);
        // A graph may miss one; what it names is right.
        const scores = new Map(truth.map(({ id, score }) => [id, score]));
        for (const { id, score } of hits) assert.ok(Math.abs((scores.get(id) ?? Number.NaN) - score) < 1e-5, `${name}: ${id}`);
        const best = new Set(truth.slice(0, SEARCH.limit).map(({ id }) => id));
        const found = hits.filter(({ id }) => best.has(id)).length;
        assert.ok(found >= best.size - (exact ? 0 : 2), `${name}: ${found} of ${best.size}`);
      }
    }
  }
}

function events(): { readonly log: Log; readonly names: string[]; readonly refusals: string[] } {
  const names: string[] = [];
  const refusals: string[] = [];
  const note: Log['info'] = (event, fields) => {
    if (event.startsWith('index_checkpoint')) names.push(event);
    if (event === 'index_checkpoint_refused') refusals.push(String(fields?.['reason']));
  };
  return { names, refusals, log: { ...silentLog, debug: note, info: note, warn: note, error: note } };
}

async function filled(t: TestContext, folder: string, model: Model, random: Random): Promise<TestEngine> {
  const rig = await openTestEngine(folder);
  await rig.engine.write([{ kind: 'create_collection', collection: 'c', spec: SPEC }], WAIT);
  for (let from = 0; from < POINTS; from += 850)
    await put(
      rig.engine,
      model,
      random,
      Array.from({ length: 850 }, (_, i) => from + i),
    );
  await remove(rig.engine, model, [3, 4, 5, 100, 101]);
  t.after(() => rig.engine.stop());
  return rig;
}

test('whichever checkpoint is old, new, damaged or gone, a restart finds what there is', async (t) => {
  const random = new Random(t.seed());
  const [folder, kept] = [t.folder(), t.folder()];
  const model: Model = new Map();
  const first = await filled(t, folder, model, random);
  await mustFind(first.engine, model, random, 'at first');
  await first.engine.stop();
  const checkpoints = join(folder, 'store-1', 'checkpoints', '1', 'default');
  const heads = (): string[] => readdirSync(checkpoints).filter((name) => name.endsWith('.json'));
  assert.is(heads().length, 1);
  const [named] = readdirSync(join(checkpoints, 'named'));
  assert.is(readdirSync(join(checkpoints, 'named')).length, 1, 'the small one needs no graph');
  const old = join(kept, 'old');
  cpSync(checkpoints, old, { recursive: true });
  const again = await openTestEngine(folder);
  await put(
    again.engine,
    model,
    random,
    Array.from({ length: 400 }, (_, i) => 1_500 + i),
  );
  await remove(again.engine, model, [7, 8, 1_501, 1_502]);
  await again.engine.stop();
  const newest = join(kept, 'new');
  cpSync(checkpoints, newest, { recursive: true });
  const main = (from: string): void => {
    for (const name of readdirSync(checkpoints)) if (name !== 'named') rmSync(join(checkpoints, name));
    for (const name of readdirSync(from)) if (name !== 'named') cpSync(join(from, name), join(checkpoints, name));
  };
  const other = (from: string | null): void => {
    rmSync(join(checkpoints, 'named'), { recursive: true, force: true });
    if (from !== null) cpSync(join(from, 'named'), join(checkpoints, 'named'), { recursive: true });
  };
  const damage = (where: string): void => {
    for (const name of readdirSync(where)) if (name.endsWith('.hnsw')) writeFileSync(join(where, name), 'x');
  };
  const cases: readonly (readonly [string, () => void, boolean, RegExp | null])[] = [
    ['all new', () => {}, true, null],
    ['the named one is old', () => other(old), true, null],
    ['the default one is old', () => main(old), true, null],
    ['the named one is gone', () => other(null), true, null],
    ['the named one is damaged', () => damage(join(checkpoints, 'named', named as string)), true, /^"large": .+/],
    ['the default one is damaged', () => damage(checkpoints), true, /^[^"]/],
    ['all are gone', () => rmSync(checkpoints, { recursive: true }), false, null],
  ];
  for (const [what, spoil, loaded, refusal] of cases) {
    mkdirSync(checkpoints, { recursive: true });
    main(newest);
    other(newest);
    spoil();
    const { log, names, refusals } = events();
    const rig = await openTestEngine(folder, {}, 'master', 0, { log });
    await put(rig.engine, model, random, [random.integer(0, 1_900), 10_000 + random.integer(0, 99)]);
    await mustFind(rig.engine, model, random, what);
    assert.is(names.includes('index_checkpoint_loaded'), loaded, what);
    assert.is(refusals.length, refusal === null ? 0 : 1, `${what}: ${refusals}`);
    if (refusal !== null) assert.match(refusals[0] ?? '', refusal, what);
    await rig.engine.stop();
  }
});

test('a name that was taken away leaves no files behind once it starts again', async (t) => {
  const random = new Random(t.seed());
  const folder = t.folder();
  const model: Model = new Map();
  const first = await filled(t, folder, model, random);
  await mustFind(first.engine, model, random, 'at first');
  await first.engine.stop();
  const named = join(folder, 'store-1', 'checkpoints', '1', 'default', 'named');
  assert.is(readdirSync(named).length, 1);
  const again = await openTestEngine(folder);
  await again.engine.write([{ kind: 'update_collection', collection: 'c', change: { removeVectors: ['large'] } }], WAIT);
  await again.engine.stop();
  const last = await openTestEngine(folder);
  t.after(() => last.engine.stop());
  await waitUntil(() => last.engine.collection('c').status === 'ready', { what: 'the index' });
  assert.equal(existsSync(named) ? readdirSync(named) : [], []);
});

test('a replica that comes by a snapshot has the same digest and finds the same', async (t) => {
  const random = new Random(t.seed());
  const [folder, replica] = [t.folder(), t.folder()];
  const model: Model = new Map();
  const first = await filled(t, folder, model, random);
  await mustFind(first.engine, model, random, 'on the master');
  await first.engine.stop();
  const master = await openTestEngine(folder);
  t.after(() => master.engine.stop());
  const { storePath } = master;
  const checkpointsDir = join(folder, 'store-1', 'checkpoints');
  const built = await buildSnapshot({ dataDir: folder, storePath, checkpointsDir, cacheBytes: 2 ** 21 });
  blankReplica(replica);
  const store = await receive(replica, built.head, await allBytes(built));
  await built.remove();
  const engine = await openEngine({
    dataDir: replica,
    storePath: store.databasePath,
    checkpointsDir: store.checkpointsPath,
    bootId: 'boot',
    ownFromEpoch: 0,
    role: 'replica',
    limits: { ...DEFAULT_LIMITS, diskFreeBytesMin: 0 },
    writerCacheBytes: 2 ** 21,
    readerCacheBytes: 2 ** 20,
    indexWorkers: 1,
    log: silentLog,
    clock: systemClock,
    onProgress: () => {},
    onFatal: () => {},
  });
  t.after(() => engine.stop());
  assert.equal([...engine.log.state().digest], [...master.engine.log.state().digest]);
  await mustFind(engine, model, random, 'on the replica');
});

test.run();
