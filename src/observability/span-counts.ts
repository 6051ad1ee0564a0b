/** What became of spans, as measures. Must not know: how they are sent. */

import type { CounterSeries, Meter } from '../model/meter.js';

type DropReason = 'queue_full' | 'export_failed' | 'circuit_open';

export class SpanCounts {
  /** In the queue. */
  held = 0;
  readonly #exported: CounterSeries;
  readonly #dropped: Readonly<Record<DropReason, CounterSeries>>;

  constructor(meter: Meter) {
    this.#exported = meter.counter({ name: 'trace_spans_exported_total', help: 'Spans that the collector took.' }).series();
    const dropped = meter.counter({
      name: 'trace_spans_dropped_total',
      help: 'Spans that were not sent: no room in the queue, the collector failed, or it is not asked for a while.',
      labels: ['reason'],
    });
    this.#dropped = {
      queue_full: dropped.series({ reason: 'queue_full' }),
      export_failed: dropped.series({ reason: 'export_failed' }),
      circuit_open: dropped.series({ reason: 'circuit_open' }),
    };
  }

  exported(count: number): void {
    this.#exported.add(count);
  }

  dropped(reason: DropReason, count: number): void {
    this.#dropped[reason].add(count);
  }
}
