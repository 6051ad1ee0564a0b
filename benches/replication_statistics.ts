/** What statistics cost a master, two ways. By processor time: of an answer and of a page of metrics on a node that does nothing else, and of
 *  what is noted with every commit and acknowledgement; that is exact, and bounded. By throughput: rounds of the same load with nobody asking
 *  and with status 10 times and metrics once a second, in turns; that is the question itself, and no more exact than the machine is steady. */

import { systemClock } from '../src/model/clock.js';
import { silentLog } from '../src/model/log.js';
import { ReplicaRegistry } from '../src/replication/replica-registry.js';
import type { Hello } from '../src/wire/frames.js';
import { CLUSTER, digestAt, FakeLog, HISTORY, NODE } from '../tests/support/fake-log.js';
import { atMost, type Bench, type Cell, type Progress, scaled } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import { ClusterStream, type VectorRows } from './support/clusters.js';
import { median, percentileOf } from './support/latencies.js';
import { drive } from './support/load.js';
import { BULK_IN_FLIGHT, BULK_POINTS, settled } from './support/loaded-collection.js';
import { processorMs } from './support/process-figures.js';
import { ask, createRequest, prepare, upsertRequests } from './support/requests.js';
import { Sampling } from './support/sampling.js';
import type { ServerProcess } from './support/server-process.js';
import { delay } from './support/waiting.js';

const DIMENSION = 128;
const PAIRS = 9;
const STATUS_EVERY_MS = 100;
const METRICS_EVERY_MS = 1_000;
const STATUS = '/replication/status';
const METRICS = '/metrics';
const COST_MAX = 0.01;
/** Every write a commit of its own: more than two cores take. */
const COMMITS_PER_SECOND = 5_000;
const ENTRY_BYTES = 700;

/** Milliseconds of the processor for one of each. */
interface Direct {
  readonly status: number;
  readonly metrics: number;
  readonly commit: number;
}

/** Points a second of one pair of rounds. */
interface Pair {
  readonly quiet: number;
  readonly asked: number;
}

export const replicationStatistics: Bench = {
  name: 'replication_statistics',
  about: 'what statistics cost a master',
  async run(progress) {
    const count = scaled(30_000, 2_000);
    const { direct, pairs } = await withCluster(1, async (cluster, replicas) => {
      const rows = new ClusterStream(DIMENSION).take(count);
      const found = await roundsOf(cluster, replicas, rows, progress);
      progress('answers, one after the other');
      return { pairs: found, direct: await directly(cluster) };
    });
    const asking = (direct.status * 1000) / STATUS_EVERY_MS + (direct.metrics * 1000) / METRICS_EVERY_MS;
    const keeping = direct.commit * COMMITS_PER_SECOND;
    const costs = pairs.map(cost);
    return {
      tables: [
        {
          title: 'replication_statistics: processor time',
          columns: ['', 'µs for one', 'a second', 'share of a core'],
          rows: [
            [STATUS, direct.status * 1000, 1000 / STATUS_EVERY_MS, direct.status / STATUS_EVERY_MS],
            [METRICS, direct.metrics * 1000, 1000 / METRICS_EVERY_MS, direct.metrics / METRICS_EVERY_MS],
            ['a commit and its acknowledgement', direct.commit * 1000, COMMITS_PER_SECOND, keeping / 1000],
          ],
        },
        {
          title: `replication_statistics: points a second, rounds of ${count.toLocaleString('en-US')} × ${DIMENSION}`,
          columns: ['pair', 'nobody asks', 'asked', 'cost'],
          rows: pairs.map((pair, index): Cell[] => [index + 1, pair.quiet, pair.asked, cost(pair)]),
        },
      ],
      figures: [
        {
          name: 'statistics kept and asked for, share of a core',
          value: (asking + keeping) / 1000,
          unit: '',
          bound: atMost(COST_MAX),
        },
        { name: 'share of throughput lost while asked, median of the pairs', value: median(costs), unit: '' },
        { name: 'spread of that, middle half', value: percentileOf(costs, 0.75) - percentileOf(costs, 0.25), unit: '' },
      ],
      notes: [
        'the load takes all cores, so the share of throughput that is lost cannot be more than the share of one core',
        'cost: the share of its rate that the master loses; below 0 it was faster while asked',
      ],
    };
  },
};

function cost({ quiet, asked }: Pair): number {
  return 1 - asked / quiet;
}

async function directly({ master }: Cluster): Promise<Direct> {
  return {
    status: await answerMs(master, STATUS, scaled(4_000, 100)),
    metrics: await answerMs(master, METRICS, scaled(800, 20)),
    commit: commitMs(scaled(500_000, 10_000)),
  };
}

