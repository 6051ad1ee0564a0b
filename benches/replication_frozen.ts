/** A replica that stands still while its master is under load: it falls behind in the log, and not in the master's memory.
 *
 *  The load replaces payloads, so that no index grows; the same load with the replica awake comes first and is what is compared with. */

import { atMost, type Bench, type Cell, scaled, scaledMs } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import { ClusterStream } from './support/clusters.js';
import type { PreparedRequest } from './support/http-connection.js';
import { drive } from './support/load.js';
import { fill } from './support/loaded-collection.js';
import { residentMemory } from './support/process-figures.js';
import { knownStats } from './support/replication-stats.js';
import { prepare } from './support/requests.js';
import { Sampling } from './support/sampling.js';
import type { ServerProcess } from './support/server-process.js';

const COLLECTION = 'frozen';
const DIMENSION = 128;
const WARM_MS = 30_000;
const LOAD_MS = 60_000;
const MIB = 2 ** 20;
const GROWTH_MIB_MAX = 32;
const LOOK_EVERY_MS = 50;
const CONNECTIONS = 4;
const POINTS_PER_REQUEST = 100;
const TEXT = 'x'.repeat(1_000);

export const replicationFrozen: Bench = {
  name: 'replication_frozen',
  about: 'memory of a master whose replica stands still',
  async run(progress) {
    const count = scaled(20_000, 1_000);
    const found = await withCluster(1, async (cluster, replicas) => {
      const replica = replicas[0] as ServerProcess;
      progress('filling');
      await fill(cluster.master, new ClusterStream(DIMENSION).take(count), { collection: COLLECTION });
      await cluster.equal(replicas);
      const requests = patches(count);
      progress('load, replica awake');
      // The first load settles what the process keeps for itself.
      await load(cluster, requests, scaledMs(WARM_MS));
      const awake = await load(cluster, requests, scaledMs(LOAD_MS));
      await cluster.equal(replicas);
      progress('load, replica frozen');
      replica.freeze();
      const frozen = await load(cluster, requests, scaledMs(LOAD_MS));
      progress('replica awake again');
      return { awake, frozen, back: await comeBack(cluster, replica) };
    });
    const { awake, frozen, back } = found;
    const row = (name: string, part: Loaded): Cell[] => [name, part.writesPerSecond, part.logBytes / MIB, part.rssMax / MIB];
    return {
      tables: [
        {
          title: `replication_frozen: payloads of ${TEXT.length} bytes replaced among ${count.toLocaleString('en-US')} points`,
          columns: ['replica', 'points/s', 'written, MiB', 'RSS of the master max, MiB'],
          rows: [row('awake', awake), row('frozen', frozen)],
        },
        {
          title: 'replication_frozen: the way back',
          columns: ['equal after, s', 'MiB sent', 'RSS of the master max, MiB', 'from the log', 'snapshots'],
          rows: [[back.seconds, back.bytes / MIB, back.rssMax / MIB, back.partialSyncs, back.fullSyncs]],
        },
      ],
      figures: [
        {
          name: 'memory of the master, replica frozen less awake',
          value: (frozen.rssMax - awake.rssMax) / MIB,
          unit: 'MiB',
          bound: atMost(GROWTH_MIB_MAX),
        },
        { name: 'written while it was frozen', value: frozen.logBytes / MIB, unit: 'MiB' },
        { name: 'frozen replica equal again', value: back.seconds, unit: 's' },
      ],
      notes: [
        'SIGSTOP: the connection stays and nothing is read from it, until the master ends it as silent',
        'written: bytes of request bodies',
      ],
    };
  },
};

interface Loaded {
  readonly writesPerSecond: number;
  readonly logBytes: number;
  readonly rssMax: number;
}

async function load({ master }: Cluster, requests: readonly PreparedRequest[], forMs: number): Promise<Loaded> {
  let rssMax = 0;
  const looking = new Sampling(LOOK_EVERY_MS, () => {
    rssMax = Math.max(rssMax, residentMemory(master.pid).rssBytes);
  });
  const { answered, perSecond } = await drive({ port: master.port, connections: CONNECTIONS, requests, forMs });
  await looking.stop();
  const bytes = requests.reduce((sum, { bytes: { length } }) => sum + length, 0) / requests.length;
  return { writesPerSecond: perSecond * POINTS_PER_REQUEST, logBytes: answered * bytes, rssMax };
}

async function comeBack(cluster: Cluster, replica: ServerProcess) {
  const { master, masterConnection } = cluster;
  const before = await knownStats(masterConnection);
  let rssMax = 0;
  const looking = new Sampling(LOOK_EVERY_MS, () => {
    rssMax = Math.max(rssMax, residentMemory(master.pid).rssBytes);
  });
  const startMs = performance.now();
  replica.thaw();
  const after = await cluster.equal([replica]);
  const seconds = (performance.now() - startMs) / 1000;
  await looking.stop();
  return {
    seconds,
    rssMax,
    bytes: after.bytesSent - before.bytesSent,
    fullSyncs: after.fullSyncs - before.fullSyncs,
    partialSyncs: after.partialSyncs - before.partialSyncs,
  };
}

/** One pass over all points. */
function patches(count: number): PreparedRequest[] {
  return Array.from({ length: Math.floor(count / POINTS_PER_REQUEST) }, (_, request) => {
    const points = Array.from({ length: POINTS_PER_REQUEST }, (_, place) => {
      const id = request * POINTS_PER_REQUEST + place;
      return { id, payload: { text: TEXT } };
    });
    return prepare('PATCH', `/v1/collections/${COLLECTION}/points?w=1&wait=durable`, 'msgpack', { points });
  });
}
