/** Shard keys of the dialect: a collection here is one piece, so a request that is for one shard alone cannot be done. */

import { join } from '../../wire/place.js';
import { wrongInput } from './mistakes.js';

/** @param inside where the body stands in the whole @throws InvalidRequest */
export function mustNameNoShard({ shard_key: key }: { readonly shard_key?: unknown }, inside = ''): void {
  if (key !== undefined) throw wrongInput('collections have no shard keys here', join(inside, 'shard_key'));
}
