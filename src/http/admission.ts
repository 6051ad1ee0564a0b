/** Hooks that stand before the work of a route, once its caller is known: is there time, memory and room for it, and does the strict mode of
 *  its collection allow it? Must not know: bodies, answers. */

import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { checkCollectionName } from '../model/collection.js';
import type { Connections } from './connections.js';
import type { GuardService, Work } from './guards.js';
import type { StrictGate } from './strict/strict-gate.js';

export type Check = (request: FastifyRequest, reply: FastifyReply, next: HookHandlerDoneFunction) => void;

export interface AdmissionParts {
  readonly connections: Connections;
  readonly guards: GuardService;
}

/** A hook that lets a request go on unless the check throws, now or later. */
export function checked(check: (request: FastifyRequest) => Promise<void> | undefined): Check {
  return (request, _reply, next) => {
    try {
      const waiting = check(request);
      if (waiting !== undefined) {
        waiting.then(() => next(), next);
        return;
      }
    } catch (error) {
      next(error as Error);
      return;
    }
    next();
  };
}

/** Is there time, memory and room for the work of this route? Asked last, so that who may not ask at all learns nothing. */
export function admission(work: Work, { connections, guards }: AdmissionParts): Check {
  return (request, _reply, next) => next(connections.refusalOf(request.raw.socket) ?? guards.refusal(work) ?? undefined);
}

/** Held against the strict mode of its collection, as far as head and path tell. */
export function strictly(work: Work, strict: StrictGate): Check {
  return checked((request) => {
    const { collection } = request.params as { readonly collection?: string };
    strict.begin(checkCollectionName(collection), work, askedTimeoutMs(request.query as Record<string, unknown>));
    return undefined;
  });
}

/** As text; in the dialect it is `timeout`, in seconds. */
function askedTimeoutMs({ timeout_ms: ms, timeout: seconds }: Readonly<Record<string, unknown>>): unknown {
  return ms ?? (typeof seconds === 'string' ? String(Number(seconds) * 1_000) : undefined);
}
