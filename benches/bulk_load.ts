/** A bulk load through HTTP (1,000 points a body, msgpack, four at a time) against hnswlib-node building the same data alone, while health is
 *  asked every 10 ms, searches go on, and the server measures the delay of its own event loop. */

import { atLeast, atMost, type Bench, scaled } from './support/bench.js';
import { ClusterStream, type VectorRows } from './support/clusters.js';
import { Watch } from './support/load.js';
import { pointsCount, prepareFilling, sendFilling } from './support/loaded-collection.js';
import { eventLoopP99Ms } from './support/metrics.js';
import { perSecond, withRaw } from './support/raw-process.js';
import { prepare, searchRequests } from './support/requests.js';
import { type ServerProcess, withServer } from './support/server-process.js';

const COLLECTION = 'bulk';
const DIMENSION = 128;
const RATE_RATIO_MIN = 0.7;
const LIVE_P99_MS_MAX = 50;
const LOOP_P99_MS_MAX = 20;
const LIVE_EVERY_MS = 10;
const SEARCH_EVERY_MS = 20;

export const bulkLoad: Bench = {
  name: 'bulk_load',
  about: 'a bulk load through HTTP, and what others notice of it',
  async run(progress) {
    const shape = { count: scaled(50_000, 5_000), dimension: DIMENSION };
    const name = `${shape.count.toLocaleString('en-US')} × ${DIMENSION}`;
    progress('hnswlib-node alone');
    const rawRate = await withRaw(async (raw) => perSecond(await raw.build(shape)));
    progress('through HTTP');
    const stream = new ClusterStream(DIMENSION);
    const base = stream.take(shape.count);
    const { queries } = stream;
    const found = await withServer((server) => loadWatched(server, base, queries));
    const { live, search, load } = found;
    return {
      tables: [
        {
          title: `bulk_load ${name}: points a second until indexed`,
          columns: ['raw', 'HTTP', 'HTTP / raw'],
          rows: [[rawRate, found.rate, found.rate / rawRate]],
        },
        {
          title: `bulk_load ${name}: meanwhile, in ms`,
          columns: ['request', 'answers', 'p50', 'p95', 'p99', 'max'],
          rows: [
            ['GET /health/live', live.count, live.p50, live.p95, live.p99, live.max],
            ['search', search.count, search.p50, search.p95, search.p99, search.max],
            [
              'upsert of 1,000',
              load.latencies.count,
              load.latencies.p50,
              load.latencies.p95,
              load.latencies.p99,
              load.latencies.max,
            ],
          ],
        },
      ],
      figures: [
        { name: `bulk load ${name}, HTTP / raw`, value: found.rate / rawRate, unit: '', bound: atLeast(RATE_RATIO_MIN) },
        { name: 'p99 of /health/live during the load', value: live.p99, unit: 'ms', bound: atMost(LIVE_P99_MS_MAX) },
        { name: 'p99 of event-loop delay during the load', value: found.loopP99Ms, unit: 'ms', bound: atMost(LOOP_P99_MS_MAX) },
        { name: 'searches answered during the load', value: search.count, unit: '', bound: atLeast(1) },
        { name: 'p99 of searches during the load', value: search.p99, unit: 'ms' },
        { name: 'points missing after the load', value: shape.count - found.points, unit: '', bound: atMost(0) },
      ],
      notes: ['event-loop delay is the server’s own histogram from /metrics, until the last write was answered'],
    };
  },
};

async function loadWatched(server: ServerProcess, base: VectorRows, queries: VectorRows) {
  const requests = await prepareFilling(server, base, { collection: COLLECTION });
  const searches = searchRequests(queries, { collection: COLLECTION, form: 'msgpack' });
  const watchLive = await Watch.start(server.port, [prepare('GET', '/health/live', 'json', null)], LIVE_EVERY_MS);
  const watchSearch = await Watch.start(server.port, searches, SEARCH_EVERY_MS);
  const connection = await server.connect();
  // The server's histogram covers the time since it was last read.
  await eventLoopP99Ms(connection);
  let loopP99Ms = Number.NaN;
  const { load, seconds } = await sendFilling(server, COLLECTION, requests, async () => {
    loopP99Ms = await eventLoopP99Ms(connection);
  });
  const [live, search] = await Promise.all([watchLive.stop(), watchSearch.stop()]);
  const points = await pointsCount(connection, COLLECTION);
  connection.close();
  return { live, search, load, loopP99Ms, points, rate: base.count / seconds };
}
