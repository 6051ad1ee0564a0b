/** The span of a request: begun with its headers as part of the caller's trace, ended with its answer. What is below it hangs on
 *  `request.span`.
 *
 *  The caller's headers are W3C Trace Context; bad ones are passed over, and the trace begins here. An answer to a request that is kept
 *  carries `traceresponse` with the trace and this span. Routes of the server itself (health, metrics) are not traced: probes would drown
 *  the rest. Must not know: how spans are sent. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseTraceparent, type TraceContext, traceparentOf } from '../model/trace-context.js';
import type { Span, Tracer } from '../model/tracer.js';
import type { Route } from './route-table.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined where the request is not traced. */
    span: Span | undefined;
  }
}

export const TRACE_RESPONSE_HEADER = 'traceresponse';
/** Longer ones are passed over (W3C: at least 512 characters must be carried). */
const TRACE_STATE_LENGTH_MAX = 1_024;

export function callersTrace(request: FastifyRequest): TraceContext | null {
  return parseTraceparent(request.headers['traceparent']);
}

/** @returns what begins a span for each request of a route; null where none is to be had */
export function spanBeginner(
  tracer: Tracer | null,
  { method, path, tag }: Pick<Route, 'method' | 'path' | 'tag'>,
  monotonicMs: () => number,
): ((request: FastifyRequest, reply: FastifyReply) => void) | null {
  if (tracer === null || tag === 'server') return null;
  const name = `${method} ${path}`;
  return (request, reply) => {
    const parent = callersTrace(request);
    const state = request.headers['tracestate'];
    const span = tracer.start(name, {
      kind: 'server',
      parent,
      ...(parent !== null && typeof state === 'string' && state.length <= TRACE_STATE_LENGTH_MAX && { traceState: state }),
      startMs: monotonicMs() - reply.elapsedTime,
      attributes: {
        'http.request.method': method,
        'http.route': path,
        'skein.request_id': request.id,
        'db.collection.name': (request.params as { readonly collection?: string }).collection,
      },
    });
    if (span === undefined) return;
    request.span = span;
    reply.header(TRACE_RESPONSE_HEADER, traceparentOf(span.context));
  };
}

/** After the answer was sent, or its connection was lost. */
export function endSpan({ span, refusal }: FastifyRequest, reply: FastifyReply): void {
  if (span === undefined) return;
  const status = reply.statusCode;
  span.set({ 'http.response.status_code': status, 'error.type': refusal ?? undefined });
  if (status >= 500) span.fail(refusal ?? String(status));
  span.end();
}

/** The trace that a request is part of, kept here or not; null: none. */
export function traceIdOf(request: FastifyRequest): string | null {
  return request.span?.context.traceId ?? callersTrace(request)?.traceId ?? null;
}

/** What a line of the log says of the trace that it belongs to. */
export function traceFields(request: FastifyRequest): Readonly<Record<string, string>> {
  const { span } = request;
  if (span !== undefined) return { trace_id: span.context.traceId, span_id: span.context.spanId };
  const traceId = traceIdOf(request);
  return traceId === null ? {} : { trace_id: traceId };
}
