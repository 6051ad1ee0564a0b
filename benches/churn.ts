/** Replacing every point 1, 3 and 10 times: what a replacement costs with its share of the rebuilds, against hnswlib-node's own replacement in
 *  place; and what is left afterwards: recall and latency against a fresh build of the same points, in the same server.
 *
 *  Cost is processor time of the whole server process (HTTP, log, commit, index, rebuild) from the first replacement until the index is at
 *  rest again; hnswlib-node has one thread, so its time is processor time. Searches go on all the while, 25 a second. What is held against
 *  the replacement in place is the index's part: the whole less what the same requests cost beside the index, which is what filling
 *  took in the server less what hnswlib-node took for the same graph. */

import { atLeast, atMost, type Bench, type Cell, type Figure, type Progress, scaled } from './support/bench.js';
import { ClusterStream, pickRows, QUERY_COUNT, type VectorRows } from './support/clusters.js';
import type { HttpConnection, PreparedRequest } from './support/http-connection.js';
import { Latencies } from './support/latencies.js';
import { drive, Watch } from './support/load.js';
import { BULK_IN_FLIGHT, BULK_POINTS, fill, settled } from './support/loaded-collection.js';
import { processorMs } from './support/process-figures.js';
import { withRaw } from './support/raw-process.js';
import { prepare, readAnswer, searchAll, searchRequests, upsertRequests } from './support/requests.js';
import { type ServerProcess, withServer } from './support/server-process.js';
import { findTruth, recallOfRows, type Truth } from './support/truth.js';

const CHURNED = 'churned';
const FRESH = 'fresh';
const DIMENSION = 128;
const ROUNDS = [1, 3, 10];
const EF = 64;
const LOW_EF = 16;
const COST_RATIO_MAX = 0.5;
const RECALL_LOSS_MAX = 0.01;
const LATENCY_RATIO_MAX = 1.3;
const SEARCH_EVERY_MS = 40;
const WINDOW_MS = 2_000;
const IN_PLACE_SAMPLE = 5_000;
const COMPARE_TURNS = 10;

interface Compared {
  readonly recall: number;
  readonly lowRecall: number;
  readonly p50: number;
}

/** Milliseconds a point by hnswlib-node alone. */
interface RawCosts {
  readonly insertMs: number;
  readonly inPlaceMs: number;
}

interface RoundCost {
  readonly processorMs: number;
  readonly wallMs: number;
  readonly worstP50: number;
}

export const churn: Bench = {
  name: 'churn',
  about: 'cost of replacing points, and what is left of recall and latency after it',
  async run(progress) {
    const count = scaled(50_000, 5_000);
    progress('replacement in place by hnswlib-node');
    const raw = await withRaw(async (library) => {
      const built = await library.build({ count, dimension: DIMENSION });
      const replaced = await library.replace(Math.min(count, IN_PLACE_SAMPLE));
      return { insertMs: built.totalMs / built.operations, inPlaceMs: replaced.totalMs / replaced.operations };
    });
    return withServer((server) => runRounds(server, count, raw, progress));
  },
};

async function runRounds(server: ServerProcess, count: number, raw: RawCosts, progress: Progress) {
  const { inPlaceMs } = raw;
  const stream = new ClusterStream(DIMENSION);
  const current = stream.take(count);
  const cpuBefore = processorMs(server.pid);
  await fill(server, current, { collection: CHURNED });
  const besideIndexMs = Math.max(0, (processorMs(server.pid) - cpuBefore) / count - raw.insertMs);
  const rows: Cell[][] = [];
  const figures: Figure[] = [];
  let total = 0;
  let worstP50 = 0;
  for (let round = 1; round <= (ROUNDS.at(-1) ?? 0); round += 1) {
    progress(`round ${round}: replacing ${count.toLocaleString('en-US')} points`);
    const cost = await replaceAll(server, stream, current, round);
    total += cost.processorMs;
    worstP50 = Math.max(worstP50, cost.worstP50);
    if (!ROUNDS.includes(round)) continue;
    progress(`round ${round}: against a fresh build`);
    const { churned, fresh } = await compare(server, stream, current);
    const perPoint = total / (round * count);
    const ofIndex = perPoint - besideIndexMs;
    const cells = [
      perPoint,
      perPoint / inPlaceMs,
      ofIndex,
      ofIndex / inPlaceMs,
      cost.wallMs / count,
      churned.recall,
      fresh.recall,
      churned.lowRecall,
      fresh.lowRecall,
    ];
    rows.push([`${round}×`, ...cells, churned.p50, fresh.p50, churned.p50 / fresh.p50, worstP50]);
    figures.push(
      {
        name: `churn ${round}×, index work of a replacement / in place`,
        value: ofIndex / inPlaceMs,
        unit: '',
        bound: atMost(COST_RATIO_MAX),
      },
      { name: `churn ${round}×, all work of the server for a replacement / in place`, value: perPoint / inPlaceMs, unit: '' },
      {
        name: `churn ${round}×, recall@10 less a fresh build's`,
        value: churned.recall - fresh.recall,
        unit: '',
        bound: atLeast(-RECALL_LOSS_MAX),
      },
      {
        name: `churn ${round}×, search p50 / fresh build's`,
        value: churned.p50 / fresh.p50,
        unit: '',
        bound: atMost(LATENCY_RATIO_MAX),
      },
    );
  }
  figures.push({ name: 'churn, worst p50 of searches while it went on', value: worstP50, unit: 'ms' });
  const columns = [
    ...[
      'churn',
      'cpu ms each',
      '/ in place',
      'of the index',
      '/ in place',
      'wall ms each',
      `recall ef ${EF}`,
      'fresh',
      `recall ef ${LOW_EF}`,
      'fresh',
    ],
    ...['p50 ms', 'fresh', 'ratio', 'worst p50 ms'],
  ];
  const title = `churn ${count.toLocaleString('en-US')} × ${DIMENSION}; hnswlib-node replaces in place in ${inPlaceMs.toFixed(2)} ms`;
  return {
    tables: [{ title, columns, rows }],
    figures,
    notes: ['worst p50: of any two seconds while replacements and rebuilds ran'],
  };
}

