/** The way in: who asks, how often, and whether a route may be called with it. What it lets through has a principal on the request.
 *  Must not know: bodies, what routes do. */

import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../model/clock.js';
import { SkeinError } from '../../model/errors.js';
import { FIXED } from '../../model/limits.js';
import type { Meter } from '../../model/meter.js';
import type { Route } from '../route-table.js';
import type { HttpConfig, HttpService } from '../service.js';
import { Authentication } from './authentication.js';
import { authorize } from './authorization.js';
import { nameOf, type Principal } from './principal.js';
import { TokenBuckets } from './token-bucket.js';

export interface GateParts {
  readonly config: Pick<HttpConfig, 'apiKey'>;
  readonly service: Pick<HttpService, 'engine' | 'accessKeys'>;
  readonly clock: Clock;
  readonly meter: Meter;
}

export class Gate {
  readonly authentication: Authentication;
  readonly #parts: GateParts;
  readonly #rates = new TokenBuckets(FIXED.accessKeysMax);

  constructor(parts: GateParts) {
    this.#parts = parts;
    const { config, service, clock, meter } = parts;
    this.authentication = new Authentication({ keyFile: config.apiKey, keys: () => service.accessKeys(), clock, meter });
  }

  /** For a path that no route has: it tells nothing without a key. @throws Unauthorized, RateLimited, Starting */
  identify(request: FastifyRequest): void {
    const principal = this.authentication.identify(request.headers, request.socket.remoteAddress ?? '');
    request.principal = principal;
    this.#mustNotBeOften(principal);
  }

  /** @throws as identify · Forbidden, InvalidCollectionName */
  admit(request: FastifyRequest, route: Pick<Route, 'needs' | 'path' | 'looksAtScope'>): void {
    if (route.needs === 'none') return;
    this.identify(request);
    if (request.principal !== null)
      authorize(request.principal, route, request.params as Record<string, string>, () => this.#parts.service.engine());
  }

  #mustNotBeOften(principal: Principal): void {
    const { rateLimit } = principal;
    if (rateLimit === null) return;
    const nowMs = this.#parts.clock.monotonicMs();
    const waitMs = this.#rates.of(nameOf(principal), rateLimit, nowMs).take(rateLimit, nowMs);
    if (waitMs === 0) return;
    throw new SkeinError('RateLimited', `The key may ask ${rateLimit.perSecond} times a second`, {
      retry_after_ms: waitMs,
      limit: rateLimit.perSecond,
    });
  }
}
