/** A tracer that keeps its spans in memory, for tests that look at what is traced. */
import { type TraceContext, traceparentOf } from '../../src/model/trace-context.js';
import type { RootOptions, Span, SpanOptions, Tracer } from '../../src/model/tracer.js';

export interface KeptSpan {
  readonly name: string;
  readonly parent: string | null;
  readonly context: TraceContext;
  readonly attributes: Record<string, unknown>;
  readonly startMs: number;
  endMs: number | null;
  /** The type of its error; null: none. */
  failed: string | null;
}

export class KeptSpans implements Tracer {
  readonly spans: KeptSpan[] = [];
  readonly roots: { readonly name: string; readonly options: RootOptions }[] = [];
  /** Nothing is sampled while this is false. */
  sampling = true;
  #count = 0;

  start(name: string, options: RootOptions): Span | undefined {
    this.roots.push({ name, options });
    if (!this.sampling) return undefined;
    const traceId = options.parent?.traceId ?? (++this.#count).toString(16).padStart(32, '0');
    return this.#span(name, traceId, options.parent?.spanId ?? null, options);
  }

  /** Names of spans under one of this name, in the order in which they began. @throws Error when there is none */
  under(name: string): string[] {
    const spanId = this.find(name).context.spanId;
    return this.spans.filter(({ parent }) => parent === spanId).map((span) => span.name);
  }

  /** @throws Error when there is none */
  find(name: string): KeptSpan {
    const found = this.spans.find((span) => span.name === name);
    if (found === undefined) throw new Error(`no span ${name} among ${this.spans.map((span) => span.name).join(', ')}`);
    return found;
  }

  #span(
    name: string,
    traceId: string,
    parent: string | null,
    { attributes = {}, startMs = performance.now() }: SpanOptions,
  ): Span {
    const context = { traceId, spanId: (++this.#count).toString(16).padStart(16, '0'), sampled: true };
    const kept: KeptSpan = { name, parent, context, attributes: { ...attributes }, startMs, endMs: null, failed: null };
    this.spans.push(kept);
    return {
      context,
      child: (childName, options = {}) => this.#span(childName, traceId, context.spanId, options),
      set: (more) => void Object.assign(kept.attributes, more),
      fail: (type) => {
        kept.failed = type;
      },
      end: (endMs = performance.now()) => {
        kept.endMs ??= endMs;
      },
    };
  }
}

/** Any caller's trace. */
export const CALLER: TraceContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true };
export const CALLER_HEADER = traceparentOf(CALLER);
