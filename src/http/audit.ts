/** Which requests are written down, and what of them: all that administer, whether they were allowed to or not.
 *  Must not know: where entries are kept. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditEntry } from '../model/audit.js';
import type { ErrorType } from '../model/errors.js';
import { nameOf } from './access/principal.js';
import type { Route } from './route-table.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What it does needs an admin key, although its route does not. */
    administers: boolean;
    /** What it is about, beside the names in its path. */
    auditTarget: Readonly<Record<string, string>> | null;
  }
}

/** What a request is about where its path does not say it. No secrets; null is left out. */
export function noteTarget(request: FastifyRequest, target: Readonly<Record<string, string | null>>): void {
  const known = Object.entries(target).filter((entry): entry is [string, string] => entry[1] !== null);
  request.auditTarget = { ...request.auditTarget, ...Object.fromEntries(known) };
}

export function addAudited(app: FastifyInstance): void {
  app.decorateRequest('administers', false);
  app.decorateRequest('auditTarget', null);
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
    target: { ...(request.params as Record<string, string>), ...request.auditTarget },
    outcome: outcomeOf(status, request.refusal),
    status,
    error: request.refusal,
  };
}

/** After these the change may be made, or be made yet, whatever the status that they are told with. */
const LEFT_OPEN: ReadonlySet<ErrorType | null> = new Set<ErrorType>(['Timeout', 'WriteConcernTimeout']);

/** Sent on to the master is not done here; after a 202 it has only begun. */
function outcomeOf(status: number, refusal: ErrorType | null): AuditEntry['outcome'] {
  if (status === 202 || LEFT_OPEN.has(refusal)) return 'unknown';
  if (status < 300) return 'done';
  return status < 500 ? 'refused' : 'failed';
}
