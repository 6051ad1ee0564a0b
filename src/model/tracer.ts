/** Spans: named stretches of time that together tell where a request spent its own. Written by the rooms, kept and sent by observability,
 *  handed down as the span above them.
 *
 *  No tracer, a trace that is not sampled, a tracer that is not ready: all are `undefined` in a span's place, so that the way of a request
 *  that nobody traces costs a comparison at each step. Attributes are counts, names and types; no payloads, vectors, texts, keys.
 *  Must not know: how spans are sent. */

import { SkeinError } from './errors.js';
import type { TraceContext } from './trace-context.js';

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface SpanOptions {
  /** When it began, on the monotonic clock, in milliseconds; default now. */
  readonly startMs?: number;
  readonly attributes?: Attributes;
}

export interface Span {
  readonly context: TraceContext;
  child(name: string, options?: SpanOptions): Span;
  set(attributes: Attributes): void;
  /** What it stands for failed. @param type of the error; no message, as messages quote what was sent */
  fail(type: string): void;
  /** @param endMs on the monotonic clock, default now. What is done to it afterwards has no effect. */
  end(endMs?: number): void;
}

export interface RootOptions extends SpanOptions {
  /** server: it answers somebody's request. consumer: it does what somebody left behind. */
  readonly kind: 'server' | 'consumer';
  /** Of whoever asked; null: the trace begins here. */
  readonly parent: TraceContext | null;
  /** The header `tracestate` that came with the parent. */
  readonly traceState?: string;
}

export interface Tracer {
  /** @returns undefined when it is not sampled, or nothing can be kept now */
  start(name: string, options: RootOptions): Span | undefined;
}

/** Does `work` under a span of its own, where there is one above it. */
export function spanned<Answer>(
  parent: Span | undefined,
  name: string,
  work: (span: Span | undefined) => Promise<Answer>,
): Promise<Answer> {
  return parent === undefined ? work(undefined) : within(parent.child(name), work);
}

async function within<Answer>(span: Span, work: (span: Span) => Promise<Answer>): Promise<Answer> {
  try {
    return await work(span);
  } catch (error) {
    span.fail(typeOf(error));
    throw error;
  } finally {
    span.end();
  }
}

function typeOf(error: unknown): string {
  if (error instanceof SkeinError) return error.type;
  return error instanceof Error ? error.name : typeof error;
}
