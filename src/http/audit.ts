/** Which requests are written down, and what of them: all that administer, whether they were allowed to or not.
 *  Must not know: where entries are kept. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditEntry } from '../model/audit.js';
import { nameOf } from './access/principal.js';
import type { Route } from './route-table.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What it does needs an admin key, although its route does not. */
    administers: boolean;
  }
}

export function addAudited(app: FastifyInstance): void {
  app.decorateRequest('administers', false);
}

/** Does the route administer, or may a request of it? */
export function isAudited({ needs, method, mayAdminister }: Pick<Route, 'needs' | 'method' | 'mayAdminister'>): boolean {
  return mayAdminister === true || (needs === 'admin' && method !== 'GET');
}

/** @returns null when this request did not administer */
export function auditEntry(route: Route, request: FastifyRequest, reply: FastifyReply, nowMs: number): AuditEntry | null {
  if (route.mayAdminister === true && !request.administers) return null;
  const { statusCode: status } = reply;
  return {
    time: new Date(nowMs).toISOString(),
    requestId: request.id,
    who: request.principal === null ? null : nameOf(request.principal),
    address: request.socket.remoteAddress ?? '',
    operation: route.operationId,
    target: { ...(request.params as Record<string, string>) },
    outcome: status < 400 ? 'done' : status < 500 ? 'refused' : 'failed',
    status,
    error: request.refusal,
  };
}
