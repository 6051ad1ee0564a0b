/** The engine in this process against hnswlib-node alone and against an exact scan, over the same seeded data in the same run:
 *  insert, search at several ef with recall by distance, update, delete, and a mix. No HTTP here; see http.ts.
 *
 *  The engine's writes are durable, carry a 100-byte payload and count until they are in the index; hnswlib-node keeps nothing. */

import { Random } from '../tests/support/random.js';
import { type Bench, type BenchResult, type Cell, type Progress, scaled, scaledMs, type Table } from './support/bench.js';
import { type BenchEngine, blockOf, inFlight, withEngine } from './support/bench-engine.js';
import { ClusterStream, pickRows, rowOf, type Shape, type VectorRows } from './support/clusters.js';
import { Latencies } from './support/latencies.js';
import { perSecond, type RawProcess, withRaw } from './support/raw-process.js';
import { findTruth, recallOfRows, type Truth } from './support/truth.js';

const BLOCK_POINTS = 1_000;
const CHANGE_POINTS = 100;
const WRITES_IN_FLIGHT = 4;
const SEARCHES_IN_FLIGHT = 16;
const EF_STEPS = [16, 32, 64, 128, 256];
const MIX_EF = 64;
const CHANGE_SHARE = 0.05;
const TRUTH_LIMIT = 10;

/** One shape with everything that is measured on it. */
interface Ground {
  readonly shape: Shape;
  readonly stream: ClusterStream;
  readonly base: VectorRows;
  readonly queries: VectorRows;
  readonly truth: Truth;
}

interface SearchFigures {
  readonly perSecond: number;
  readonly latencies: Latencies;
  readonly recall: number;
}

export const coreOperations: Bench = {
  name: 'core_operations',
  about: 'the engine in process against hnswlib-node alone and exact search',
  async run(progress) {
    const shapes = [
      { count: scaled(100_000, 2_000), dimension: 128 },
      { count: scaled(50_000, 2_000), dimension: 768 },
    ];
    const results: BenchResult[] = [];
    for (const shape of shapes) results.push(await runShape(shape, progress));
    return {
      tables: results.flatMap(({ tables }) => tables),
      figures: results.flatMap(({ figures }) => figures),
      notes: ['raw is hnswlib-node alone: one thread, nothing durable, no payloads; it replaces points in place'],
    };
  },
};

function runShape(shape: Shape, progress: Progress): Promise<BenchResult> {
  return withRaw((raw) =>
    withEngine(async (engine) => {
      const name = `${shape.count.toLocaleString('en-US')} × ${shape.dimension}`;
      progress(`${name}: data and exact neighbours`);
      const stream = new ClusterStream(shape.dimension);
      const base = stream.take(shape.count);
      const { queries } = stream;
      const ground = { shape, stream, base, queries, truth: findTruth(base, queries, 'euclid', TRUTH_LIMIT) };
      progress(`${name}: insert`);
      const rawInsert = perSecond(await raw.build(shape));
      const engineInsert = await insertAll(engine, ground);
      progress(`${name}: search`);
      const searches = await searchAtEachEf(engine, raw, ground);
      const exact = await measureSearches(engine, ground, 1, { exact: true });
      progress(`${name}: update, delete, mix`);
      const changes = scaled(shape.count * CHANGE_SHARE, 200);
      const rawUpdate = perSecond(await raw.replace(Math.min(changes, 2_000)));
      const engineUpdate = await replaceSome(engine, ground, changes);
      const rawDelete = perSecond(await raw.remove(changes));
      const engineDelete = await removeSome(engine, ground, changes);
      const rawMix = perSecond(await raw.mixed(MIX_EF, scaledMs(5_000)));
      const engineMix = await mix(engine, ground);
      const writes: Table = {
        title: `core_operations ${name}: operations per second`,
        columns: ['operation', 'raw', 'engine', 'engine / raw'],
        rows: [
          ['insert (1,000 a write)', rawInsert, engineInsert, engineInsert / rawInsert],
          ['update (100 a write)', rawUpdate, engineUpdate, engineUpdate / rawUpdate],
          ['delete (100 a write)', rawDelete, engineDelete, engineDelete / rawDelete],
          [`mix, ${SEARCHES_IN_FLIGHT} at a time`, rawMix, engineMix, engineMix / rawMix],
          ['exact search', ground.truth.scansPerSecond, exact.perSecond, exact.perSecond / ground.truth.scansPerSecond],
        ],
      };
      const figures = [
        { name: `insert ${name}, engine / raw`, value: engineInsert / rawInsert, unit: '' },
        { name: `search ${name} ef ${MIX_EF}, ${SEARCHES_IN_FLIGHT} at a time, engine / raw`, value: searches.ratio, unit: '' },
        { name: `exact search ${name}, recall@10`, value: exact.recall, unit: '' },
        { name: `update ${name}, engine / raw in place`, value: engineUpdate / rawUpdate, unit: '' },
      ];
      return { tables: [searches.table(name), writes], figures, notes: [] };
    }),
  );
}

