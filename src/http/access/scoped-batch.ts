/** The operations of a batch against the role and the scope of the key: each is checked as its own route would, and goes on with names of
 *  collections themselves, so that what was checked is what is touched. Must not know: bodies, results. */

import type { Engine } from '../../engine/engine.js';
import type { Need } from '../../model/access-key.js';
import type { Operation } from '../../model/operation.js';
import { mustAllow, mustBeInScope } from './authorization.js';
import type { Principal } from './principal.js';

/** What the route of an operation needs. */
export function needOf({ kind }: Pick<Operation, 'kind'>): Need {
  return kind === 'upsert' || kind === 'patch' || kind === 'delete' ? 'write' : 'admin';
}

/** One operation alone. @throws Forbidden */
export function scopedOperation(principal: Principal, operation: Operation, engine: Pick<Engine, 'findCollection'>): Operation {
  return scopedOperations(principal, [operation], engine)[0] ?? operation;
}

/** @throws Forbidden naming the first operation that is not allowed */
export function scopedOperations(
  principal: Principal,
  operations: readonly Operation[],
  engine: Pick<Engine, 'findCollection'>,
): readonly Operation[] {
  for (const operation of operations) mustAllow(principal, needOf(operation));
  if (principal.scope === null) return operations;
  // What earlier operations of the batch make of a name.
  const inside = new Map<string, string | null>();
  const ownName = (needed: Need, name: string): string => {
    const known = inside.has(name) ? inside.get(name) : engine.findCollection(name)?.name;
    const own = known ?? name;
    mustBeInScope(principal, needed, name, own);
    return own;
  };
  return operations.map((operation): Operation => {
    const needed = needOf(operation);
    if (operation.kind === 'delete_alias') {
      mustBeInScope(principal, needed, operation.alias);
      ownName(needed, operation.alias);
      inside.set(operation.alias, null);
      return operation;
    }
    const own = ownName(needed, operation.collection);
    if (operation.kind === 'put_alias') {
      mustBeInScope(principal, needed, operation.alias);
      ownName(needed, operation.alias);
      inside.set(operation.alias, own);
    }
    return { ...operation, collection: own };
  });
}
