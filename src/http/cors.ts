/** Which pages of other origins may call: cross-origin resource sharing, as the Fetch standard has it (§3.2). Without named origins there is none.
 *
 *    preflight (OPTIONS with Access-Control-Request-Method) of a named origin ─► 204, at once: no key, no body, nothing is looked up
 *    any other request of a named origin                                     ─► goes its way, and a page may read its answer
 *
 *  A browser asks for leave by itself; what a key allows is judged as ever. No cookies: credentials are never allowed, so `*` means that a page
 *  of whatever origin may read answers, with a key that it has. Must not know: keys, routes. */

import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';

export const ANY_ORIGIN = '*';

/** How long a browser may go by a preflight: a change of the setting counts everywhere after that. */
const PREFLIGHT_LIFE_S = 600;
const METHODS = 'GET, HEAD, PUT, POST, PATCH, DELETE';
const REQUEST_HEADERS = [
  ...['accept', 'api-key', 'authorization', 'content-type', 'idempotency-key', 'last-event-id', 'traceparent', 'tracestate'],
  ...['x-request-id', 'x-skein-min-position', 'x-skein-redirect'],
].join(', ');
const EXPOSED = [
  ...['allow', 'location', 'retry-after', 'traceresponse', 'www-authenticate'],
  ...['x-request-id', 'x-skein-heartbeat-ms', 'x-skein-position', 'x-skein-staleness-ms'],
].join(', ');

type Headers = Readonly<Record<string, string>>;

/** What an answer carries beside its own. @param origins as they are named, each in the form that browsers send */
export function sharingHeaders(origins: readonly string[], origin: string | undefined): Headers {
  const isAny = origins.includes(ANY_ORIGIN);
  // Answers differ by origin, so no store may give one to another.
  const varies: Headers = isAny ? {} : { vary: 'Origin' };
  if (origin === undefined || !(isAny || origins.includes(origin))) return varies;
  return { ...varies, 'access-control-allow-origin': isAny ? ANY_ORIGIN : origin, 'access-control-expose-headers': EXPOSED };
}

/** @returns null: it is none, or not of a named origin, and is answered as any other request */
export function preflightHeaders(origins: readonly string[], method: string, headers: IncomingHttpHeaders): Headers | null {
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return null;
  const { 'access-control-expose-headers': _, ...shared } = sharingHeaders(origins, headers.origin);
  if (shared['access-control-allow-origin'] === undefined) return null;
  return {
    ...shared,
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': REQUEST_HEADERS,
    'access-control-max-age': String(PREFLIGHT_LIFE_S),
  };
}

/** @returns what puts the headers on an answer, and answers a preflight: true when it did; null without named origins */
export function sharing(origins: readonly string[]): ((request: FastifyRequest, reply: FastifyReply) => boolean) | null {
  if (origins.length === 0) return null;
  return (request, reply) => {
    const preflight = preflightHeaders(origins, request.method, request.headers);
    const headers = preflight ?? sharingHeaders(origins, request.headers.origin);
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    if (preflight === null) return false;
    reply.code(204).send();
    return true;
  };
}