async function insertAll(engine: BenchEngine, { shape, base }: Ground): Promise<number> {
  await engine.create(shape.dimension);
  const blocks = Array.from({ length: Math.ceil(shape.count / BLOCK_POINTS) }, (_, block) => {
    const from = block * BLOCK_POINTS;
    return blockOf(base, from, numbersFrom(from, Math.min(BLOCK_POINTS, shape.count - from)));
  });
  const startMs = performance.now();
  await inFlight(
    WRITES_IN_FLIGHT,
    blocks.map((block) => () => engine.upsert(block, 'durable')),
  );
  await engine.settled();
  return (shape.count / (performance.now() - startMs)) * 1000;
}

async function searchAtEachEf(engine: BenchEngine, raw: RawProcess, ground: Ground) {
  const rows: Cell[][] = [];
  let ratio = 0;
  for (const ef of EF_STEPS) {
    const alone = await raw.search(ef, scaledMs(2_000));
    const rawRecall = recallOfRows(ground.truth, ground.base, ground.queries, alone.answers);
    const one = await measureSearches(engine, ground, 1, { ef });
    const many = await measureSearches(engine, ground, SEARCHES_IN_FLIGHT, { ef });
    if (ef === MIX_EF) ratio = many.perSecond / alone.perSecond;
    rows.push([
      ...[ef, alone.perSecond, alone.latencies.p50, rawRecall, one.perSecond, one.latencies.percentile(0.5)],
      ...[many.perSecond, many.latencies.percentile(0.99), one.recall, many.perSecond / alone.perSecond],
    ]);
  }
  const columns = [
    ...['ef', 'raw /s', 'raw p50 ms', 'raw recall@10', 'engine 1: /s', 'p50 ms'],
    ...[`engine ${SEARCHES_IN_FLIGHT}: /s`, 'p99 ms', 'recall@10', 'engine / raw'],
  ];
  return { ratio, table: (name: string): Table => ({ title: `core_operations ${name}: search, limit 10`, columns, rows }) };
}

async function measureSearches(
  engine: BenchEngine,
  { base, queries, truth }: Ground,
  width: number,
  how: { ef?: number; exact?: boolean },
): Promise<SearchFigures> {
  const answers: number[][] = [];
  for (let query = 0; query < queries.count; query += 1) {
    const { hits } = await engine.search(rowOf(queries, query), how);
    answers.push(hits.map(({ id }) => Number(id)));
  }
  const latencies = new Latencies();
  const forMs = scaledMs(2_000);
  const startMs = performance.now();
  let turn = 0;
  const work = async (): Promise<void> => {
    for (let beganMs = performance.now(); beganMs - startMs < forMs; beganMs = performance.now()) {
      await engine.search(rowOf(queries, turn++ % queries.count), how);
      latencies.add(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  const rate = (latencies.count / (performance.now() - startMs)) * 1000;
  return { perSecond: rate, latencies, recall: recallOfRows(truth, base, queries, answers) };
}

async function replaceSome(engine: BenchEngine, { shape, stream }: Ground, wanted: number): Promise<number> {
  const ids = pickRows(shape.count, wanted, 1);
  const fresh = stream.take(ids.length);
  const blocks = slices(ids).map(({ from, part }) => blockOf(fresh, from, part));
  const startMs = performance.now();
  await inFlight(
    WRITES_IN_FLIGHT,
    blocks.map((block) => () => engine.upsert(block, 'durable')),
  );
  await engine.settled();
  return (ids.length / (performance.now() - startMs)) * 1000;
}

async function removeSome(engine: BenchEngine, { shape }: Ground, wanted: number): Promise<number> {
  const ids = pickRows(shape.count, wanted, 2);
  const startMs = performance.now();
  await inFlight(
    WRITES_IN_FLIGHT,
    slices(ids).map(
      ({ part }) =>
        () =>
          engine.remove(part, 'durable'),
    ),
  );
  await engine.settled();
  return (ids.length / (performance.now() - startMs)) * 1000;
}

/** 80 searches, 10 replacements, 5 new points and 5 deletions in a hundred, each write a request of its own. */
async function mix(engine: BenchEngine, { shape, stream, queries }: Ground): Promise<number> {
  const random = new Random(3);
  const fresh = stream.take(1_000);
  const forMs = scaledMs(5_000);
  const startMs = performance.now();
  let operations = 0;
  let nextId = shape.count;
  const one = (turn: number): Promise<unknown> => {
    const dice = random.integer(0, 99);
    if (dice < 80) return engine.search(rowOf(queries, turn % queries.count), { ef: MIX_EF });
    if (dice >= 95) return engine.remove([random.integer(0, shape.count - 1)], 'indexed');
    const id = dice < 90 ? random.integer(0, shape.count - 1) : nextId++;
    return engine.upsert(blockOf(fresh, turn % fresh.count, [id]), 'indexed');
  };
  const work = async (): Promise<void> => {
    while (performance.now() - startMs < forMs) await one(operations++);
  };
  await Promise.all(Array.from({ length: SEARCHES_IN_FLIGHT }, work));
  return (operations / (performance.now() - startMs)) * 1000;
}

function numbersFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, place) => first + place);
}

function slices(ids: readonly number[]): { readonly from: number; readonly part: readonly number[] }[] {
  return Array.from({ length: Math.ceil(ids.length / CHANGE_POINTS) }, (_, slice) => {
    const from = slice * CHANGE_POINTS;
    return { from, part: ids.slice(from, from + CHANGE_POINTS) };
  });
}
