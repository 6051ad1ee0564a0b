/** What clients ask of aliases: that a name stands for a collection, or no longer does.
 *
 *  Resolved in the writer thread against the state that the effects will change, so the switch is atomic and what stands behind it in the same
 *  unit sees it. Must not know: points, who asked, how effects are stored. */

import { aliasNotFound } from '../model/alias.js';
import { collectionNotFound } from '../model/collection.js';
import type { Effect } from '../model/entry.js';
import { SkeinError } from '../model/errors.js';
import { FIXED } from '../model/limits.js';
import type { Operation, OperationResult } from '../model/operation.js';
import type { WriterState } from './writer-state.js';

type AliasOperation = Extract<Operation, { readonly alias: string }>;
type AliasedState = Pick<WriterState, 'aliases' | 'byName' | 'byUid' | 'resolve' | 'collectionNames'>;

/** An alias that stands for the collection already is no change. Where the collection is named by an alias, what that stands for now counts.
 *  @throws AliasNotFound · CollectionNotFound · CollectionAlreadyExists (a collection has the alias's name) · Overloaded (too many) */
export function resolveAlias(
  operation: AliasOperation,
  state: AliasedState,
): { readonly effects: readonly Effect[]; readonly result: OperationResult } {
  const { alias: name } = operation;
  const before = state.aliases.get(name);
  if (operation.kind === 'delete_alias') {
    if (before === undefined) throw aliasNotFound(name, state.aliases.keys());
    return { effects: [{ kind: 'remove_alias', name }], result: { kind: 'delete_alias' } };
  }
  if (state.byName(name) !== undefined)
    throw new SkeinError('CollectionAlreadyExists', `'${name}' is a collection and cannot be an alias`, { collection: name });
  const collection = state.resolve(operation.collection);
  if (collection === undefined) throw collectionNotFound(operation.collection, state.collectionNames());
  if (before === undefined && state.aliases.size >= FIXED.aliasesMax) throw tooMany();
  const previous = before === undefined ? null : (state.byUid(before)?.name ?? null);
  const { uid } = collection;
  return {
    effects: before === uid ? [] : [{ kind: 'put_alias', name, uid }],
    result: { kind: 'put_alias', collection: collection.name, previous },
  };
}

/** A new collection has no name that is an alias. @throws CollectionAlreadyExists */
export function mustBeNoAlias(name: string, state: AliasedState): void {
  const uid = state.aliases.get(name);
  if (uid === undefined) return;
  const owner = state.byUid(uid)?.name ?? null;
  throw new SkeinError('CollectionAlreadyExists', `'${name}' is an alias of collection '${owner}' and cannot be a collection`, {
    collection: name,
    alias_of: owner,
  });
}

function tooMany(): SkeinError {
  return new SkeinError('Overloaded', `This node holds its maximum of ${FIXED.aliasesMax} aliases`, {
    reason: 'aliases_max',
    limit: FIXED.aliasesMax,
  });
}