/** Of the master's whole process, less what it uses in as long a time when nobody asks. */
async function answerMs(server: ServerProcess, path: string, times: number): Promise<number> {
  const requests = [prepare('GET', path, 'json', null)];
  const round = (): Promise<unknown> =>
    drive({ port: server.port, connections: 1, requests: Array.from({ length: times }, () => requests[0] as never) });
  await round();
  const before = processorMs(server.pid);
  const startMs = performance.now();
  await round();
  const usedMs = processorMs(server.pid) - before;
  const spentMs = performance.now() - startMs;
  const idleBefore = processorMs(server.pid);
  await delay(spentMs);
  return (usedMs - (processorMs(server.pid) - idleBefore)) / times;
}

/** Of what is noted when an entry is durable and when the replica says so, in this process. */
function commitMs(times: number): number {
  const fake = new FakeLog();
  const replicaId = 'b'.repeat(32);
  const registry = new ReplicaRegistry({
    rules: { heartbeatMs: 1_000, timeoutMs: 10_000, lagMs: 1_000 },
    clock: systemClock,
    log: silentLog,
    role: () => 'master',
    address: () => ({ host: 'localhost', port: 1 }),
    damaged: () => {},
  });
  fake.voters = [NODE, replicaId].map((nodeId) => ({ nodeId, host: 'localhost', port: 1 }));
  registry.attach(fake.log);
  const position = { historyId: HISTORY, epoch: fake.epoch, seq: fake.seq, hash: '' };
  const hello = { nodeId: replicaId, host: 'localhost', port: 1, clusterId: CLUSTER, position } as unknown as Hello;
  registry.enlist(hello, 1, 'partial');
  const run = (): void => {
    for (let time = 0; time < times; time += 1) {
      fake.seq += 1;
      const { seq } = fake;
      registry.committed(seq, ENTRY_BYTES);
      const seqs = { receivedSeq: seq, durableSeq: seq, appliedSeq: seq };
      const ack = {
        type: 'ack',
        diverged: false,
        receivedBytes: seq * ENTRY_BYTES,
        heartbeat: 1,
        digest: digestAt(seq),
        ...seqs,
      } as const;
      registry.heard(replicaId);
      registry.acknowledged(replicaId, 'streaming', ack);
    }
  };
  run();
  const startMs = performance.now();
  run();
  return (performance.now() - startMs) / times;
}

/** Each round fills a collection of its own with the same points. */
async function roundsOf(
  cluster: Cluster,
  replicas: readonly ServerProcess[],
  rows: VectorRows,
  progress: Progress,
): Promise<readonly Pair[]> {
  let number = 0;
  const round = async (asked: boolean): Promise<number> => {
    const collection = `statistics_${number++}`;
    await ask(cluster.masterConnection, createRequest(collection, DIMENSION, 'euclid'));
    const rate = await ingest(cluster, collection, rows, asked);
    await settled(cluster.masterConnection, collection);
    await ask(cluster.masterConnection, prepare('DELETE', `/v1/collections/${collection}`, 'json', null));
    await cluster.equal(replicas);
    return rate;
  };
  await round(false);
  const pairs: Pair[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    progress(`pair ${pair + 1} of ${PAIRS}`);
    const askedFirst = pair % 2 === 1;
    const [first, second] = [await round(askedFirst), await round(!askedFirst)];
    pairs.push(askedFirst ? { asked: first, quiet: second } : { quiet: first, asked: second });
  }
  return pairs;
}

async function ingest({ master }: Cluster, collection: string, rows: VectorRows, asked: boolean): Promise<number> {
  const requests = upsertRequests(rows, { collection, form: 'msgpack', size: BULK_POINTS, query: '?w=1' });
  const askers = asked ? [await asker(master, STATUS, STATUS_EVERY_MS), await asker(master, METRICS, METRICS_EVERY_MS)] : [];
  const { seconds } = await drive({ port: master.port, connections: BULK_IN_FLIGHT, requests });
  for (const stop of askers) await stop();
  return rows.count / seconds;
}

async function asker(server: ServerProcess, path: string, everyMs: number): Promise<() => Promise<void>> {
  const connection = await server.connect();
  const request = prepare('GET', path, 'json', null);
  const asking = new Sampling(everyMs, async () => {
    const { status } = await connection.send(request);
    if (status !== 200) throw new Error(`${path} answered ${status}`);
  });
  return async () => {
    await asking.stop();
    connection.close();
  };
}
