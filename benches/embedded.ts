/** A database inside the program against the same client over loopback and hnswlib-node alone: searches one after the other and 16 at once, and
 *  durable upserts. The program's own work is in the figures of all three; raw has no payloads, no log and no other thread. */

import { openSkein, SkeinClient } from '../src/embedded/skein.js';
import type { Bench, BenchResult, Cell, Progress } from './support/bench.js';
import { scaled, scaledMs } from './support/bench.js';
import { allRows, ClusterStream, payloadOf } from './support/clusters.js';
import { Latencies } from './support/latencies.js';
import { withRaw } from './support/raw-process.js';
import { withServer } from './support/server-process.js';
import { withFolder } from './support/temporary-folder.js';
import { waitFor } from './support/waiting.js';

const EF = 64;
const BATCH = 1_000;
const SINGLE_POINTS_FROM = 1_000_000;

export const embedded: Bench = {
  name: 'embedded',
  about: 'the database inside a program, against the same client over loopback and hnswlib-node alone',
  async run(progress) {
    const results: BenchResult[] = [];
    for (const dimension of [128, 768]) results.push(await runShape({ count: scaled(50_000, 2_000), dimension }, progress));
    return {
      tables: results.flatMap(({ tables }) => tables),
      figures: results.flatMap(({ figures }) => figures),
      notes: ['loopback: client and server share the cores; raw runs alone, before and after'],
    };
  },
};

interface Shape {
  readonly count: number;
  readonly dimension: number;
}

function runShape(shape: Shape, progress: Progress): Promise<BenchResult> {
  const name = `${shape.count.toLocaleString('en-US')} × ${shape.dimension}`;
  return withRaw(async (raw) => {
    progress(`${name}: raw`);
    await raw.build(shape);
    const before = await raw.search(EF, scaledMs(3_000));
    progress(`${name}: inside the program`);
    const inside = await withFolder(async (dataDir) => {
      const { client, close } = await openSkein({ dataDir, logLevel: 'error' });
      try {
        return await measure(client, shape);
      } finally {
        await close();
      }
    });
    progress(`${name}: over loopback`);
    const loopback = await withServer(async ({ port }) => {
      const client = new SkeinClient({ url: `http://127.0.0.1:${port}` });
      const measured = await measure(client, shape);
      client.close();
      return measured;
    });
    const after = await raw.search(EF, scaledMs(3_000));
    const rawPerSecond = (before.perSecond + after.perSecond) / 2;
    const rows = (way: string, { cells }: Measured): Cell[][] => cells.map((row) => [way, ...row]);
    return {
      tables: [
        {
          title: `embedded ${name}: ef ${EF}, limit 10, with payload; raw alone ${Math.round(rawPerSecond)} searches /s`,
          columns: ['way', 'what', 'at once', '/s', 'p50 ms', 'p99 ms'],
          rows: [...rows('inside', inside), ...rows('loopback', loopback)],
        },
      ],
      figures: [
        { name: `search inside / over loopback ${name}, 1 at a time`, value: inside.oneByOne / loopback.oneByOne, unit: '' },
        { name: `search inside / over loopback ${name}, 16 at once`, value: inside.many / loopback.many, unit: '' },
        { name: `search inside / raw ${name}, 16 at once`, value: inside.many / rawPerSecond, unit: '' },
      ],
      notes: [],
    };
  });
}

interface Measured {
  readonly oneByOne: number;
  readonly many: number;
  readonly cells: Cell[][];
}

async function measure(client: SkeinClient, { count, dimension }: Shape): Promise<Measured> {
  const stream = new ClusterStream(dimension);
  await client.createCollection('c', { dimension, distance: 'euclid', hnsw: { efSearch: EF } });
  for (let from = 0; from < count; from += BATCH) await client.upsert('c', points(stream, from, Math.min(BATCH, count - from)));
  await waitFor('the graph', 600_000, 50, async () => ((await client.collection('c')).status === 'ready' ? true : null));
  const queries = allRows(stream.queries);
  const search = (turn: number) => client.search('c', { vector: queries[turn % queries.length] as Float32Array, limit: 10 });
  const upsert = (turn: number) => client.upsert('c', points(stream, SINGLE_POINTS_FROM + turn, 1));
  const oneByOne = await drive(search, 1);
  const many = await drive(search, 16);
  const writes = await drive(upsert, 16);
  return {
    oneByOne: oneByOne.perSecond,
    many: many.perSecond,
    cells: [
      ['search', 1, ...cellsOf(oneByOne)],
      ['search', 16, ...cellsOf(many)],
      ['upsert of one', 16, ...cellsOf(writes)],
    ],
  };
}

function points(stream: ClusterStream, from: number, count: number) {
  return Array.from({ length: count }, (_, i) => ({ id: from + i, vector: stream.next(), payload: payloadOf(from + i) }));
}

interface Driven {
  readonly perSecond: number;
  readonly latencies: Latencies;
}

async function drive(call: (turn: number) => Promise<unknown>, atOnce: number): Promise<Driven> {
  const forMs = scaledMs(4_000);
  await loop(call, atOnce, forMs / 4);
  return loop(call, atOnce, forMs);
}

async function loop(call: (turn: number) => Promise<unknown>, atOnce: number, forMs: number): Promise<Driven> {
  const latencies = new Latencies();
  const startMs = performance.now();
  let turn = 0;
  let answered = 0;
  const work = async (): Promise<void> => {
    for (let beganMs = performance.now(); beganMs < startMs + forMs; beganMs = performance.now()) {
      await call(turn++);
      latencies.add(performance.now() - beganMs);
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return { perSecond: (answered / (performance.now() - startMs)) * 1_000, latencies };
}

function cellsOf({ perSecond, latencies }: Driven): Cell[] {
  const { p50, p99 } = latencies.summary();
  return [perSecond, p50, p99];
}
