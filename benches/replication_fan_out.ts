/** One master with 1, 3 and 10 replicas under a load at full speed: what each further replica costs it. All nodes share the cores. */

import { type Bench, type BenchResult, type Cell, scaled } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import { ClusterStream, type VectorRows } from './support/clusters.js';
import { LagWatch } from './support/lag-watch.js';
import { Latencies } from './support/latencies.js';
import { BULK_IN_FLIGHT, BULK_POINTS } from './support/loaded-collection.js';
import { residentMemory } from './support/process-figures.js';
import { replicasToldBy } from './support/replication-stats.js';
import { ask, createRequest, upsertRequests } from './support/requests.js';
import { Sampling } from './support/sampling.js';
import type { ServerProcess } from './support/server-process.js';
import { streamWrites } from './support/write-stream.js';

const COLLECTION = 'fan_out';
const DIMENSION = 128;
const REPLICAS = [1, 3, 10];
const MIB = 2 ** 20;
const LOOK_EVERY_MS = 50;

export const replicationFanOut: Bench = {
  name: 'replication_fan_out',
  about: 'a master under load with 1, 3 and 10 replicas',
  async run(progress): Promise<BenchResult> {
    const base = new ClusterStream(DIMENSION).take(scaled(50_000, 2_000));
    const rows: Cell[][] = [];
    for (const count of REPLICAS) {
      progress(`${count} replicas`);
      rows.push(await withCluster(count, (cluster, replicas) => load(cluster, replicas, base)));
    }
    const rate = (row: Cell[] | undefined): number => Number(row?.[1]);
    return {
      tables: [
        {
          title: `replication_fan_out ${base.count.toLocaleString('en-US')} × ${DIMENSION}, at full speed`,
          columns: [
            'replicas',
            'points/s',
            'all equal, s',
            'MiB sent',
            'bytes a point and replica',
            'lag p99',
            'told p99',
            'RSS max, MiB',
          ],
          rows,
        },
      ],
      figures: [
        { name: 'ingest with 10 replicas / with 1', value: rate(rows.at(-1)) / rate(rows[0]), unit: '' },
        { name: 'resident memory of the master for each further replica', value: memoryPerReplica(rows), unit: 'MiB' },
      ],
      notes: [
        'lag p99, in ms: of the first replica, of every request, from outside; told: by the master, of all its replicas',
        'points/s: until acknowledged as durable by the master (w=1)',
      ],
    };
  },
};

function memoryPerReplica(rows: readonly Cell[][]): number {
  const [first, last] = [rows[0], rows.at(-1)];
  return (Number(last?.at(-1)) - Number(first?.at(-1))) / (Number(last?.[0]) - Number(first?.[0]));
}

async function load(cluster: Cluster, replicas: readonly ServerProcess[], base: VectorRows): Promise<Cell[]> {
  const { master, masterConnection } = cluster;
  await ask(masterConnection, createRequest(COLLECTION, DIMENSION, 'euclid'));
  const requests = upsertRequests(base, {
    collection: COLLECTION,
    form: 'msgpack',
    size: BULK_POINTS,
    query: '?w=1&wait=durable',
  });
  const before = await cluster.equal(replicas);
  const lag = await LagWatch.start(replicas[0] as ServerProcess);
  const told = new Latencies();
  let rssBytes = 0;
  const looking = new Sampling(LOOK_EVERY_MS, async () => {
    rssBytes = Math.max(rssBytes, residentMemory(master.pid).rssBytes);
    for (const { lag_ms: lagMs } of await replicasToldBy(masterConnection)) if (lagMs !== null) told.add(lagMs);
  });
  const startMs = performance.now();
  const { seconds } = await streamWrites({
    port: master.port,
    connections: BULK_IN_FLIGHT,
    requests,
    rate: null,
    onAcknowledged: (write) => lag.acknowledged(write),
  });
  const found = await lag.stop();
  await looking.stop();
  const { bytesSent } = await cluster.equal(replicas);
  const equalSeconds = (performance.now() - startMs) / 1000;
  const sent = bytesSent - before.bytesSent;
  return [
    replicas.length,
    base.count / seconds,
    equalSeconds,
    sent / MIB,
    sent / base.count / replicas.length,
    found.lag.p99,
    told.percentile(0.99),
    rssBytes / MIB,
  ];
}
