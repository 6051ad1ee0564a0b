/** Durable commits by the number of points in each, and how soon a server is ready over stores of several sizes, cleanly stopped and killed.
 *
 *  The floor for a commit is one file that takes the same bytes by append and fdatasync: no database can be quicker on this disk. */

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, type Cell, type Progress, scaled, scaledMs, type Table } from './support/bench.js';
import { type BenchEngine, blockOf, inFlight, withEngine } from './support/bench-engine.js';
import { ClusterStream, PAYLOAD_BYTES, type VectorRows } from './support/clusters.js';
import { Latencies } from './support/latencies.js';
import { fill } from './support/loaded-collection.js';
import { ServerProcess } from './support/server-process.js';
import { withFolder } from './support/temporary-folder.js';

const GROUPS = [1, 10, 100, 1_000];
const DIMENSIONS = [128, 768];
const CONCURRENT = 64;
const COMMITS_MAX = 2_000;
const POINTS_MAX = 30_000;
const START_SIZES = [10_000, 50_000];

interface CommitRate {
  readonly pointsPerSecond: number;
  readonly latencies: Latencies;
}

export const storage: Bench = {
  name: 'storage',
  about: 'durable commits by group size, and start-up',
  async run(progress) {
    const tables: Table[] = [];
    for (const dimension of DIMENSIONS) tables.push(await commits(dimension, progress));
    tables.push(await starts(progress));
    return { tables, figures: [], notes: ['floor: append and fdatasync of the same bytes, one file, one writer'] };
  },
};

async function commits(dimension: number, progress: Progress): Promise<Table> {
  const rows: Cell[][] = [];
  for (const size of GROUPS) {
    progress(`${dimension} dimensions, ${size} points a commit`);
    const { plain, shared } = await withEngine(async (engine) => {
      await engine.create(dimension);
      const base = new ClusterStream(dimension).take(scaled(POINTS_MAX, 3_000));
      const alone = await commitAlone(engine, base, size);
      await engine.settled();
      return { plain: alone, shared: size === 1 ? await commitTogether(engine, base) : null };
    });
    const floor = await floorRate(size * (dimension * 4 + PAYLOAD_BYTES));
    rows.push(commitRow(`${size}`, plain, floor * size));
    if (shared !== null) rows.push(commitRow(`1, ${CONCURRENT} at a time`, shared, floor * size));
  }
  const columns = ['points a commit', 'points /s', 'p50 ms', 'p99 ms', 'floor points /s', '/ floor'];
  return { title: `storage: durable commits at ${dimension} dimensions, 100-byte payloads`, columns, rows };
}

function commitRow(name: string, { pointsPerSecond, latencies }: CommitRate, floor: number): Cell[] {
  const { p50, p99 } = latencies.summary();
  return [name, pointsPerSecond, p50, p99, floor, pointsPerSecond / floor];
}

/** One writer, each commit awaited before the next. */
async function commitAlone(engine: BenchEngine, base: VectorRows, size: number): Promise<CommitRate> {
  const latencies = new Latencies();
  const startMs = performance.now();
  let points = 0;
  while (performance.now() - startMs < scaledMs(3_000) && points + size <= base.count && latencies.count < COMMITS_MAX) {
    const ids = Array.from({ length: size }, (_, place) => points + place);
    const beganMs = performance.now();
    await engine.upsert(blockOf(base, points, ids), 'durable');
    latencies.add(performance.now() - beganMs);
    points += size;
  }
  return { pointsPerSecond: (points / (performance.now() - startMs)) * 1000, latencies };
}

/** Many writers of one point each: what arrives during a commit shares the next. */
async function commitTogether(engine: BenchEngine, base: VectorRows): Promise<CommitRate> {
  const latencies = new Latencies();
  const jobs = Array.from({ length: scaled(COMMITS_MAX * 3, 500) }, (_, id) => async () => {
    const beganMs = performance.now();
    await engine.upsert(blockOf(base, id % base.count, [id]), 'durable');
    latencies.add(performance.now() - beganMs);
  });
  const startMs = performance.now();
  await inFlight(CONCURRENT, jobs);
  return { pointsPerSecond: (jobs.length / (performance.now() - startMs)) * 1000, latencies };
}

/** Appends per second of `bytes` with fdatasync after each. */
function floorRate(bytes: number): Promise<number> {
  return withFolder(async (folder) => {
    const file = openSync(join(folder, 'appended'), 'w');
    const block = Buffer.alloc(bytes, 1);
    const startMs = performance.now();
    let appends = 0;
    for (; performance.now() - startMs < scaledMs(1_000); appends += 1) {
      writeSync(file, block);
      fdatasyncSync(file);
    }
    const rate = (appends / (performance.now() - startMs)) * 1000;
    closeSync(file);
    return rate;
  });
}

async function starts(progress: Progress): Promise<Table> {
  const rows: Cell[][] = [];
  for (const size of [0, ...START_SIZES]) {
    const count = size === 0 ? 0 : scaled(size, 1_000);
    progress(`start-up over ${count.toLocaleString('en-US')} points`);
    rows.push([count, ...(await startTimes(count))]);
  }
  const columns = ['points × 128', 'first start: ready ms', 'after a clean stop', 'after kill -9'];
  return { title: 'storage: start-up until ready, in ms', columns, rows };
}

function startTimes(count: number): Promise<number[]> {
  return withFolder(async (dataDir) => {
    const first = await ServerProcess.start({ dataDir });
    if (count > 0) await fill(first, new ClusterStream(128).take(count), { collection: 'start' });
    await first.stop();
    const second = await ServerProcess.start({ dataDir });
    await second.kill();
    const third = await ServerProcess.start({ dataDir });
    await third.stop();
    return [first.readyMs, second.readyMs, third.readyMs];
  });
}
