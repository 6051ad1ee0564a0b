/** Aliases: second names of collections. A name is a collection's or an alias's, never both, and an alias names a collection, never another
 *  alias. They have the form of collection names (model/collection.ts). */

import { SkeinError } from './errors.js';

export interface Alias {
  readonly name: string;
  /** Of the live collection that it stands for. */
  readonly uid: number;
}

/** What a commit did to an alias; null: it is gone. */
export interface AliasChange {
  readonly name: string;
  readonly uid: number | null;
}

const NAMES_SHOWN_MAX = 100;

export function aliasNotFound(name: string, available: Iterable<string>): SkeinError {
  return new SkeinError('AliasNotFound', `Alias '${name}' not found`, {
    alias: name,
    available_aliases: [...available].sort().slice(0, NAMES_SHOWN_MAX),
  });
}
