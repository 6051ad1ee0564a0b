/** A long run of what users do: 100 requests a second of every kind on a master and two replicas, for 20 minutes or as many as
 *  SKEIN_BENCH_MINUTES says (1440: a day). No error, no node that is not healthy, memory that does not grow, equal nodes at the end.
 *
 *  `npm run test:soak`. Exit code 1 when something did not hold. */

import { atMost, type Bench, type Cell, type Figure } from './support/bench.js';
import { type Cluster, withCluster } from './support/cluster.js';
import type { HttpConnection } from './support/http-connection.js';
import { median } from './support/latencies.js';
import { readMetric } from './support/metrics.js';
import { MixedLoad } from './support/mixed-load.js';
import { type OpenLoadResult, openLoad } from './support/open-load.js';
import { residentMemory } from './support/process-figures.js';
import { ask, get, prepare } from './support/requests.js';
import { runBenches } from './support/runner.js';
import { Sampling } from './support/sampling.js';
import type { ServerProcess } from './support/server-process.js';

const MINUTES = Number(process.env['SKEIN_BENCH_MINUTES'] ?? 20);
const PER_SECOND = 100;
const POINTS = 20_000;
const POINTS_PER_REQUEST = 500;
const DIMENSION = 128;
const COLLECTION = 'soak';
const LOOK_MS = 5_000;
const SHOWN_EVERY_MS = 60_000;
/** Caches fill and graphs come to rest before anything is held against a bound. */
const WARM_UP_MS = 30_000;
const MIB = 1024 * 1024;
const P99_MS_MAX = 1_000;
const GROWTH_MAX = 1.05;
/** What the server knows of its memory: the rest is SQLite's, other threads' heaps and what the allocator has not given back. */
const PARTS: readonly (readonly [name: string, metric: RegExp])[] = [
  ['indexes', /^skein_collection_memory_bytes\{/],
  ['heap of the main thread', /^skein_process_memory_bytes\{kind="heap_used"\}/],
  ['its array buffers', /^skein_process_memory_bytes\{kind="array_buffers"\}/],
];
/** Looks, between two at the parts. */
const PARTS_EVERY = 6;

interface Looks {
  /** By node, in the order of time. */
  readonly rssBytes: readonly number[][];
  /** Of the nodes together, by part, in the order of time. */
  readonly partBytes: readonly number[][];
  /** Reason → looks that found it. */
  readonly notHealthy: Map<string, number>;
  count: number;
}

const soak: Bench = {
  name: 'soak',
  about: `${PER_SECOND} mixed requests a second on three nodes for ${MINUTES} minutes`,
  run: (progress) =>
    withCluster(2, async (cluster, replicas) => {
      const nodes = [cluster.master, ...replicas];
      const load = new MixedLoad({
        ...{ collection: COLLECTION, dimension: DIMENSION, points: POINTS },
        ...{ masterPort: cluster.master.port, ports: nodes.map(({ port }) => port) },
      });
      progress('filling');
      await fill(cluster, load);
      await cluster.equal(replicas);
      await openLoad(PER_SECOND, performance.now() + WARM_UP_MS, () => load.next());
      const looks: Looks = { rssBytes: nodes.map(() => []), partBytes: PARTS.map(() => []), notHealthy: new Map(), count: 0 };
      const connections = await Promise.all(nodes.map((node) => node.connect()));
      const beganMs = performance.now();
      const sampling = new Sampling(LOOK_MS, () => look(nodes, connections, looks));
      const showing = setInterval(() => {
        const minutes = Math.round((performance.now() - beganMs) / SHOWN_EVERY_MS);
        progress(`${minutes} of ${MINUTES} minutes, ${looks.notHealthy.size === 0 ? 'all green' : 'not all green'}`);
      }, SHOWN_EVERY_MS);
      try {
        const result = await openLoad(PER_SECOND, beganMs + MINUTES * 60_000, () => load.next());
        await sampling.stop();
        progress('comparing the nodes');
        const { seq } = await cluster.equal(replicas);
        return {
          ...report(result, looks),
          notes: [`all nodes equal at seq ${seq}, position and digest`, ...reasons(result, looks)],
        };
      } finally {
        clearInterval(showing);
        for (const connection of connections) connection.close();
      }
    }),
};

async function fill({ masterConnection }: Cluster, load: MixedLoad): Promise<void> {
  const body = { dimension: DIMENSION, distance: 'cosine', ...MixedLoad.declared };
  await ask(masterConnection, prepare('PUT', `/v1/collections/${COLLECTION}`, 'json', body));
  for (let from = 0; from < POINTS; from += POINTS_PER_REQUEST) {
    const points = Array.from({ length: POINTS_PER_REQUEST }, (_, place) => load.point(from + place));
    await ask(masterConnection, prepare('PUT', `/v1/collections/${COLLECTION}/points`, 'json', { points }));
  }
}

async function look(nodes: readonly ServerProcess[], connections: readonly HttpConnection[], looks: Looks): Promise<void> {
  for (const [i, node] of nodes.entries()) looks.rssBytes[i]?.push(residentMemory(node.pid).rssBytes);
  const answers = await Promise.all(connections.map((connection) => get(connection, '/health')));
  for (const { status, reasons: found } of answers) {
    if (status === 'healthy') continue;
    for (const reason of found as string[]) looks.notHealthy.set(reason, (looks.notHealthy.get(reason) ?? 0) + 1);
  }
  if (looks.count % PARTS_EVERY === 0) {
    for (const [i, [, metric]] of PARTS.entries()) {
      const found = await Promise.all(connections.map((connection) => readMetric(connection, metric)));
      looks.partBytes[i]?.push(found.reduce((sum, bytes) => sum + bytes, 0));
    }
  }
  looks.count += 1;
}

function report({ latencies, all, failures, seconds }: OpenLoadResult, { rssBytes, partBytes, notHealthy, count }: Looks) {
  const rows = [...latencies].map(([kind, own]): Cell[] => {
    const { count: requests, p50, p95, p99, max } = own.summary();
    return [kind, requests, p50, p95, p99, max];
  });
  const quarter = (values: readonly number[], which: number): number =>
    median(values.slice((values.length * which) >> 2, (values.length * (which + 1)) >> 2));
  const growthOf = (values: readonly number[]): number => quarter(values, 3) / quarter(values, 1);
  const growth = rssBytes.map(growthOf);
  const byQuarter = (name: string, values: readonly number[]): Cell[] => [
    name,
    ...[0, 1, 2, 3].map((which) => Math.round(quarter(values, which) / MIB)),
    growthOf(values),
  ];
  const memory = [
    ...rssBytes.map((values, i) => byQuarter(i === 0 ? 'master' : `replica ${i}`, values)),
    ...partBytes.map((values, i) => byQuarter(`all nodes: ${PARTS[i]?.[0]}`, values)),
  ];
  const failed = [...failures.values()].reduce((sum, times) => sum + times, 0);
  const { p99, max } = all.summary();
  const figures: Figure[] = [
    { name: 'requests a second', value: all.count / seconds, unit: '', bound: { kind: 'at least', value: PER_SECOND * 0.99 } },
    { name: 'failed requests', value: failed, unit: '', bound: atMost(0) },
    { name: 'p99 of all', value: p99, unit: 'ms', bound: atMost(P99_MS_MAX) },
    { name: 'longest of all', value: max, unit: 'ms' },
    { name: 'memory, last quarter / second quarter', value: Math.max(...growth), unit: '', bound: atMost(GROWTH_MAX) },
    { name: 'reasons not to be healthy', value: notHealthy.size, unit: '', bound: atMost(0) },
  ];
  return {
    tables: [
      {
        title: `soak, ${Math.round(seconds / 60)} minutes, ${POINTS.toLocaleString('en-US')} × ${DIMENSION}, three nodes: ms`,
        columns: ['request', 'count', 'p50', 'p95', 'p99', 'max'],
        rows,
      },
      { title: `resident memory by quarters, MiB, ${count} looks`, columns: ['node', '1', '2', '3', '4', '4 / 2'], rows: memory },
    ],
    figures,
  };
}

function reasons({ failures }: OpenLoadResult, { notHealthy }: Looks): string[] {
  return [...failures, ...notHealthy].map(([reason, times]) => `${times} × ${reason}`);
}

process.exitCode = (await runBenches([soak], 'Must hold')) ? 0 : 1;
