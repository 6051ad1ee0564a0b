/** Finished spans on their way out: a queue with a bound, a collector that refuses, hangs or is not asked for a while; nobody waits. */
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import * as assert from 'uvu/assert';
import { silentLog } from '../../src/model/log.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { SpanCounts } from '../../src/observability/span-counts.js';
import { spanProcessor } from '../../src/observability/span-export.js';
import { Dependencies } from '../../src/resilience/dependencies.js';
import { suite } from '../support/suite.js';
import { waitUntil } from '../support/wait-until.js';

const test = suite('observability/span-export');
const SPAN = { spanContext: () => ({ traceFlags: 1 }), resource: {} } as unknown as ReadableSpan;

function rig(answer: SpanExporter['export']) {
  const metrics = createMetrics();
  const counts = new SpanCounts(metrics.meter);
  const dependencies = new Dependencies({ log: silentLog, wallMs: () => 0 });
  const breaker = { failuresMax: 2, resetMs: 60_000, successesMin: 1 };
  const collector = dependencies.add({ name: 'collector', breaker, isFailure: () => true });
  const processor = spanProcessor({ export: answer, shutdown: () => Promise.resolve() }, collector, counts);
  const figure = async (series: string): Promise<number> => {
    const line = (await metrics.text()).split('\n').find((text) => text.startsWith(`skein_trace_spans_${series} `));
    return Number(line?.split(' ')[1]);
  };
  const end = (count: number): void => {
    for (let i = 0; i < count; i++) processor.onEnd(SPAN);
  };
  return { processor, counts, collector, figure, end };
}

test('what a collector takes is counted, and its place in the queue is free again', async () => {
  const sizes: number[] = [];
  const { processor, counts, figure, end } = rig((spans, done) => {
    sizes.push(spans.length);
    done({ code: 0 });
  });
  end(1_000);
  await processor.forceFlush();
  assert.is(await figure('exported_total'), 1_000);
  assert.is(counts.held, 0);
  assert.ok(sizes.every((size) => size <= 512));
});

test('behind a collector that hangs the queue fills to its bound, and the rest is dropped and counted', async (t) => {
  const hanging: (() => void)[] = [];
  const { processor, counts, figure, end } = rig((_spans, done) => void hanging.push(() => done({ code: 0 })));
  t.after(async () => {
    const ended = processor.shutdown();
    await waitUntil(
      () => {
        for (const answer of hanging.splice(0)) answer();
        return counts.held === 0;
      },
      { what: 'the queue to be empty' },
    );
    await ended;
  });
  end(10_000);
  const batch = 10_000 - 4_096 - (await figure('dropped_total{reason="queue_full"}'));
  assert.ok(batch === 0 || batch === 512, 'one batch at most is on its way');
  assert.is(counts.held, 4_096);
});

test('a collector that fails is left alone for a while, and every lost span is counted by its reason', async () => {
  let asked = 0;
  const { processor, collector, figure, end } = rig((_spans, done) => {
    asked += 1;
    done({ code: 1, error: new Error('no') });
  });
  for (let batch = 0; batch < 5; batch++) {
    end(10);
    await processor.forceFlush();
  }
  await waitUntil(async () => (await figure('dropped_total{reason="circuit_open"}')) === 30, { what: 'all batches to end' });
  assert.equal([asked, await figure('dropped_total{reason="export_failed"}'), await figure('exported_total')], [2, 20, 0]);
  assert.is(collector.status().state, 'open');
});

test.run();
