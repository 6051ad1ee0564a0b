/** What it costs to wait for a replica: single points, one at a time, by write concern, against a master that has no replica.
 *  The cases take turns in short rounds, so that a slower moment of the machine meets them all; medians of the rounds count. */

import { atMost, type Bench, type Cell, type Progress, scaled } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import { ClusterStream, rowOf, type VectorRows } from './support/clusters.js';
import { type LatencySummary, median } from './support/latencies.js';
import { drive } from './support/load.js';
import { ask, createRequest, upsertRequests } from './support/requests.js';

const COLLECTION = 'write_concern';
const DIMENSION = 128;
const ROUNDS = 9;
const P99_RATIO_MAX = 3;

interface Case {
  readonly name: string;
  readonly w: string;
  readonly replicas: 0 | 1;
}

const ALONE: Case = { name: 'w=1, no replica', w: '1', replicas: 0 };
const MAJORITY: Case = { name: 'w=majority', w: 'majority', replicas: 1 };
const CASES: readonly Case[] = [
  ALONE,
  { name: 'w=1, one replica', w: '1', replicas: 1 },
  { name: 'w=2', w: '2', replicas: 1 },
  MAJORITY,
];

export const replicationWriteConcern: Bench = {
  name: 'replication_write_concern',
  about: 'latency of single writes by write concern',
  async run(progress) {
    const writes = scaled(500, 50);
    const found = await withCluster(0, (alone) => withCluster(1, (pair) => measure([alone, pair], writes, progress)));
    const p99 = (one: Case): number => median(roundsOf(found, one).map((round) => round.p99));
    const rows = CASES.map((one): Cell[] => {
      const rounds = roundsOf(found, one);
      const of = (pick: (round: LatencySummary) => number): number => median(rounds.map(pick));
      return [
        one.name,
        rounds.length,
        of(({ p50 }) => p50),
        of(({ p95 }) => p95),
        of((round) => round.p99),
        of(({ max }) => max),
      ];
    });
    return {
      tables: [
        {
          title: `replication_write_concern, ${DIMENSION} dimensions, wait=durable: ms, medians of rounds of ${writes} writes`,
          columns: ['case', 'rounds', 'p50', 'p95', 'p99', 'max'],
          rows,
        },
      ],
      figures: [
        {
          name: 'p99 of w=majority / w=1 without a replica',
          value: p99(MAJORITY) / p99(ALONE),
          unit: '',
          bound: atMost(P99_RATIO_MAX),
        },
        { name: 'p99 of w=majority', value: p99(MAJORITY), unit: 'ms' },
        { name: 'p99 of w=1 without a replica', value: p99(ALONE), unit: 'ms' },
      ],
      notes: ['majority: two of two voters; both masters and the replica run all the time'],
    };
  },
};

function roundsOf(found: ReadonlyMap<Case, readonly LatencySummary[]>, one: Case): readonly LatencySummary[] {
  return found.get(one) ?? [];
}

/** @param clusters by their number of replicas */
async function measure(
  clusters: readonly [Cluster, Cluster],
  writes: number,
  progress: Progress,
): Promise<ReadonlyMap<Case, readonly LatencySummary[]>> {
  for (const { masterConnection } of clusters) await ask(masterConnection, createRequest(COLLECTION, DIMENSION, 'euclid'));
  const found = new Map(CASES.map((one) => [one, [] as LatencySummary[]]));
  const rows = new ClusterStream(DIMENSION).take((ROUNDS + 1) * CASES.length * writes);
  let nextId = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    progress(round === 0 ? 'warming up' : `round ${round} of ${ROUNDS}`);
    for (let turn = 0; turn < CASES.length; turn += 1) {
      // Another one goes first each time.
      const one = CASES[(turn + round) % CASES.length] as Case;
      const firstId = nextId;
      nextId += writes;
      const requests = upsertRequests(stretch(rows, firstId, writes), {
        collection: COLLECTION,
        form: 'msgpack',
        size: 1,
        idOf: (row) => firstId + row,
        query: `?w=${one.w}&wait=durable`,
      });
      const { latencies } = await drive({ port: clusters[one.replicas].master.port, connections: 1, requests });
      if (round > 0) found.get(one)?.push(latencies);
    }
  }
  return found;
}

function stretch(rows: VectorRows, from: number, count: number): VectorRows {
  const values = new Float32Array(count * rows.dimension);
  for (let row = 0; row < count; row += 1) values.set(rowOf(rows, from + row), row * rows.dimension);
  return { count, dimension: rows.dimension, values };
}
