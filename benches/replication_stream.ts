/** The stream from a master to one replica: throughput and lag at 1,000 and 5,000 points a second and at full speed, each for a minute.
 *
 *  Lag is measured from outside, from the acknowledgement of a durable write until the replica's store has it and until searches of the
 *  replica find it, and printed beside what the nodes say of it. At full speed what counts is that it does not keep growing. */

import { atMost, type Bench, type BenchResult, type Cell, type Figure, scaled, scaledMs } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import { ClusterStream, rowOf } from './support/clusters.js';
import { FreshSearchWatch } from './support/fresh-search-watch.js';
import { LagWatch, lagGrowth } from './support/lag-watch.js';
import { Latencies, type LatencySummary } from './support/latencies.js';
import { replicasToldBy } from './support/replication-stats.js';
import { ask, createRequest, upsertRequests } from './support/requests.js';
import { Sampling } from './support/sampling.js';
import type { ServerProcess } from './support/server-process.js';
import { toldLag } from './support/told-lag.js';
import { type Acknowledgement, streamWrites, type WriteStreamResult } from './support/write-stream.js';

const COLLECTION = 'stream';
const DIMENSION = 128;
const LAST_MS = 60_000;
/** Of that time, what is left out when growth is judged: queues fill first. */
const FILLING_SHARE = 1 / 3;
const LAG_P99_MS_MAX = 50;
const GROWTH_MS_PER_S_MAX = 10;
const TOLD_EVERY_MS = 50;
/** More than a master takes in a minute. */
const FULL_SPEED_POINTS = 600_000;

interface Speed {
  readonly name: string;
  readonly pointsPerRequest: number;
  /** Requests a second; null: as fast as they are taken. */
  readonly rate: number | null;
  readonly connections: number;
}

const SPEEDS: readonly Speed[] = [
  { name: '1,000 a second, one by one', pointsPerRequest: 1, rate: 1_000, connections: 32 },
  { name: '5,000 a second, by five', pointsPerRequest: 5, rate: 1_000, connections: 32 },
  { name: 'full speed, by 1,000', pointsPerRequest: 1_000, rate: null, connections: 4 },
];

interface StreamFound {
  readonly points: number;
  readonly result: WriteStreamResult;
  /** From the acknowledgement of a write until the replica has it. */
  readonly lags: readonly Cell[][];
  /** The age of the oldest missing write at moments: from outside, and as the nodes say. */
  readonly told: readonly Cell[][];
  /** Shares of those moments at which the replica said something impossible, or nothing. */
  readonly outside: readonly Cell[];
  readonly storeP99: number;
  readonly indexP99: number;
  readonly storeGrowth: number;
  readonly indexGrowth: number;
}

export const replicationStream: Bench = {
  name: 'replication_stream',
  about: 'throughput and lag of one replica',
  async run(progress) {
    const found: [Speed, StreamFound][] = [];
    for (const speed of SPEEDS) {
      progress(speed.name);
      found.push([speed, await withCluster(1, (cluster, replicas) => stream(cluster, replicas[0] as ServerProcess, speed))]);
    }
    return resultOf(found);
  },
};

function resultOf(found: readonly (readonly [Speed, StreamFound])[]): BenchResult {
  return {
    tables: [
      {
        title: `replication_stream, ${DIMENSION} dimensions: points, and ms until a write is acknowledged`,
        columns: ['speed', 'points', 'a second', 'p50', 'p99', '503'],
        rows: found.map(([speed, { points, result }]) => {
          const { seconds, latencies, refused } = result;
          return [speed.name, points, points / seconds, latencies.p50, latencies.p99, refused];
        }),
      },
      {
        title: 'replication_stream: ms from the acknowledgement of a write until the replica has it, growth in ms a second',
        columns: ['speed', 'where', 'samples', 'p50', 'p99', 'max', 'growth'],
        rows: found.flatMap(([, { lags }]) => lags),
      },
      {
        title: 'replication_stream: age of the oldest write that store or index of the replica do not have, in ms',
        columns: ['speed', 'age', 'moments', 'p50', 'p99', 'max'],
        rows: found.flatMap(([, { told }]) => told),
      },
      {
        title: 'replication_stream: share of the moments at which the replica says what cannot be, or nothing',
        columns: ['speed', 'too little', 'too much', 'nothing'],
        rows: found.map(([, { outside }]) => outside),
      },
    ],
    figures: found.flatMap(([speed, one]) => figuresOf(speed, one)),
    notes: [
      'store: the replica has it durably; index: its searches find it; both seen from outside',
      'at least, at most: from outside, by the acknowledgement and by the sending of writes, and by searches that wait for them; says: lag_ms',
      'master and replica share the cores with the program that writes and asks',
    ],
  };
}

