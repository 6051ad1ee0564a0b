/** What a restore does not take back to the past: who counts for a majority, and who has access. Both are of the cluster as it is now; a key
 *  that was revoked since must not open anything again.
 *
 *  Resolved like a client's operation: effects that make the state's voters and keys exactly the given ones. Must not know: restores. */

import { isDeepStrictEqual } from 'node:util';
import type { AccessKey } from '../model/access-key.js';
import type { Effect } from '../model/entry.js';
import type { Voter } from '../model/replication.js';
import type { StoreReads } from '../storage/storage.js';
import type { WriterState } from './writer-state.js';

export interface CarriedOver {
  readonly voters: readonly Voter[];
  /** Null: those that the data has. */
  readonly accessKeys: readonly AccessKey[] | null;
}

export type CarryOperation = { readonly kind: 'carry_over' } & CarriedOver;

export function resolveCarried(
  { voters, accessKeys }: CarryOperation,
  reads: Pick<StoreReads, 'voters'>,
  state: Pick<WriterState, 'accessKeys'>,
): { readonly effects: readonly Effect[]; readonly result: null } {
  const effects: Effect[] = [];
  const known = reads.voters();
  const isKnown = ({ nodeId, host, port }: Voter): boolean =>
    known.some((voter) => voter.nodeId === nodeId && voter.host === host && voter.port === port);
  for (const { nodeId } of known)
    if (!voters.some((voter) => voter.nodeId === nodeId)) effects.push({ kind: 'remove_voter', nodeId });
  for (const { nodeId, host, port } of voters)
    if (!isKnown({ nodeId, host, port })) effects.push({ kind: 'put_voter', nodeId, host, port });
  if (accessKeys === null) return { effects, result: null };
  const wanted = new Set(accessKeys.map(({ id }) => id));
  for (const id of state.accessKeys.keys()) if (!wanted.has(id)) effects.push({ kind: 'remove_key', id });
  for (const key of accessKeys) if (!isSame(key, state.accessKeys.get(key.id))) effects.push({ kind: 'put_key', key });
  return { effects, result: null };
}

/** Bytes of one may be a Buffer and of the other not. */
function isSame(key: AccessKey, before: AccessKey | undefined): boolean {
  return before !== undefined && isDeepStrictEqual(plain(key), plain(before));
}

function plain({ hash, previous, ...rest }: AccessKey): object {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return { ...rest, hash: hex(hash), previous: previous && { ...previous, hash: hex(previous.hash) } };
}
