/** The way of finished spans out of the process: a bounded queue, batches, one breaker for the collector.
 *
 *    ended ─► queue ─ full ─► dropped
 *               └─ a second, or 512 of them ─► collector ─ failed, or not asked for a while ─► dropped
 *
 *  Invariant: whoever ends a span never waits, and a collector that is slow or gone costs the spans alone. What is dropped is counted.
 *  Must not know: what spans are of. */

import type { ReadableSpan, Span as SdkSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { SkeinError } from '../model/errors.js';
import type { Dependency } from '../resilience/dependencies.js';
import type { SpanCounts } from './span-counts.js';

/** Spans that have ended and are not sent: about 2 MB of them. */
const QUEUE_SPANS_MAX = 4_096;
const BATCH_SPANS_MAX = 512;
const BATCH_MS = 1_000;
/** How long the library's own tries of one batch go on. */
export const EXPORT_TIMEOUT_MS = 10_000;
/** The queue and the batches are the library's; what does not fit is refused here, where it can be counted. */
export function spanProcessor(exporter: SpanExporter, collector: Dependency, counts: SpanCounts): SpanProcessor {
  const batches = new BatchSpanProcessor({
    exporter: guarded(exporter, collector, counts),
    maxQueueSize: QUEUE_SPANS_MAX,
    maxExportBatchSize: BATCH_SPANS_MAX,
    scheduledDelayMillis: BATCH_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS * 2,
  });
  return {
    onStart: (_span: SdkSpan) => undefined,
    onEnd: (span: ReadableSpan) => {
      if (counts.held >= QUEUE_SPANS_MAX) {
        counts.dropped('queue_full', 1);
        return;
      }
      counts.held += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/** How it ended is told to the counts and the breaker; to the library every batch is done, as it can do nothing more about it. */
function guarded(exporter: SpanExporter, collector: Dependency, counts: SpanCounts): SpanExporter {
  return {
    export: (spans, done) => {
      counts.held -= spans.length;
      const send = (): Promise<void> =>
        new Promise((resolve, reject) => {
          exporter.export(spans, ({ code, error }) =>
            code === 0 ? resolve() : reject(error ?? new Error('spans were refused')),
          );
        });
      // The exporter repeats by itself what is worth it.
      collector
        .call('export', send, { repeatable: false })
        .then(
          () => counts.exported(spans.length),
          (error: unknown) => {
            const isOpen = error instanceof SkeinError && error.type === 'CircuitOpen';
            counts.dropped(isOpen ? 'circuit_open' : 'export_failed', spans.length);
          },
        )
        .finally(() => done({ code: 0 }));
    },
    shutdown: () => exporter.shutdown(),
  };
}
