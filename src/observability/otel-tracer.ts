/** The tracer over OpenTelemetry: spans of ours as spans of the library, sampled by the caller's word or by a share, sent by OTLP over HTTP
 *  (opentelemetry.io/docs/specs/otel/trace/sdk). Loaded only where traces are wanted: it takes tenths of a second.
 *
 *  Times: a trace has one anchor of wall and monotonic clock, so that its spans fit into each other whatever the wall clock does meanwhile.
 *  Must not know: what spans are of. */

import {
  type Span as ApiSpan,
  type Tracer as ApiTracer,
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Clock } from '../model/clock.js';
import type { TraceContext } from '../model/trace-context.js';
import type { Attributes, RootOptions, Span, SpanOptions, Tracer } from '../model/tracer.js';
import type { Dependency } from '../resilience/dependencies.js';
import type { SpanCounts } from './span-counts.js';
import { EXPORT_TIMEOUT_MS, spanProcessor } from './span-export.js';

const ATTRIBUTES_MAX = 32;
const ATTRIBUTE_LENGTH_MAX = 256;
const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER } as const;

export interface OtelSettings {
  /** Path included. */
  readonly endpoint: string;
  readonly sampleShare: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What all spans are of: service.name and the like. */
  readonly resource: Readonly<Record<string, string>>;
}

export interface OtelParts {
  readonly settings: OtelSettings;
  readonly collector: Dependency;
  readonly counts: SpanCounts;
  readonly clock: Clock;
}

export class OtelTracer implements Tracer {
  readonly #provider: TracerProvider;
  readonly #tracer: ApiTracer;
  readonly #clock: Clock;

  constructor({ settings, collector, counts, clock }: OtelParts) {
    const { endpoint: url, headers, sampleShare, resource } = settings;
    const exporter = new OTLPTraceExporter({ url, headers, timeoutMillis: EXPORT_TIMEOUT_MS, concurrencyLimit: 4 });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes(resource),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleShare) }),
      spanLimits: { attributeCountLimit: ATTRIBUTES_MAX, attributeValueLengthLimit: ATTRIBUTE_LENGTH_MAX },
      spanProcessors: [spanProcessor(exporter, collector, counts)],
    });
    this.#tracer = this.#provider.getTracer('skein', resource['service.version']);
    this.#clock = clock;
  }

  start(name: string, { kind, parent, traceState, attributes, startMs }: RootOptions): Span | undefined {
    const anchor = { wallMs: this.#clock.wallMs(), monotonicMs: this.#clock.monotonicMs() };
    const startTime = wallOf(anchor, startMs ?? anchor.monotonicMs);
    const above = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote(parent, traceState));
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], startTime, attributes: given(attributes) }, above);
    return span.isRecording() ? new OtelSpan(span, { tracer: this.#tracer, clock: this.#clock, anchor }) : undefined;
  }

  /** Sends what is there and ends. */
  async shutdown(): Promise<void> {
    await this.#provider.shutdown();
  }
}

interface Anchor {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

interface SpanSurroundings {
  readonly tracer: ApiTracer;
  readonly clock: Clock;
  readonly anchor: Anchor;
}

class OtelSpan implements Span {
  readonly context: TraceContext;
  readonly #span: ApiSpan;
  readonly #around: SpanSurroundings;

  constructor(span: ApiSpan, around: SpanSurroundings) {
    const { traceId, spanId } = span.spanContext();
    this.context = { traceId, spanId, sampled: true };
    this.#span = span;
    this.#around = around;
  }

  child(name: string, { startMs, attributes }: SpanOptions = {}): Span {
    const { tracer, clock, anchor } = this.#around;
    const startTime = wallOf(anchor, startMs ?? clock.monotonicMs());
    const span = tracer.startSpan(name, { startTime, attributes: given(attributes) }, trace.setSpan(ROOT_CONTEXT, this.#span));
    return new OtelSpan(span, this.#around);
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(given(attributes));
  }

  fail(type: string): void {
    this.#span.setAttribute('error.type', type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
  }

  end(endMs?: number): void {
    const { clock, anchor } = this.#around;
    this.#span.end(wallOf(anchor, endMs ?? clock.monotonicMs()));
  }
}

function wallOf({ wallMs, monotonicMs }: Anchor, atMs: number): number {
  return wallMs + (atMs - monotonicMs);
}

function remote({ traceId, spanId, sampled }: TraceContext, traceState: string | undefined) {
  const state = traceState === undefined ? {} : { traceState: createTraceState(traceState) };
  return { traceId, spanId, traceFlags: sampled ? 1 : 0, isRemote: true, ...state };
}

function given(attributes: Attributes = {}): Record<string, string | number | boolean> {
  const entries = Object.entries(attributes).filter(
    (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
  );
  return Object.fromEntries(entries);
}
