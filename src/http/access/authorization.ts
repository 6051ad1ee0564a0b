/** What a caller may do: the role against what the route needs, the scope against the collection it names.
 *
 *  A scope names collections, never aliases: what an alias stands for is looked up, and the request goes on with the collection's own name, so
 *  that an alias that is switched meanwhile leads nowhere else. A route that names no collection in its path is about the node as a
 *  whole, and closed to keys with a scope, unless it looks at the scope itself. Must not know: keys, bodies. */

import type { Engine } from '../../engine/engine.js';
import { allows, inScope, type KeyScope, type Need } from '../../model/access-key.js';
import { checkCollectionName } from '../../model/collection.js';
import { SkeinError } from '../../model/errors.js';
import type { Route } from '../route-table.js';
import type { Principal } from './principal.js';

type NamedEngine = Pick<Engine, 'findCollection'>;

/** @throws Forbidden */
export function mustAllow({ role }: Principal, needed: Need): void {
  if (allows(role, needed)) return;
  throw new SkeinError('Forbidden', `This needs a key with the role ${needed}; the key has the role ${role}`, {
    needed,
    key_role: role,
  });
}

/** The name to go on with: the collection's own for a key with a scope, else as it was given.
 *  @param name a checked name, of a collection or an alias or of nothing yet  @throws Forbidden naming what was given */
export function scopedName(principal: Principal, needed: Need, name: string, engine: NamedEngine): string {
  if (principal.scope === null) return name;
  const own = engine.findCollection(name)?.name ?? name;
  mustBeInScope(principal, needed, name, own);
  return own;
}

/** @param needed for the details of the refusal  @param given what the caller said  @param own what it stands for @throws Forbidden */
export function mustBeInScope({ scope, role }: Principal, needed: Need, given: string, own = given): void {
  if (inScope(scope, own)) return;
  throw new SkeinError('Forbidden', `The key is not for the collection '${given}'`, {
    needed,
    key_role: role,
    collection: given,
  });
}

/** Checks the role, and the scope as far as the path tells; puts the collection's own name into the parameters.
 *  @throws Forbidden, InvalidCollectionName, Starting */
export function authorize(
  principal: Principal,
  { needs, path, looksAtScope }: Pick<Route, 'needs' | 'path' | 'looksAtScope'>,
  params: Record<string, string>,
  engine: () => NamedEngine,
): void {
  mustAllow(principal, needs);
  if (principal.scope === null || looksAtScope === true) return;
  if (!path.includes('/:collection')) throw notNodeWide(principal, needs);
  params['collection'] = scopedName(principal, needs, checkCollectionName(params['collection']), engine());
}

function notNodeWide({ role }: Principal, needed: Need): SkeinError {
  return new SkeinError('Forbidden', 'This is about the node as a whole, and the key is for some collections only', {
    needed,
    key_role: role,
  });
}

/** An error without names of collections that the caller may not know of. */
export function withoutOtherNames(error: SkeinError, scope: KeyScope): SkeinError {
  if (scope === null) return error;
  const { available_collections: names, available_aliases: _aliases, alias_of: owner, ...details } = error.details;
  if (typeof owner === 'string' && !inScope(scope, owner)) return new SkeinError(error.type, 'The name is taken', details);
  const shown = Array.isArray(names) ? { available_collections: names.filter((name: string) => inScope(scope, name)) } : {};
  const kept = typeof owner === 'string' ? { alias_of: owner } : {};
  return new SkeinError(error.type, error.message, { ...details, ...shown, ...kept }, error.cause);
}
