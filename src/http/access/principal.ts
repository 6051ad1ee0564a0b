/** Who asks, as far as routes need to know: a role, a scope, and a name for logs. Never a secret. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { KeyRole, KeyScope, RateLimit } from '../../model/access-key.js';

/** anyone: nothing is configured that asks for a key. key_file: the admin key of the file. token: a JSON Web Token.
 *  program: the one that the node runs in. */
export type PrincipalKind = 'anyone' | 'key_file' | 'access_key' | 'token' | 'program';

export interface Principal {
  readonly kind: PrincipalKind;
  /** The id of an access key, the subject of a token, else null. */
  readonly id: string | null;
  readonly role: KeyRole;
  readonly scope: KeyScope;
  readonly rateLimit: RateLimit | null;
}

const NODE_WIDE = { id: null, role: 'admin', scope: null, rateLimit: null } as const;
export const ANYONE: Principal = { kind: 'anyone', ...NODE_WIDE };
export const KEY_FILE: Principal = { kind: 'key_file', ...NODE_WIDE };
export const PROGRAM: Principal = { kind: 'program', ...NODE_WIDE };

declare module 'fastify' {
  interface FastifyRequest {
    /** Null until its key was checked, and on routes that need none. */
    principal: Principal | null;
  }
}

export function addPrincipals(app: FastifyInstance): void {
  app.decorateRequest('principal', null);
}

/** The caller of a route that needs a key. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new Error('the route needs no key, so nobody knows who asks');
  return request.principal;
}

/** A name for logs: `key_file`, `anyone`, `access_key:<id>`, `token:<subject>`. */
export function nameOf({ kind, id }: Principal): string {
  return id === null ? kind : `${kind}:${id}`;
}
