/** Shard keys of the dialect: a collection here is one piece, so a request that is for one shard alone cannot be done. */

import { wrongInput } from './mistakes.js';

/** @throws InvalidRequest */
export function mustNameNoShard({ shard_key: key }: { readonly shard_key?: unknown }): void {
  if (key !== undefined) throw wrongInput('collections have no shard keys here', 'shard_key');
}
