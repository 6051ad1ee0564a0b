/** Ten times more searches than can be done, for a minute, as users come: whether earlier ones are answered or not. What is let in must be
 *  answered in a bounded time, the rest refused with a time to come back, memory bounded, and all well soon after.
 *
 *  The searches are exact over many points, so that the index is what there is too little of, and the load fits beside the server. */

import { atLeast, atMost, type Bench, type BenchResult, scaledMs } from './support/bench.js';
import { ClusterStream } from './support/clusters.js';
import { HttpConnection, type PreparedRequest, type RawHttpAnswer } from './support/http-connection.js';
import { Latencies, type LatencySummary } from './support/latencies.js';
import { drive, type LoadResult } from './support/load.js';
import { fill } from './support/loaded-collection.js';
import { residentMemory } from './support/process-figures.js';
import { searchRequests } from './support/requests.js';
import { type ServerProcess, withServer } from './support/server-process.js';
import { delay } from './support/waiting.js';

const COLLECTION = 'overload';
const DIMENSION = 128;
/** Not scaled either: a search must take so long that refusing ten for each is little beside it. */
const POINTS = 100_000;
const TIMES = 10;
const CONNECTIONS_AT_CAPACITY = 4;
/** Not scaled: what it finds is what the load is made of. */
const CAPACITY_MS = 5_000;
const TICK_MS = 5;
/** More than would ever be under way at a server that sheds. */
const UNDER_WAY_MAX = 3_000;
const ACCEPTED_P99_MS_MAX = 2_000;
const RECOVERY_MS_MAX = 5_000;
const GROWTH_BYTES_MAX = 256 * 2 ** 20;
/** So many in a row say that it is well again. */
const WELL_IN_A_ROW = 20;
const MIB = 2 ** 20;

interface Storm {
  readonly accepted: Latencies;
  readonly refused: Latencies;
  readonly statuses: Map<number, number>;
  withoutRetryAfter: number;
  turnedAwayHere: number;
  lost: number;
  rssMax: number;
}

export const overload: Bench = {
  name: 'overload',
  about: 'ten times more searches than can be done: what is let in, refused, and how soon all is well again',
  async run(progress) {
    const rows = new ClusterStream(DIMENSION).take(POINTS);
    const queries = new ClusterStream(DIMENSION).queries;
    return withServer(async (server) => {
      progress('fill');
      await fill(server, rows, { collection: COLLECTION });
      const requests = searchRequests(queries, { collection: COLLECTION, form: 'msgpack', exact: true, withPayload: false });
      progress('capacity');
      const plan = { port: server.port, connections: CONNECTIONS_AT_CAPACITY, requests };
      const calm = await drive({ ...plan, warmUpMs: 500, forMs: CAPACITY_MS });
      const { perSecond } = calm;
      const rssBefore = residentMemory(server.pid).rssBytes;
      progress(`${Math.round(TIMES * perSecond)} searches a second`);
      const storm = await run(server, requests, TIMES * perSecond, scaledMs(60_000));
      const recoveryMs = await recovery(server, requests);
      progress(`recovered after ${Math.round(recoveryMs)} ms`);
      return result({ calm, storm, recoveryMs, growthBytes: storm.rssMax - rssBefore });
    });
  },
};

interface Measured {
  /** At capacity. */
  readonly calm: LoadResult;
  readonly storm: Storm;
  readonly recoveryMs: number;
  readonly growthBytes: number;
}

