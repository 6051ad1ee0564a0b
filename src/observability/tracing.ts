/** Traces of a node: a tracer from the first moment, that keeps nothing until the library is there.
 *
 *    made ─► loading (while the node starts) ─► tracing ─► ended         (no endpoint: none of this is made)
 *
 *  Must not know: OpenTelemetry (otel-tracer.ts is loaded when it is wanted), what spans are of. */

import type { Clock } from '../model/clock.js';
import { messageOf } from '../model/errors.js';
import type { Log } from '../model/log.js';
import type { RootOptions, Span, Tracer } from '../model/tracer.js';
import type { Dependency } from '../resilience/dependencies.js';
import type * as OtelTracing from './otel-tracer.js';
import type { OtelSettings, OtelTracer } from './otel-tracer.js';
import type { SpanCounts } from './span-counts.js';

/** How long a stop waits for the last spans to be sent. */
const LAST_SPANS_MS = 2_000;

export interface TracingParts {
  readonly settings: OtelSettings;
  readonly collector: Dependency;
  readonly counts: SpanCounts;
  readonly clock: Clock;
  readonly log: Log;
}

export class Tracing implements Tracer {
  readonly #parts: TracingParts;
  readonly #loading: Promise<typeof OtelTracing>;
  #tracer: OtelTracer | null = null;
  #ended = false;

  /** The library begins to load. */
  constructor(parts: TracingParts) {
    this.#parts = parts;
    this.#loading = import('./otel-tracer.js');
    // begin() says what went wrong.
    this.#loading.catch(() => undefined);
  }

  start(name: string, options: RootOptions): Span | undefined {
    return this.#tracer?.start(name, options);
  }

  /** Traces from when the library is there. One that cannot be loaded is no reason not to serve. @param nodeId which node spans are of */
  async begin(nodeId: string): Promise<void> {
    const { settings, collector, counts, clock, log } = this.#parts;
    try {
      const { OtelTracer } = await this.#loading;
      if (this.#ended) return;
      const resource = { ...settings.resource, 'service.instance.id': nodeId };
      this.#tracer = new OtelTracer({ settings: { ...settings, resource }, collector, counts, clock });
      log.info('tracing', { collector: new URL(settings.endpoint).host, sample_share: settings.sampleShare });
    } catch (error) {
      log.error('tracing_failed', { error: messageOf(error) });
    }
  }

  /** Sends the last spans, for a moment. */
  async stop(): Promise<void> {
    this.#ended = true;
    const tracer = this.#tracer;
    this.#tracer = null;
    if (tracer === null) return;
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_SPANS_MS);
    });
    await Promise.race([tracer.shutdown().catch(() => undefined), enough]);
    clearTimeout(timer);
  }
}
