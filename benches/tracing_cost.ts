/** What traces cost a search: nothing traced, a tracer that samples none, and every search traced, in turns of a few searches, so that what else
 *  the machine does falls on all alike. Spans go through the whole library to a collector that takes them and looks at none. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../src/model/clock.js';
import { silentLog } from '../src/model/log.js';
import { silentMeter } from '../src/model/meter.js';
import { spanned } from '../src/model/tracer.js';
import { OtelTracer } from '../src/observability/otel-tracer.js';
import { SpanCounts } from '../src/observability/span-counts.js';
import { Dependencies } from '../src/resilience/dependencies.js';
import { type Bench, scaled, scaledMs } from './support/bench.js';
import { type BenchEngine, fillEngine, withEngine } from './support/bench-engine.js';
import { ClusterStream, payloadOf, rowOf, type VectorRows } from './support/clusters.js';
import { Latencies } from './support/latencies.js';

const TURN_SEARCHES = 20;
const STEPS = 200_000;

export const tracingCost: Bench = {
  name: 'tracing_cost',
  about: 'searches that are traced, that are not sampled, and without a tracer',
  async run(progress) {
    const shape = { count: scaled(50_000, 2_000), dimension: 128 };
    const stream = new ClusterStream(shape.dimension);
    const base = stream.take(shape.count);
    const stepNs = await stepWithoutSpan();
    return withEngine(async (engine) => {
      progress(`${shape.count.toLocaleString('en-US')} × ${shape.dimension}: fill`);
      await engine.create(shape.dimension);
      await fillEngine(engine, base, payloadOf);
      await engine.settled();
      const found = await withCollector((endpoint) => inTurns(engine, stream.queries, tracersTo(endpoint)));
      const plain = found.get('no tracer')?.percentile(0.5) ?? 0;
      const rows = [...found].map(([name, latencies]) => {
        const { count, p50, p99 } = latencies.summary();
        return [name, count, p50, p99, p50 / plain];
      });
      const ratio = (name: string): number => (found.get(name)?.percentile(0.5) ?? 0) / plain;
      const title = `tracing_cost ${shape.count.toLocaleString('en-US')} × ${shape.dimension}, one at a time, with payloads`;
      return {
        tables: [{ title, columns: ['searches', 'count', 'p50 ms', 'p99 ms', '/ no tracer'], rows }],
        figures: [
          { name: 'a step of the way without a span', value: stepNs, unit: 'ns' },
          { name: 'none sampled / no tracer, p50', value: ratio('none sampled'), unit: '' },
          { name: 'all traced / no tracer, p50', value: ratio('all traced'), unit: '' },
        ],
        notes: ['A search passes four such steps.'],
      };
    });
  },
};

/** What `spanned` adds to work that has no span above it. */
async function stepWithoutSpan(): Promise<number> {
  const work = (): Promise<number> => Promise.resolve(1);
  const timed = async (step: () => Promise<number>): Promise<number> => {
    const startMs = performance.now();
    for (let i = 0; i < STEPS; i++) await step();
    return ((performance.now() - startMs) * 1e6) / STEPS;
  };
  const direct: number[] = [];
  const stepped: number[] = [];
  for (let round = 0; round < 5; round++) {
    direct.push(await timed(work));
    stepped.push(await timed(() => spanned(undefined, 'step', work)));
  }
  return Math.min(...stepped) - Math.min(...direct);
}

function tracersTo(endpoint: string): ReadonlyMap<string, OtelTracer | null> {
  const dependencies = new Dependencies({ log: silentLog, wallMs: () => systemClock.wallMs() });
  const tracer = (name: string, sampleShare: number): OtelTracer => {
    const collector = dependencies.add({ name, isFailure: () => true });
    const settings = { endpoint, sampleShare, headers: {}, resource: { 'service.name': 'bench' } };
    return new OtelTracer({ settings, collector, counts: new SpanCounts(silentMeter), clock: systemClock });
  };
  return new Map([
    ['no tracer', null],
    ['none sampled', tracer('none sampled', 0)],
    ['all traced', tracer('all traced', 1)],
  ]);
}

async function inTurns(
  engine: BenchEngine,
  queries: VectorRows,
  tracers: ReadonlyMap<string, OtelTracer | null>,
): Promise<ReadonlyMap<string, Latencies>> {
  const found = new Map([...tracers.keys()].map((name) => [name, new Latencies()]));
  const startMs = performance.now();
  for (let query = 0; performance.now() - startMs < scaledMs(12_000); ) {
    for (const [name, tracer] of tracers) {
      for (let turn = 0; turn < TURN_SEARCHES; turn++, query++) {
        const vector = rowOf(queries, query % queries.count);
        const beganMs = performance.now();
        const span = tracer?.start('POST /search', { kind: 'server', parent: null });
        await engine.ask({ vector, withPayload: true, ...(span !== undefined && { span }) });
        span?.end();
        found.get(name)?.add(performance.now() - beganMs);
      }
    }
  }
  for (const tracer of tracers.values()) await tracer?.shutdown();
  return found;
}

async function withCollector<Answer>(run: (endpoint: string) => Promise<Answer>): Promise<Answer> {
  const server = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
