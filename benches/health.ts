/** What looking at the health of a server costs, and how soon it answers: each check and all together, idle and while searches and writes go
 *  on, and `/health/live` beside them. Times of checks are the server's own, from /health/detailed; those of requests are seen from outside. */

import { atMost, type Bench, type Cell, scaled, scaledMs } from './support/bench.js';
import { ClusterStream, type VectorRows } from './support/clusters.js';
import { Latencies, type LatencySummary } from './support/latencies.js';
import { drive, Watch } from './support/load.js';
import { ask, get, prepare, searchRequests, upsertRequests } from './support/requests.js';
import { type ServerProcess, withServer } from './support/server-process.js';

const COLLECTION = 'health';
const DIMENSION = 128;
const CHECK_MS_MAX = 10;
const TOGETHER_P95_MS_MAX = 100;
const LIVE_P99_MS_MAX = 50;
const LIVE_EVERY_MS = 10;
const LOOK_EVERY_MS = 50;
/** Each look is a new one: results are shared for as long as the interval is. */
const FLAGS = ['--health-interval-ms', '20'];
const SEARCH_CONNECTIONS = 4;

interface Looks {
  readonly checks: ReadonlyMap<string, LatencySummary>;
  readonly together: LatencySummary;
  /** The whole request, seen from outside. */
  readonly request: LatencySummary;
  readonly live: LatencySummary;
}

export const health: Bench = {
  name: 'health',
  about: 'each health check and all together, idle and under load',
  async run(progress) {
    const count = scaled(50_000, 2_000);
    const stream = new ClusterStream(DIMENSION);
    const base = stream.take(count);
    const { idle, loaded } = await withServer((server) => measure(server, base, stream.queries, progress), FLAGS);
    const rows = [...idle.checks].map(([name, at]): Cell[] => {
      const under = loaded.checks.get(name);
      return [name, at.p50, at.p95, under?.p50 ?? 0, under?.p95 ?? 0, under?.max ?? 0];
    });
    const all = (name: string, of: (looks: Looks) => LatencySummary): Cell[] => {
      const [rest, under] = [of(idle), of(loaded)];
      return [name, rest.p50, rest.p95, under.p50, under.p95, under.max];
    };
    rows.push(
      all('all together', ({ together }) => together),
      all('GET /health/detailed', ({ request }) => request),
    );
    rows.push(all('GET /health/live', ({ live }) => live));
    const slowest = Math.max(...[...idle.checks.values()].map(({ p95 }) => p95));
    const name = `${count.toLocaleString('en-US')} × ${DIMENSION}`;
    return {
      tables: [
        { title: `health ${name}, ms`, columns: ['check', 'idle p50', 'idle p95', 'load p50', 'load p95', 'load max'], rows },
      ],
      figures: [
        { name: 'slowest health check, idle, p95', value: slowest, unit: 'ms', bound: atMost(CHECK_MS_MAX) },
        { name: 'all health checks under load, p95', value: loaded.together.p95, unit: 'ms', bound: atMost(TOGETHER_P95_MS_MAX) },
        { name: 'p99 of /health/live under load', value: loaded.live.p99, unit: 'ms', bound: atMost(LIVE_P99_MS_MAX) },
      ],
      notes: [`load: ${SEARCH_CONNECTIONS} connections search, one replaces points, 100 in a request`],
    };
  },
};

async function measure(
  server: ServerProcess,
  base: VectorRows,
  queries: VectorRows,
  progress: (step: string) => void,
): Promise<{ readonly idle: Looks; readonly loaded: Looks }> {
  const connection = await server.connect();
  await ask(
    connection,
    prepare('PUT', `/v1/collections/${COLLECTION}`, 'json', { dimension: DIMENSION, distance: 'euclid', text_fields: ['text'] }),
  );
  connection.close();
  progress('fill');
  await drive({
    port: server.port,
    connections: 2,
    requests: upsertRequests(base, { collection: COLLECTION, form: 'msgpack', size: 1_000 }),
  });
  const forMs = scaledMs(20_000);
  progress('idle');
  const idle = await look(server, forMs);
  progress('under searches and writes');
  const [loaded] = await Promise.all([
    look(server, forMs),
    drive({
      ...{ port: server.port, connections: SEARCH_CONNECTIONS, forMs },
      requests: searchRequests(queries, { collection: COLLECTION, form: 'msgpack' }),
    }),
    drive({
      ...{ port: server.port, connections: 1, forMs },
      requests: upsertRequests(base, { collection: COLLECTION, form: 'msgpack', size: 100 }),
    }),
  ]);
  return { idle, loaded };
}

async function look(server: ServerProcess, forMs: number): Promise<Looks> {
  const live = await Watch.start(server.port, [prepare('GET', '/health/live', 'json', null)], LIVE_EVERY_MS);
  const connection = await server.connect();
  const checks = new Map<string, Latencies>();
  const [together, request] = [new Latencies(), new Latencies()];
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) {
    const startMs = performance.now();
    const body = await get(connection, '/health/detailed');
    request.add(performance.now() - startMs);
    together.add(Number(body['took_ms']));
    for (const [name, component] of Object.entries(body['components'] as Record<string, { check_ms: number }>)) {
      const known = checks.get(name) ?? new Latencies();
      checks.set(name, known);
      known.add(component.check_ms);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  connection.close();
  const summaries = new Map([...checks].map(([name, latencies]) => [name, latencies.summary()]));
  return { checks: summaries, together: together.summary(), request: request.summary(), live: await live.stop() };
}