function figuresOf(speed: Speed, { points, result, storeP99, indexP99, storeGrowth, indexGrowth }: StreamFound): Figure[] {
  const full = speed.rate === null;
  const bounded = speed.rate === 1_000 && speed.pointsPerRequest === 1;
  const bound = bounded ? { bound: atMost(LAG_P99_MS_MAX) } : {};
  const growth = full ? { bound: atMost(GROWTH_MS_PER_S_MAX) } : {};
  return [
    { name: `${speed.name}, points a second`, value: points / result.seconds, unit: '' },
    { name: `${speed.name}, p99 lag of the store`, value: storeP99, unit: 'ms', ...bound },
    { name: `${speed.name}, p99 lag of the index`, value: indexP99, unit: 'ms', ...bound },
    { name: `${speed.name}, growth of the store's lag`, value: storeGrowth, unit: 'ms/s', ...growth },
    { name: `${speed.name}, growth of the index's lag`, value: indexGrowth, unit: 'ms/s', ...growth },
  ];
}

async function stream({ master, masterConnection }: Cluster, replica: ServerProcess, speed: Speed): Promise<StreamFound> {
  const forMs = scaledMs(LAST_MS);
  const { pointsPerRequest: size, rate, connections } = speed;
  const points = rate === null ? scaled(FULL_SPEED_POINTS, 10_000) : Math.ceil((rate * size * forMs) / 1000);
  const source = new ClusterStream(DIMENSION);
  const query = rowOf(source.queries, 0);
  await ask(masterConnection, createRequest(COLLECTION, DIMENSION, 'euclid'));
  const requests = upsertRequests(source.take(points), {
    collection: COLLECTION,
    form: 'msgpack',
    size,
    query: '?w=1&wait=durable',
  });
  const store = await LagWatch.start(replica);
  const index = await FreshSearchWatch.start(replica, COLLECTION, query);
  const ownIndex = await FreshSearchWatch.start(master, COLLECTION, query);
  const toldByMaster = new Latencies();
  const telling = new Sampling(TOLD_EVERY_MS, async () => {
    for (const { lag_ms: lagMs } of await replicasToldBy(masterConnection)) if (lagMs !== null) toldByMaster.add(lagMs);
  });
  const watches = [store, index, ownIndex];
  const onAcknowledged = (write: Acknowledgement): void => {
    for (const watch of watches) watch.acknowledged(write);
  };
  const startMs = performance.now();
  const result = await streamWrites({ port: master.port, connections, requests, rate, forMs, onAcknowledged });
  await telling.stop();
  const [storeFound, indexFound, ownFound] = [await store.stop(), await index.stop(), await ownIndex.stop()];
  const endMs = startMs + result.seconds * 1000;
  const duringWrites = storeFound.looks.filter(({ atMs }) => atMs >= startMs && atMs <= endMs);
  const said = toldLag(storeFound.writes, duringWrites, indexFound.searches);
  const fromMs = startMs + result.seconds * 1000 * FILLING_SHARE;
  const storeGrowth = lagGrowth(storeFound.samples, fromMs);
  const indexGrowth = lagGrowth(indexFound.samples, fromMs);
  const ownGrowth = lagGrowth(ownFound.samples, fromMs);
  const row = (what: string, { count, p50, p99, max }: LatencySummary, ...more: Cell[]): Cell[] => {
    return [speed.name, what, count, p50, p99, max, ...more];
  };
  return {
    points: result.answered * size,
    result,
    lags: [
      row('store', storeFound.lag, storeGrowth),
      row('index', indexFound.lag, indexGrowth),
      row('index of the master', ownFound.lag, ownGrowth),
    ],
    told: [
      row('at least', said.atLeast),
      row('the replica says', said.told),
      row('at most', said.atMost),
      row('the master says', toldByMaster.summary()),
    ],
    outside: [speed.name, said.tooLow, said.tooHigh, said.unknown],
    storeP99: storeFound.lag.p99,
    indexP99: indexFound.lag.p99,
    storeGrowth,
    indexGrowth,
  };
}
