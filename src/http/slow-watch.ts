/** Requests that took long are told to whoever keeps them. Whether one did is asked at its end, by one comparison (http.ts).
 *  Must not know: who keeps them, what a route does. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../model/clock.js';
import type { SlowQueryBook } from '../model/slow-query.js';
import type { Route } from './route-table.js';
import { traceIdOf } from './tracing.js';

export interface SlowWatch {
  readonly book: SlowQueryBook;
  readonly clock: Clock;
}

const NAME_LENGTH_MAX = 128;

export function noteSlow(route: Route, request: FastifyRequest, reply: FastifyReply, { book, clock }: SlowWatch): void {
  const { collection } = request.params as { readonly collection?: string };
  book.note({
    endedAtMs: clock.wallMs(),
    method: route.method,
    route: route.path,
    collection: collection?.slice(0, NAME_LENGTH_MAX) ?? null,
    status: reply.statusCode,
    errorType: request.refusal,
    durationMs: Math.round(reply.elapsedTime * 1_000) / 1_000,
    requestId: request.id,
    traceId: traceIdOf(request),
    asked: request.asked?.(book.withContent) ?? null,
    found: request.found?.() ?? null,
  });
}
