/** Who may speak MCP over HTTP, before anything is read of what they say. Pure.
 *
 *  A page in a browser must not reach a server on the same machine through the browser's back: it is known by its Origin, and a name that was
 *  bent to this machine (DNS rebinding) by its Host. Keys are not judged here: they are the Skein server's, and go to it with every call. */

import type { IncomingHttpHeaders } from 'node:http';
import { isForeignName, isForeignPage } from '../wire/web-callers.js';

export const MCP_PATH = '/mcp';

export interface AccessRules {
  /** The listener can be reached from this machine only. */
  readonly loopback: boolean;
  /** Further names under which it is called, behind a proxy. */
  readonly hosts: readonly string[];
  /** Requests without a key are refused. */
  readonly keyNeeded: boolean;
}

export interface AccessRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @returns null when it may be read */
export function refusalOf({ method, path, headers }: AccessRequest, rules: AccessRules): Refusal | null {
  if (path !== MCP_PATH) return { status: 404, message: `MCP is spoken at ${MCP_PATH}` };
  if (rules.loopback && isForeignName(headers, rules))
    return { status: 403, message: 'this server does not answer under that name' };
  if (isForeignPage(headers)) return { status: 403, message: 'pages of other origins may not call this server' };
  // No message comes from the server by itself, so there is nothing to listen to, and no session to end.
  if (method !== 'POST') return { status: 405, message: 'only POST is answered', headers: { allow: 'POST' } };
  if (rules.keyNeeded && keyOf(headers) === null)
    return {
      status: 401,
      message: 'a key is needed: Authorization: Bearer … or api-key: …',
      headers: { 'www-authenticate': 'Bearer' },
    };
  return null;
}

/** The path in the target of a request, which may be a whole address (RFC 9112 §3.2.2) and may be anything. */
export function pathOf(target: string): string {
  if (target.startsWith('/')) return target.split('?', 1)[0] ?? '';
  return URL.canParse(target) ? new URL(target).pathname : target;
}

/** The key that the caller gave; null when there is none. */
export function keyOf(headers: IncomingHttpHeaders): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const own = headers['api-key'];
  return bearer ?? (typeof own === 'string' && own !== '' ? own : null);
}
