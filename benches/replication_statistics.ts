/** What it costs a master under load to be asked for its statistics: rounds with nobody asking and with status 10 times and metrics once a
 *  second take turns; each pair gives one ratio, the median of the pairs counts, and the spread of the quiet rounds says how exact that is. */

import { atMost, type Bench, type Cell, type Progress, scaled } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import { ClusterStream, type VectorRows } from './support/clusters.js';
import { median, percentileOf } from './support/latencies.js';
import { drive } from './support/load.js';
import { BULK_IN_FLIGHT, BULK_POINTS } from './support/loaded-collection.js';
import { processorMs } from './support/process-figures.js';
import { ask, createRequest, prepare, upsertRequests } from './support/requests.js';
import { Sampling } from './support/sampling.js';
import type { ServerProcess } from './support/server-process.js';

const COLLECTION = 'statistics';
const DIMENSION = 128;
const PAIRS = 9;
const STATUS_EVERY_MS = 100;
const METRICS_EVERY_MS = 1_000;
const COST_MAX = 0.01;

interface Round {
  readonly pointsPerSecond: number;
  /** Processor time of the master for a point. */
  readonly processorUs: number;
}

interface Pair {
  readonly quiet: Round;
  readonly asked: Round;
}

export const replicationStatistics: Bench = {
  name: 'replication_statistics',
  about: 'what asking for statistics costs a master under load',
  async run(progress) {
    const count = scaled(10_000, 2_000);
    const pairs = await withCluster(1, (cluster, replicas) => measure(cluster, replicas, count, progress));
    const costs = pairs.map(cost);
    const quiet = pairs.map((pair) => pair.quiet.pointsPerSecond);
    const noise = (percentileOf(quiet, 0.75) - percentileOf(quiet, 0.25)) / median(quiet);
    return {
      tables: [
        {
          title: `replication_statistics: points a second until indexed, rounds of ${count.toLocaleString('en-US')} × ${DIMENSION}`,
          columns: ['pair', 'nobody asks', 'asked', 'cost', 'µs of the processor a point', 'asked', 'cost'],
          rows: pairs.map((pair, index): Cell[] => {
            const { quiet, asked } = pair;
            const rates = [quiet.pointsPerSecond, asked.pointsPerSecond, cost(pair)];
            return [index + 1, ...rates, quiet.processorUs, asked.processorUs, processorCost(pair)];
          }),
        },
      ],
      figures: [
        { name: 'cost of being asked, median of the pairs', value: median(costs), unit: '', bound: atMost(COST_MAX) },
        { name: 'the same in processor time of the master', value: median(pairs.map(processorCost)), unit: '' },
        { name: 'spread of the rounds in which nobody asks, middle half / median', value: noise, unit: '' },
        { name: 'spread of the costs, middle half', value: percentileOf(costs, 0.75) - percentileOf(costs, 0.25), unit: '' },
      ],
      notes: [
        'cost: the share of its rate that the master loses; below 0 it was faster while asked',
        'a spread far above the bound means that this run says little about it',
      ],
    };
  },
};

function cost({ quiet, asked }: Pair): number {
  return 1 - asked.pointsPerSecond / quiet.pointsPerSecond;
}

function processorCost({ quiet, asked }: Pair): number {
  return asked.processorUs / quiet.processorUs - 1;
}

async function measure(
  cluster: Cluster,
  replicas: readonly ServerProcess[],
  count: number,
  progress: Progress,
): Promise<readonly Pair[]> {
  await ask(cluster.masterConnection, createRequest(COLLECTION, DIMENSION, 'euclid'));
  const source = new ClusterStream(DIMENSION);
  let firstId = 0;
  const round = async (asked: boolean): Promise<Round> => {
    const found = await ingest(cluster, source.take(count), firstId, asked);
    firstId += count;
    await cluster.equal(replicas);
    return found;
  };
  await round(false);
  const pairs: Pair[] = [];
  for (let pair = 0; pair < PAIRS; pair += 1) {
    progress(`pair ${pair + 1} of ${PAIRS}`);
    // Each round finds a larger graph: the one that goes first changes.
    const askedFirst = pair % 2 === 1;
    const [first, second] = [await round(askedFirst), await round(!askedFirst)];
    pairs.push(askedFirst ? { asked: first, quiet: second } : { quiet: first, asked: second });
  }
  return pairs;
}

async function ingest({ master }: Cluster, rows: VectorRows, firstId: number, asked: boolean): Promise<Round> {
  const requests = upsertRequests(rows, {
    collection: COLLECTION,
    form: 'msgpack',
    size: BULK_POINTS,
    idOf: (row) => firstId + row,
    query: '?w=1',
  });
  const askers = asked
    ? [await asker(master, '/replication/status', STATUS_EVERY_MS), await asker(master, '/metrics', METRICS_EVERY_MS)]
    : [];
  const usedMs = processorMs(master.pid);
  const { seconds } = await drive({ port: master.port, connections: BULK_IN_FLIGHT, requests });
  for (const stop of askers) await stop();
  const processorUs = ((processorMs(master.pid) - usedMs) * 1000) / rows.count;
  return { pointsPerSecond: rows.count / seconds, processorUs };
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
