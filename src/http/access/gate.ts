/** The way in: who asks, how often, and whether a route may be called with it. What it lets through has a principal on the request.
 *  Must not know: bodies, what routes do. */

import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Need } from '../../model/access-key.js';
import type { Clock } from '../../model/clock.js';
import { SkeinError } from '../../model/errors.js';
import { FIXED } from '../../model/limits.js';
import type { Log } from '../../model/log.js';
import type { Meter } from '../../model/meter.js';
import { TokenBuckets } from '../../resilience/token-bucket.js';
import { isForeignName, isForeignPage, type NameRules } from '../../wire/web-callers.js';
import type { Route } from '../route-table.js';
import type { HttpConfig, HttpService } from '../service.js';
import { Authentication } from './authentication.js';
import { authorize, mustAllow } from './authorization.js';
import { nameOf, PROGRAM, type Principal } from './principal.js';
import { Tokens } from './tokens.js';

export interface GateParts {
  readonly config: Pick<HttpConfig, 'apiKey' | 'callers'>;
  readonly service: Pick<HttpService, 'engine' | 'accessKeys' | 'tokenRules' | 'replication'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** Does a request come from the program that the node runs in? */
  isInside(socket: unknown): boolean;
}

/** Of a header that is told back, in characters: longer than any name with its scheme and port. */
const SHOWN_LENGTH_MAX = 300;

export class Gate {
  readonly authentication: Authentication;
  readonly #parts: GateParts;
  readonly #rates = new TokenBuckets(FIXED.accessKeysMax);

  private constructor(parts: GateParts, tokens: Tokens | null) {
    this.#parts = parts;
    const { config, service, clock, log, meter } = parts;
    const keys = () => service.accessKeys();
    this.authentication = new Authentication({
      ...{ keyFile: config.apiKey, keys, tokens, clock, log, meter },
      wrongClusterKeys: () => service.replication.wrongClusterKeys(),
    });
  }

  static async open(parts: GateParts): Promise<Gate> {
    const { tokenRules } = parts.service;
    return new Gate(parts, tokenRules === null ? null : await Tokens.open(tokenRules));
  }

  /** For a path that no route has: it tells nothing without a key.
   *  @returns a promise when it takes time @throws Unauthorized, RateLimited, Starting */
  identify(request: FastifyRequest): Promise<void> | undefined {
    const found = this.#principalOf(request);
    if (found instanceof Promise) return found.then((principal) => this.#take(request, principal));
    this.#take(request, found);
    return undefined;
  }

  /** @throws as identify · Forbidden, InvalidCollectionName */
  admit(request: FastifyRequest, route: Pick<Route, 'needs' | 'path' | 'looksAtScope'>): Promise<void> | undefined {
    if (route.needs === 'none') return undefined;
    const waiting = this.identify(request);
    if (waiting !== undefined) return waiting.then(() => this.#authorize(request, route));
    this.#authorize(request, route);
    return undefined;
  }

  /** Is the key of a request that runs for long still good, and for this? @throws Unauthorized, Forbidden, RateLimited */
  recheck(request: FastifyRequest, needs: Need): Promise<void> | undefined {
    const found = this.#principalOf(request);
    if (found instanceof Promise) return found.then((principal) => mustAllow(principal, needs));
    mustAllow(found, needs);
    return undefined;
  }

  #principalOf({ socket, headers }: FastifyRequest): Principal | Promise<Principal> {
    return this.#parts.isInside(socket) ? PROGRAM : this.authentication.identify(headers, socket.remoteAddress ?? '');
  }

  #take(request: FastifyRequest, principal: Principal): void {
    if (principal.kind === 'anyone') mustNotBePage(request.headers, this.#parts.config.callers);
    request.principal = principal;
    this.#mustNotBeOften(principal);
  }

  #authorize(request: FastifyRequest, route: Pick<Route, 'needs' | 'path' | 'looksAtScope'>): void {
    if (request.principal !== null)
      authorize(request.principal, route, request.params as Record<string, string>, () => this.#parts.service.engine());
  }

  #mustNotBeOften(principal: Principal): void {
    const { rateLimit } = principal;
    if (rateLimit === null) return;
    const nowMs = this.#parts.clock.monotonicMs();
    const waitMs = this.#rates.of(nameOf(principal), rateLimit, nowMs).take(rateLimit, nowMs);
    if (waitMs === 0) return;
    throw new SkeinError('RateLimited', `${subjectOf(principal)} may ask ${rateLimit.perSecond} times a second`, {
      retry_after_ms: waitMs,
      limit: rateLimit.perSecond,
    });
  }
}

/** Without a key nothing but the name and the origin tells a program from a page in somebody's browser. HTTP/1.0 may leave the name out; no
 *  browser speaks it. @throws Forbidden */
function mustNotBePage(headers: IncomingHttpHeaders, rules: NameRules): void {
  if (isForeignPage(headers, rules))
    throw new SkeinError(
      'Forbidden',
      'Pages of other origins may not call a server that asks for no key, unless --cors-origins names theirs',
      {
        origin: headers.origin?.slice(0, SHOWN_LENGTH_MAX),
      },
    );
  if (headers.host === undefined || !isForeignName(headers, rules)) return;
  throw new SkeinError(
    'Forbidden',
    'A server that asks for no key does not answer under this name: give it --allowed-hosts NAME, or a key',
    { host: headers.host.slice(0, SHOWN_LENGTH_MAX) },
  );
}

function subjectOf({ kind }: Principal): string {
  return kind === 'token' ? 'The subject of the token' : 'The key';
}