/** Replaces every point once, in random order, and changes `current` alike. */
async function replaceAll(server: ServerProcess, stream: ClusterStream, current: VectorRows, round: number): Promise<RoundCost> {
  const order = pickRows(current.count, current.count, round);
  const fresh = stream.take(current.count);
  order.forEach((id, row) => {
    current.values.set(fresh.values.subarray(row * DIMENSION, (row + 1) * DIMENSION), id * DIMENSION);
  });
  const plan = { collection: CHURNED, form: 'msgpack', size: BULK_POINTS, idOf: (row: number) => order[row] ?? 0 } as const;
  const requests = upsertRequests(fresh, plan);
  const watch = await Watch.start(
    server.port,
    searchRequests(stream.queries, { collection: CHURNED, form: 'msgpack', ef: EF }),
    SEARCH_EVERY_MS,
  );
  let worstP50 = 0;
  const windows = setInterval(() => {
    worstP50 = Math.max(worstP50, watch.takeWindow().percentile(0.5));
  }, WINDOW_MS);
  const startMs = performance.now();
  const cpuBefore = processorMs(server.pid);
  try {
    await drive({ port: server.port, connections: BULK_IN_FLIGHT, requests });
    const wallMs = performance.now() - startMs;
    const connection = await server.connect();
    await settled(connection, CHURNED);
    connection.close();
    return { processorMs: processorMs(server.pid) - cpuBefore, wallMs, worstP50 };
  } finally {
    clearInterval(windows);
    await watch.stop();
  }
}

async function compare(
  server: ServerProcess,
  stream: ClusterStream,
  current: VectorRows,
): Promise<{ churned: Compared; fresh: Compared }> {
  const { queries } = stream;
  await fill(server, current, { collection: FRESH });
  const truth = findTruth(current, queries, 'euclid', 10);
  const connection = await server.connect();
  const [churnedMs, freshMs] = await alternate(connection, queries);
  const churned = { ...(await recalls(connection, CHURNED, current, queries, truth)), p50: churnedMs.percentile(0.5) };
  const fresh = { ...(await recalls(connection, FRESH, current, queries, truth)), p50: freshMs.percentile(0.5) };
  readAnswer(await connection.send(prepare('DELETE', `/v1/collections/${FRESH}`, 'json', null)), 'json');
  connection.close();
  return { churned, fresh };
}

/** Searches one collection and the other in turn, so that both meet the same machine. */
async function alternate(connection: HttpConnection, queries: VectorRows): Promise<[Latencies, Latencies]> {
  const plans = [CHURNED, FRESH].map((collection) => searchRequests(queries, { collection, form: 'msgpack', ef: EF }));
  const latencies: [Latencies, Latencies] = [new Latencies(), new Latencies()];
  for (let turn = 0; turn <= COMPARE_TURNS; turn += 1) {
    for (const [side, requests] of plans.entries()) {
      // The first turn warms up.
      for (const request of requests) await timeInto(turn === 0 ? null : (latencies[side] ?? null), connection, request);
    }
  }
  return latencies;
}

async function timeInto(latencies: Latencies | null, connection: HttpConnection, request: PreparedRequest): Promise<void> {
  const startMs = performance.now();
  const { status } = await connection.send(request);
  if (status !== 200) throw new Error(`a search answered ${status}`);
  latencies?.add(performance.now() - startMs);
}

async function recalls(connection: HttpConnection, collection: string, base: VectorRows, queries: VectorRows, truth: Truth) {
  const at = async (ef: number): Promise<number> => {
    const hits = await searchAll(connection, searchRequests(queries, { collection, form: 'msgpack', ef }), 'msgpack');
    if (hits.length !== QUERY_COUNT) throw new Error('a query got no answer');
    const ids = hits.map((answer) => answer.map(({ id }) => id));
    return recallOfRows(truth, base, queries, ids);
  };
  return { recall: await at(EF), lowRecall: await at(LOW_EF) };
}
