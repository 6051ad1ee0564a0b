/** What metrics, the log and slow queries cost a search: two servers over the same data and the same graph, one with all of it, one with
 *  none, asked in turns for a fraction of a second each (on, off, off, on, …), so that whatever else the machine does meets both alike.
 *  The processes are started anew again and again, half of the time with the two folders exchanged, because a process may be faster than its
 *  twin by a twentieth for no reason but its memory.
 *
 *  Two answers: the ratio of rates, pair by pair, with a confidence interval of its median by resampling; and processor time of the whole
 *  process for one search, which the load of the machine moves less. */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, type Bench, type Cell, type Progress, scaled, scaledMs } from './support/bench.js';
import { ClusterStream } from './support/clusters.js';
import { median, percentileOf } from './support/latencies.js';
import { drive } from './support/load.js';
import { fill } from './support/loaded-collection.js';
import { processorMs } from './support/process-figures.js';
import { prepare, searchRequests } from './support/requests.js';
import { ServerProcess } from './support/server-process.js';
import { withFolder } from './support/temporary-folder.js';

const COLLECTION = 'cost';
const CONNECTIONS = 8;
const DIMENSION = 128;
const EF = 64;
const ROUND_MS = 250;
/** A scrape for about every fifteen seconds of searching, as Prometheus does. */
const SCRAPE_EVERY_ROUNDS = 60;
/** Starts of both processes. */
const STARTS = 8;
const RESAMPLES = 2_000;
const COST_MAX = 0.02;
const OFF = ['--no-metrics', '--slow-query-ms', '0', '--log-level', 'silent'];

type Side = 'on' | 'off';

interface Round {
  readonly perSecond: number;
  readonly searches: number;
  readonly processorMs: number;
}
type Pair = Readonly<Record<Side, Round>>;

export const observabilityCost: Bench = {
  name: 'observability_cost',
  about: 'what metrics, log and slow queries cost a search',
  async run(progress) {
    const count = scaled(50_000, 2_000);
    const pairsOfEach = Math.max(4, Math.round(scaledMs(120_000) / (2 * ROUND_MS * STARTS)));
    const pairs = await withFolder(async (folder) => {
      const stream = new ClusterStream(DIMENSION);
      progress('filling');
      const [first, second] = await twins(folder, stream, count);
      const requests = searchRequests(stream.queries, { collection: COLLECTION, form: 'msgpack', ef: EF });
      const found: Pair[] = [];
      for (let start = 0; start < STARTS; start++) {
        const folders = start % 2 === 0 ? { on: first, off: second } : { on: second, off: first };
        found.push(...(await inTurns(folders, requests, pairsOfEach, progress)));
      }
      return found;
    });
    const costs = pairs.map(({ on, off }) => 1 - on.perSecond / off.perSecond);
    const [low, high] = confidence(costs);
    const sum = (side: Side, of: (round: Round) => number): number => pairs.reduce((total, pair) => total + of(pair[side]), 0);
    const microseconds = (side: Side): number => (1_000 * sum(side, (one) => one.processorMs)) / sum(side, (one) => one.searches);
    const rows = (['on', 'off'] as const).map((side): Cell[] => [
      side,
      sum(side, ({ searches }) => searches),
      median(pairs.map((pair) => pair[side].perSecond)),
      microseconds(side),
    ]);
    const title = `observability_cost ${count.toLocaleString('en-US')} × ${DIMENSION}, ${CONNECTIONS} connections, ${pairs.length} pairs`;
    return {
      tables: [{ title, columns: ['metrics, log, slow queries', 'searches', '/s, median', 'µs of processor each'], rows }],
      figures: [
        { name: 'share of search throughput, median of pairs', value: median(costs), unit: '', bound: atMost(COST_MAX) },
        { name: 'the same, 95 % confidence, low', value: low, unit: '' },
        { name: 'the same, 95 % confidence, high', value: high, unit: '' },
        { name: 'share of processor time for one search', value: 1 - microseconds('off') / microseconds('on'), unit: '' },
      ],
      notes: ['a cost below 0 is a round in which the server that measures was faster'],
    };
  },
};

/** Two folders with the same store and the same graph. */
async function twins(folder: string, stream: ClusterStream, count: number): Promise<readonly [string, string]> {
  const first = join(folder, 'first');
  const second = join(folder, 'second');
  const server = await ServerProcess.start({ dataDir: first });
  try {
    await fill(server, stream.take(count), { collection: COLLECTION });
  } finally {
    await server.stop();
  }
  cpSync(first, second, { recursive: true });
  return [first, second];
}

async function inTurns(
  folders: Readonly<Record<Side, string>>,
  requests: ReturnType<typeof searchRequests>,
  count: number,
  progress: Progress,
): Promise<Pair[]> {
  const on = await ServerProcess.start({ dataDir: folders.on });
  const off = await ServerProcess.start({ dataDir: folders.off, flags: OFF }).catch(async (error: unknown) => {
    await on.stop();
    throw error;
  });
  try {
    for (const { port } of [on, off]) await drive({ port, connections: CONNECTIONS, requests, forMs: 4 * ROUND_MS });
    const pairs: Pair[] = [];
    for (let turn = 0; turn < count; turn += 1) {
      if (turn % 20 === 0) progress(`pair ${turn} of ${count}`);
      if (turn % SCRAPE_EVERY_ROUNDS === 0) await scrape(on);
      const early = turn % 2 === 0 ? await round(on, requests) : await round(off, requests);
      const late = turn % 2 === 0 ? await round(off, requests) : await round(on, requests);
      pairs.push(turn % 2 === 0 ? { on: early, off: late } : { on: late, off: early });
    }
    return pairs;
  } finally {
    await Promise.all([on.stop(), off.stop()]);
  }
}

async function round({ port, pid }: ServerProcess, requests: ReturnType<typeof searchRequests>): Promise<Round> {
  const before = processorMs(pid);
  const { perSecond, answered } = await drive({ port, connections: CONNECTIONS, requests, forMs: ROUND_MS });
  return { perSecond, searches: answered, processorMs: processorMs(pid) - before };
}

async function scrape(server: ServerProcess): Promise<void> {
  const connection = await server.connect();
  try {
    await connection.send(prepare('GET', '/metrics', 'json', null));
  } finally {
    connection.close();
  }
}

/** Of the median, by resampling (Efron 1979). @returns where 95 of 100 medians lie */
function confidence(values: readonly number[]): readonly [number, number] {
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(values.map(() => values[Math.floor(Math.random() * values.length)] ?? 0)),
  );
  return [percentileOf(medians, 0.025), percentileOf(medians, 0.975)];
}