function result({ calm, storm, recoveryMs, growthBytes }: Measured): BenchResult {
  const accepted = storm.accepted.summary();
  const refused = storm.refused.summary();
  const row = (name: string, { count, p50, p99, max }: LatencySummary) => [name, count, p50, p99, max];
  const statuses = [...storm.statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
  return {
    tables: [
      {
        title: `overload, ${Math.round(calm.perSecond)} searches a second can be done, ${TIMES} times as many come`,
        columns: ['searches', 'count', 'p50 ms', 'p99 ms', 'max ms'],
        rows: [row('at capacity', calm.latencies), row('accepted', accepted), row('refused', refused)],
      },
    ],
    figures: [
      { name: 'accepted under overload, p99', value: accepted.p99, unit: 'ms', bound: atMost(ACCEPTED_P99_MS_MAX) },
      { name: 'refused under overload', value: refused.count, unit: '', bound: atLeast(1) },
      { name: 'refusals without Retry-After', value: storm.withoutRetryAfter, unit: '', bound: atMost(0) },
      { name: 'answers lost under overload', value: storm.lost, unit: '', bound: atMost(0) },
      { name: 'recovery after overload', value: recoveryMs, unit: 'ms', bound: atMost(RECOVERY_MS_MAX) },
      { name: 'resident memory added by overload', value: growthBytes / MIB, unit: 'MiB', bound: atMost(GROWTH_BYTES_MAX / MIB) },
    ],
    notes: [`statuses ${statuses}; ${storm.turnedAwayHere} were not sent, as ${UNDER_WAY_MAX} were under way`],
  };
}

async function run(
  server: ServerProcess,
  requests: readonly PreparedRequest[],
  perSecond: number,
  forMs: number,
): Promise<Storm> {
  const storm: Storm = {
    accepted: new Latencies(),
    refused: new Latencies(),
    statuses: new Map(),
    withoutRetryAfter: 0,
    turnedAwayHere: 0,
    lost: 0,
    rssMax: 0,
  };
  const idle: HttpConnection[] = [];
  const underWay = new Set<Promise<void>>();
  const send = async (request: PreparedRequest, dueMs: number): Promise<void> => {
    const connection = idle.pop() ?? (await HttpConnection.open(server.port));
    const answer = await connection.send(request);
    note(storm, answer, performance.now() - dueMs);
    idle.push(connection);
  };
  const beganMs = performance.now();
  for (let number = 0; performance.now() - beganMs < forMs; ) {
    const nowMs = performance.now();
    for (let dueMs = beganMs; dueMs <= nowMs; number += 1) {
      dueMs = beganMs + (number * 1_000) / perSecond;
      if (underWay.size >= UNDER_WAY_MAX) {
        storm.turnedAwayHere += 1;
        continue;
      }
      const sending = send(requests[number % requests.length] as PreparedRequest, dueMs).catch(() => {
        storm.lost += 1;
      });
      underWay.add(sending);
      void sending.then(() => underWay.delete(sending));
    }
    storm.rssMax = Math.max(storm.rssMax, residentMemory(server.pid).rssBytes);
    await delay(TICK_MS);
  }
  await Promise.all(underWay);
  for (const connection of idle) connection.close();
  return storm;
}

function note(storm: Storm, { status, head }: RawHttpAnswer, tookMs: number): void {
  storm.statuses.set(status, (storm.statuses.get(status) ?? 0) + 1);
  if (status === 200) return storm.accepted.add(tookMs);
  storm.refused.add(tookMs);
  if ((status === 503 || status === 429) && !head.includes('\r\nretry-after:')) storm.withoutRetryAfter += 1;
}

/** How long after the storm until searches, one at a time, are answered in a row. */
async function recovery(server: ServerProcess, requests: readonly PreparedRequest[]): Promise<number> {
  const connection = await server.connect();
  const startMs = performance.now();
  let wellSinceMs = startMs;
  for (let inARow = 0; inARow < WELL_IN_A_ROW; ) {
    const sentMs = performance.now();
    const { status } = await connection.send(requests[inARow] as PreparedRequest);
    if (inARow === 0) wellSinceMs = sentMs;
    inARow = status === 200 ? inARow + 1 : 0;
    if (performance.now() - startMs > 10 * RECOVERY_MS_MAX) throw new Error('it never became well again');
  }
  connection.close();
  return wellSinceMs - startMs;
}
