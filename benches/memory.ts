/** Settled resident memory of the server, less bare Node, against hnswlib-node alone, less bare Node, for the same points; the server's
 *  have payloads of 100 bytes. Once after filling, and once after a restart from the checkpoint. No rebuild runs. hnswlib-node is measured as
 *  a program that has just built its graph under Node's own settings, and again under those that the server's first line sets. */

import { atMost, type Bench, type BenchResult, type Cell, type Progress, scaled } from './support/bench.js';
import { ClusterStream, type Shape } from './support/clusters.js';
import { fill, settled } from './support/loaded-collection.js';
import { bareNodeMemory, type ResidentMemory, settledMemory } from './support/process-figures.js';
import { type RawProcess, withRaw } from './support/raw-process.js';
import { ServerProcess } from './support/server-process.js';
import { withFolder } from './support/temporary-folder.js';

const COLLECTION = 'memory';
const RATIO_MAX = 1.5;
const MIB = 2 ** 20;
/** Threads that are kept for half a minute after their last work are gone by then. */
const SETTLE_DEADLINE_MS = 120_000;
const KEPT_THREADS_MS = 45_000;

export const memory: Bench = {
  name: 'memory',
  about: 'settled resident memory against hnswlib-node alone',
  async run(progress) {
    const shapes = [
      { count: scaled(100_000, 5_000), dimension: 128 },
      { count: scaled(50_000, 2_500), dimension: 768 },
    ];
    const results: BenchResult[] = [];
    for (const shape of shapes) results.push(await runShape(shape, progress));
    return {
      tables: [
        {
          title: 'memory: resident MiB less bare Node',
          columns: ['points', 'process', 'resident', 'of it heaps', 'of it files', 'less bare Node', 'bytes a point', '/ raw'],
          rows: results.flatMap(({ tables }) => tables.flatMap(({ rows }) => rows)),
        },
      ],
      figures: results.flatMap(({ figures }) => figures),
      notes: ['raw holds vectors and graph only; the server also holds payloads on disk, an operation log and its page caches'],
    };
  },
};

async function runShape(shape: Shape, progress: Progress): Promise<BenchResult> {
  const name = `${shape.count.toLocaleString('en-US')} × ${shape.dimension}`;
  progress(`${name}: bare Node and hnswlib-node`);
  const bare = await bareNodeMemory();
  const built = async (raw: RawProcess): Promise<number> => {
    await raw.build(shape);
    return raw.rssBytes();
  };
  const rawBytes = await withRaw(built);
  const leanBytes = await withRaw(built, true);
  const rows: Cell[][] = [];
  const row = (process: string, resident: ResidentMemory): number => {
    const net = resident.rssBytes - bare.rssBytes;
    const { rssBytes, anonymousBytes, fileBytes } = resident;
    const cells = [rssBytes, anonymousBytes, fileBytes, net].map((bytes) => Math.round(bytes / MIB));
    rows.push([name, process, ...cells, Math.round(net / shape.count), net / (rawBytes - bare.rssBytes)]);
    return net / (rawBytes - bare.rssBytes);
  };
  row('bare Node', bare);
  row('raw', { rssBytes: rawBytes, anonymousBytes: 0, fileBytes: 0 });
  const leanRatio = row('raw, lean settings', { rssBytes: leanBytes, anonymousBytes: 0, fileBytes: 0 });
  const [filled, restarted] = await withFolder(async (dataDir) => {
    progress(`${name}: server, after filling`);
    const first = await ServerProcess.start({ dataDir });
    await fill(first, new ClusterStream(shape.dimension).take(shape.count), { collection: COLLECTION });
    const afterFilling = await atRest(first);
    await first.stop();
    progress(`${name}: server, after a restart`);
    const second = await ServerProcess.start({ dataDir });
    const afterRestart = await atRest(second);
    await second.stop();
    return [afterFilling, afterRestart];
  });
  const ratio = row('server, filled', filled);
  const restartedRatio = row('server, restarted', restarted);
  return {
    tables: [{ title: '', columns: [], rows }],
    figures: [
      { name: `memory ${name}, server / raw`, value: ratio, unit: '', bound: atMost(RATIO_MAX) },
      { name: `memory ${name}, restarted server / raw`, value: restartedRatio, unit: '', bound: atMost(RATIO_MAX) },
      { name: `memory ${name}, server / raw with the server's settings`, value: ratio / leanRatio, unit: '' },
      { name: `memory ${name}, restarted server / raw with the server's settings`, value: restartedRatio / leanRatio, unit: '' },
    ],
    notes: [],
  };
}

async function atRest(server: ServerProcess): Promise<ResidentMemory> {
  const connection = await server.connect();
  await settled(connection, COLLECTION);
  connection.close();
  const startMs = performance.now();
  await settledMemory(server.pid, KEPT_THREADS_MS);
  const restMs = KEPT_THREADS_MS - (performance.now() - startMs);
  return settledMemory(server.pid, Math.max(restMs, 0) + SETTLE_DEADLINE_MS);
}
