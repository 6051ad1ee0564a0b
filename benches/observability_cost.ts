/** What metrics, the log and slow queries cost a search: servers over the same data and the same graph, two with all of it and two with
 *  none, asked in turns for a fraction of a second each, there and back, so that whatever else the machine does meets all alike.
 *
 *  A process is faster or slower than one that is its like by a twentieth for all of its life, by where its memory lies and what the
 *  compiler saw first. So all four are started anew again and again, each on another folder and in another order; one start is one
 *  observation, however many turns it had, and the interval comes from resampling starts. What the two with none differ in is the
 *  control: what it shows besides 0 is the error of the bench.
 *
 *  Two answers: the ratio of rates; and processor time of the whole process for one search, which the load of the machine moves less. */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { atMost, type Bench, type Cell, type Figure, scaled } from './support/bench.js';
import { ClusterStream } from './support/clusters.js';
import { percentileOf } from './support/latencies.js';
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
const WARM_MS = 750;
const TURNS = 12;
const SCRAPES = 20;
const RESAMPLES = 2_000;
const COST_MAX = 0.02;
const OFF = ['--no-metrics', '--slow-query-ms', '0', '--log-level', 'silent'];
const SIDES = ['on', 'on too', 'off', 'off too'] as const;

type Side = (typeof SIDES)[number];

/** What one process did in all of its turns. */
interface Work {
  readonly searches: number;
  readonly seconds: number;
  readonly processorMs: number;
}
interface Start {
  readonly done: ReadonlyMap<Side, Work>;
  /** Processor time of one look by Prometheus, milliseconds. */
  readonly scrapeMs: number;
}

export const observabilityCost: Bench = {
  name: 'observability_cost',
  about: 'what metrics, log and slow queries cost a search',
  async run(progress) {
    const count = scaled(50_000, 2_000);
    // Each in each place of the order on each folder.
    const starts = SIDES.length * scaled(4);
    const found = await withFolder(async (folder) => {
      const stream = new ClusterStream(DIMENSION);
      progress('filling');
      const folders = await likeFolders(folder, stream, count);
      const requests = searchRequests(stream.queries, { collection: COLLECTION, form: 'msgpack', ef: EF });
      const observed: Start[] = [];
      for (let start = 0; start < starts; start++) {
        progress(`start ${start} of ${starts}`);
        observed.push(await inTurns(folders, requests, start));
      }
      return observed;
    });
    const costs = (of: (work: Work) => number, on: readonly Side[], off: readonly Side[]): number[] =>
      found.map((start) => {
        const [with_, without] = [on, off].map((sides) => mean(sides.map((side) => of(workOf(start, side)))));
        return 1 - (without ?? 0) / (with_ ?? 0);
      });
    const [on, off] = [SIDES.slice(0, 2), SIDES.slice(2)];
    const searchMs = ({ seconds, searches }: Work): number => (seconds * 1_000) / searches;
    const processorUs = ({ processorMs: ms, searches }: Work): number => (ms * 1_000) / searches;
    const throughput = costs(searchMs, on, off);
    return {
      tables: [
        {
          title: `observability_cost ${count.toLocaleString('en-US')} × ${DIMENSION}, ${CONNECTIONS} connections, ${starts} starts`,
          columns: ['metrics, log, slow queries', 'searches', '/s, mean of starts', 'µs of processor each'],
          rows: SIDES.map((side): Cell[] => {
            const works = found.map((start) => workOf(start, side));
            const searches = works.reduce((sum, work) => sum + work.searches, 0);
            return [side, searches, mean(works.map((work) => 1_000 / searchMs(work))), mean(works.map(processorUs))];
          }),
        },
      ],
      figures: [
        { name: 'share of search throughput, mean of starts', value: mean(throughput), unit: '', bound: atMost(COST_MAX) },
        ...confidence('the same', throughput),
        ...measured('share of processor time of a search', costs(processorUs, on, off)),
        { name: 'processor time of one scrape', value: mean(found.map(({ scrapeMs }) => scrapeMs)), unit: 'ms' },
        ...measured('control: share of throughput, off against off', costs(searchMs, ['off'], ['off too'])),
      ],
      notes: ['a cost below 0: the servers that measure were faster'],
    };
  },
};

/** As many folders as sides, with the same store and the same graph. */
async function likeFolders(folder: string, stream: ClusterStream, count: number): Promise<readonly string[]> {
  const folders = SIDES.map((side) => join(folder, side));
  const [first = folder, ...others] = folders;
  const server = await ServerProcess.start({ dataDir: first });
  try {
    await fill(server, stream.take(count), { collection: COLLECTION });
  } finally {
    await server.stop();
  }
  for (const other of others) cpSync(first, other, { recursive: true });
  return folders;
}

/** One start of all four. @param start its number: says in which order they start, and on which folder each */
async function inTurns(folders: readonly string[], requests: ReturnType<typeof searchRequests>, start: number): Promise<Start> {
  const order = SIDES.map((_, at) => SIDES[(at + start) % SIDES.length] as Side);
  const servers = new Map<Side, ServerProcess>();
  const driven = async (side: Side, forMs: number): Promise<Work> => {
    const { port, pid } = servers.get(side) as ServerProcess;
    const before = processorMs(pid);
    const { answered, seconds } = await drive({ port, connections: CONNECTIONS, requests, forMs });
    return { searches: answered, seconds, processorMs: processorMs(pid) - before };
  };
  try {
    for (const [at, side] of order.entries()) {
      const dataDir = folders[(at + (start >> 2)) % folders.length] as string;
      servers.set(side, await ServerProcess.start({ dataDir, flags: side.startsWith('off') ? OFF : [] }));
    }
    for (const side of order) await driven(side, WARM_MS);
    const done = new Map<Side, Work>();
    for (let turn = 0; turn < TURNS; turn++) {
      for (const side of turn % 2 === 0 ? order : order.toReversed())
        done.set(side, added(done.get(side), await driven(side, ROUND_MS)));
    }
    return { done, scrapeMs: await scrapes(servers.get('on') as ServerProcess) };
  } finally {
    await Promise.all([...servers.values()].map((server) => server.stop()));
  }
}

async function scrapes(server: ServerProcess): Promise<number> {
  const connection = await server.connect();
  try {
    const before = processorMs(server.pid);
    for (let scrape = 0; scrape < SCRAPES; scrape++) await connection.send(prepare('GET', '/metrics', 'json', null));
    return (processorMs(server.pid) - before) / SCRAPES;
  } finally {
    connection.close();
  }
}

function workOf(start: Start, side: Side): Work {
  return start.done.get(side) as Work;
}

function added(sum: Work | undefined, more: Work): Work {
  if (sum === undefined) return more;
  return {
    searches: sum.searches + more.searches,
    seconds: sum.seconds + more.seconds,
    processorMs: sum.processorMs + more.processorMs,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function measured(name: string, values: readonly number[]): Figure[] {
  return [{ name, value: mean(values), unit: '' }, ...confidence('the same', values)];
}

/** Where 95 of 100 means of resampled starts lie (the bootstrap, Efron 1979). */
function confidence(name: string, values: readonly number[]): Figure[] {
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(values.map(() => values[Math.floor(Math.random() * values.length)] ?? 0)),
  );
  return [
    { name: `${name}, 95 % confidence, low`, value: percentileOf(means, 0.025), unit: '' },
    { name: `${name}, 95 % confidence, high`, value: percentileOf(means, 0.975), unit: '' },
  ];
}
