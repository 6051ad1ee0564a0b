/** How fast a replica that was stopped catches up from the log, against the rate at which the master took the same points. */

import { atLeast, atMost, type Bench, scaled } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import { ClusterStream } from './support/clusters.js';
import { BULK_IN_FLIGHT, BULK_POINTS, settled } from './support/loaded-collection.js';
import { knownStats } from './support/replication-stats.js';
import { ask, createRequest, upsertRequests } from './support/requests.js';
import type { ServerProcess } from './support/server-process.js';
import { streamWrites } from './support/write-stream.js';

const COLLECTION = 'catch_up';
const DIMENSION = 128;
const MIB = 2 ** 20;
/** Both go at the pace of one graph, so the ratio is 1 within what two runs of one build differ; less means that something else is in the way. */
const RATIO_MIN = 0.8;

export const replicationCatchUp: Bench = {
  name: 'replication_catch_up',
  about: 'a replica that was stopped comes back',
  async run(progress) {
    const count = scaled(100_000, 2_000);
    const name = `${count.toLocaleString('en-US')} × ${DIMENSION}`;
    const found = await withCluster(1, async (cluster, replicas) => {
      await (replicas[0] as ServerProcess).stop();
      progress('writing while the replica is away');
      const ingest = await write(cluster, count);
      progress('starting the replica again');
      return { ingest, back: await comeBack(cluster) };
    });
    const { ingest, back } = found;
    const ratio = count / back.equalSeconds / ingest.durableRate;
    const indexRatio = count / back.indexedSeconds / ingest.indexedRate;
    return {
      tables: [
        {
          title: `replication_catch_up ${name}: points a second`,
          columns: ['', 'durable', 'indexed'],
          rows: [
            ['master takes them', ingest.durableRate, ingest.indexedRate],
            ['replica catches up, from its first answer on', count / back.equalSeconds, count / back.indexedSeconds],
          ],
        },
        {
          title: `replication_catch_up ${name}: the way back`,
          columns: ['start to equal, s', 'MiB', 'MiB/s', 'from the log', 'snapshots'],
          rows: [
            [back.fromStartSeconds, back.bytes / MIB, back.bytes / MIB / back.equalSeconds, back.partialSyncs, back.fullSyncs],
          ],
        },
      ],
      figures: [
        { name: `catch-up ${name} / ingest, durable`, value: ratio, unit: '', bound: atLeast(RATIO_MIN) },
        { name: `catch-up ${name} / ingest, indexed`, value: indexRatio, unit: '' },
        { name: `catch-up ${name}`, value: back.bytes / MIB / back.equalSeconds, unit: 'MiB/s' },
        { name: 'snapshots during the catch-up', value: back.fullSyncs, unit: '', bound: atMost(0) },
      ],
      notes: ['equal: the same position and the same state digest; MiB are those that the replica received'],
    };
  },
};

async function write(
  { master, masterConnection }: Cluster,
  count: number,
): Promise<{ durableRate: number; indexedRate: number }> {
  await ask(masterConnection, createRequest(COLLECTION, DIMENSION, 'euclid'));
  const rows = new ClusterStream(DIMENSION).take(count);
  const requests = upsertRequests(rows, {
    collection: COLLECTION,
    form: 'msgpack',
    size: BULK_POINTS,
    query: '?w=1&wait=durable',
  });
  const startMs = performance.now();
  const { seconds } = await streamWrites({ port: master.port, connections: BULK_IN_FLIGHT, requests, rate: null });
  await settled(masterConnection, COLLECTION);
  return { durableRate: count / seconds, indexedRate: (count * 1000) / (performance.now() - startMs) };
}

async function comeBack(cluster: Cluster) {
  const startMs = performance.now();
  const replica = await cluster.startReplica(0);
  const connection = await replica.connect();
  await cluster.equal([replica]);
  const equalMs = performance.now();
  await settled(connection, COLLECTION);
  const indexedMs = performance.now();
  const { bytesReceived, fullSyncs, partialSyncs } = await knownStats(connection);
  connection.close();
  const firstAnswerMs = startMs + replica.listeningMs;
  return {
    fromStartSeconds: (equalMs - startMs) / 1000,
    equalSeconds: (equalMs - firstAnswerMs) / 1000,
    indexedSeconds: (indexedMs - firstAnswerMs) / 1000,
    bytes: bytesReceived,
    fullSyncs,
    partialSyncs,
  };
}
