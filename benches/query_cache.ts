/** Searches that are asked again, with and without what is kept of earlier answers, and a mix in which one search in two was asked before. */

import type { Bench, Cell } from './support/bench.js';
import { scaled, scaledMs } from './support/bench.js';
import { type BenchEngine, fillEngine, withEngine } from './support/bench-engine.js';
import { ClusterStream, payloadOf, rowOf, type VectorRows } from './support/clusters.js';
import { Latencies } from './support/latencies.js';

const CASES: readonly (readonly [string, { readonly cache: boolean; readonly fresh: number }])[] = [
  ['nothing kept', { cache: false, fresh: 0 }],
  ['all asked before', { cache: true, fresh: 0 }],
  ['every second one new', { cache: true, fresh: 2 }],
  ['all new', { cache: true, fresh: 1 }],
];

export const queryCache: Bench = {
  name: 'query_cache',
  about: 'the same searches again, with and without kept answers',
  async run(progress) {
    const shape = { count: scaled(50_000, 2_000), dimension: 768 };
    const stream = new ClusterStream(shape.dimension);
    const base = stream.take(shape.count);
    return withEngine(async (engine) => {
      progress(`${shape.count.toLocaleString('en-US')} × ${shape.dimension}: fill`);
      await engine.create(shape.dimension);
      await fillEngine(engine, base, payloadOf);
      const found = new Map<string, Latencies>();
      for (const [name, how] of CASES) found.set(name, await measure(engine, stream.queries, base, how));
      const p50 = (name: string): number => found.get(name)?.percentile(0.5) ?? 0;
      const rows: Cell[][] = [...found].map(([name, latencies]) => {
        const { count, p50: middle, p99 } = latencies.summary();
        return [name, count, middle, p99, middle / p50('nothing kept')];
      });
      const figures = [
        { name: 'kept answer / search, p50', value: p50('all asked before') / p50('nothing kept'), unit: '' },
        { name: 'search that keeps its answer / search, p50', value: p50('all new') / p50('nothing kept'), unit: '' },
      ];
      const title = `query_cache ${shape.count.toLocaleString('en-US')} × ${shape.dimension}, one at a time, with payloads`;
      return {
        tables: [{ title, columns: ['searches', 'count', 'p50 ms', 'p99 ms', '/ nothing kept'], rows }],
        figures,
        notes: [],
      };
    });
  },
};

/** @param fresh every so manyth search was never asked before; 0: none */
async function measure(
  engine: BenchEngine,
  queries: VectorRows,
  base: VectorRows,
  { cache, fresh }: { readonly cache: boolean; readonly fresh: number },
): Promise<Latencies> {
  const latencies = new Latencies();
  for (let query = 0; query < queries.count; query += 1)
    await engine.ask({ vector: rowOf(queries, query), cache, withPayload: true });
  const startMs = performance.now();
  const forMs = scaledMs(4_000);
  for (let turn = 0; performance.now() - startMs < forMs; turn += 1) {
    const isNew = fresh > 0 && turn % fresh === 0;
    const vector = isNew ? rowOf(base, turn % base.count) : rowOf(queries, turn % queries.count);
    const beganMs = performance.now();
    await engine.ask({ vector, cache, withPayload: true });
    latencies.add(performance.now() - beganMs);
  }
  return latencies;
}
