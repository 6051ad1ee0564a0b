/** The routes of the server as data: what they are called, what they take and answer, who handles them. From one table come the
 *  running routes, the OpenAPI document, the `allowed` list of a 405, and the names in metrics. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { Need } from '../model/access-key.js';
import type { Work } from './guards.js';

export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

export interface Route {
  readonly method: Method;
  /** With `:name` for a part; `:collection` is always a collection's name or an alias of one. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly tag: 'collections' | 'points' | 'search' | 'replication' | 'keys' | 'server';
  readonly query?: TSchema;
  readonly headers?: TSchema;
  readonly body?: TSchema;
  readonly bodyTypes?: readonly string[];
  readonly answer?: TSchema;
  readonly answerTypes?: readonly string[];
  readonly status?: number;
  /** With `wait: false` in the body it answers 202 as soon as it has begun. */
  readonly mayOnlyBegin?: boolean;
  /** Asks for points or changes them: it has a deadline, and is a slow query when it takes long. */
  readonly timed?: boolean;
  /** What the caller's key must allow; none: no key is asked for. */
  readonly needs: Need;
  /** Only some of its requests administer: its handler says which (http/audit.ts). */
  readonly mayAdminister?: boolean;
  /** A key with a scope may call it although its path names no collection: what it does looks at the scope. */
  readonly looksAtScope?: boolean;
  /** Changes data, so only the master does it; a replica sends the caller there. */
  readonly master?: boolean;
  /** What the guards of the process may refuse under load. Left out: never refused, as what watches and heals the server. */
  readonly work?: Work;
  /** Answers and errors have the form of the Qdrant dialect, and the OpenAPI document leaves it out. */
  readonly dialect?: 'qdrant';
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> | FastifyReply;
}

export class RouteTable {
  readonly routes: readonly Route[];
  readonly #patterns: readonly { readonly method: string; readonly parts: readonly string[] }[];

  /** @param pages paths beside the routes that have GET alone */
  constructor(routes: readonly Route[], pages: readonly string[] = []) {
    this.routes = routes;
    const all = [...routes, ...pages.map((path) => ({ method: 'GET', path }))];
    this.#patterns = all.map(({ method, path }) => ({ method, parts: path.split('/') }));
  }

  /** Methods that a path has, HEAD beside GET; empty when no route has the path. @param path without the query */
  methodsFor(path: string): string[] {
    const parts = path.split('/');
    const methods = new Set<string>();
    for (const pattern of this.#patterns) {
      if (!matches(pattern.parts, parts)) continue;
      methods.add(pattern.method);
      if (pattern.method === 'GET') methods.add('HEAD');
    }
    return [...methods].sort();
  }

  /** What stands where the name of a collection or an alias belongs, decoded as far as it can be; null when the path has no such place. */
  nameIn(path: string): string | null {
    const name = /^\/v1\/(?:collections|aliases)\/([^/]*)(?:\/|$)/.exec(path)?.[1];
    if (name === undefined) return null;
    try {
      return decodeURIComponent(name);
    } catch {
      // Not a name either way; as it stands it is refused too, because of its percent sign.
      return name;
    }
  }
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  if (pattern.length !== parts.length) return false;
  return pattern.every((part, i) => (part.startsWith(':') ? parts[i] !== '' : part === parts[i]));
}
