/** What a node is that has data and no NODE file. Nothing tells any more whether it was the master: a copy of a master's data has the same
 *  history and epoch as the original.
 *
 *    master is named ─► a replica of it      mastership is taken ─► master, of a new epoch and history      data of one node alone ─► its master, as before
 *    else ─► refused, saying what to do
 *
 *  Invariant: nobody writes on in a history and epoch that another node may be writing in. Must not know: how an epoch begins, flags' parsing. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../model/log.js';
import { NO_EPOCH } from '../model/position.js';
import type { Role } from '../model/replication.js';
import { openReader } from '../storage/open-store.js';
import type { NodeState } from './node-state.js';
import { ROLLBACK_FOLDER } from './rollback.js';

/** What the settings of the start say. */
export interface RoleWish {
  readonly masterUrl: string | null;
  readonly takeMastership: boolean;
}

/** What of the data tells who else may have it. */
export interface RoleTraces {
  /** Null: MANIFEST is missing or damaged. */
  readonly manifestRole: Role | null;
  /** NO_EPOCH: there is no data of a cluster. */
  readonly epoch: number;
  readonly otherVoters: number;
  readonly hasRolledBack: boolean;
}

export type ForgottenRole =
  | { readonly kind: 'is'; readonly state: NodeState }
  /** why: the end of a sentence. isBlank: it was made for a replica, and there is nothing to be master of. */
  | { readonly kind: 'unknown'; readonly why: string; readonly isBlank: boolean };

/** @param traces not looked for where a master is named: a damaged store is no reason to refuse a replica */
export function forgottenRole({ masterUrl, takeMastership }: RoleWish, traces: () => RoleTraces): ForgottenRole {
  if (masterUrl !== null) return { kind: 'is', state: { role: 'replica', masterUrl, highestEpoch: NO_EPOCH } };
  const found = traces();
  const { epoch } = found;
  const master = { role: 'master', masterUrl: null } as const;
  // Above the data's own: a mastership that is noted and has not begun. The start completes it.
  if (takeMastership && epoch !== NO_EPOCH) return { kind: 'is', state: { ...master, highestEpoch: epoch + 1 } };
  const why = whoElse(found);
  return why === null
    ? { kind: 'is', state: { ...master, highestEpoch: NO_EPOCH } }
    : { kind: 'unknown', why, isBlank: epoch === NO_EPOCH };
}

/** @returns why another node may be the master; null: no other node ever had this data */
function whoElse({ manifestRole, otherVoters, hasRolledBack }: RoleTraces): string | null {
  if (otherVoters > 0) return `its data names ${otherVoters} other ${otherVoters === 1 ? 'voter' : 'voters'}`;
  if (manifestRole === 'replica') return 'MANIFEST says that it was a replica';
  if (manifestRole === null) return 'MANIFEST, which says what it was, is missing or damaged too';
  return hasRolledBack ? `${ROLLBACK_FOLDER}/ says that it was a replica once` : null;
}

interface Folder {
  readonly dataDir: string;
  readonly cacheBytes: number;
}

/** The store has been found and is not checked yet. @param manifestRole null: MANIFEST is missing or damaged
 *  @throws Error saying what to do, StoreRefused when the store cannot be read */
export function roleWithoutNote(folder: Folder & RoleWish, databasePath: string, manifestRole: Role | null): NodeState {
  const { dataDir, masterUrl, takeMastership } = folder;
  const found = forgottenRole({ masterUrl, takeMastership }, () => readTraces(folder, databasePath, manifestRole));
  if (found.kind === 'is') return found.state;
  const unknown = `${dataDir} has data and no file NODE, and nobody knows whether this node is the master (${found.why}). It does not start; nothing was changed.`;
  const asReplica = 'Another node is the master, or is to be: start this one with --master URL, and it goes on as its replica.';
  const asMaster =
    'This node is the master, and no other was promoted: start it once with --take-mastership. A new epoch and history begin, as with a promotion by force.';
  throw new Error([unknown, asReplica, ...(found.isBlank ? [] : [asMaster])].join('\n'));
}

/** A role that is noted stands over the settings. */
export function warnOfWish(log: Log, { role }: NodeState, { masterUrl, takeMastership }: RoleWish): void {
  if (masterUrl !== null && role === 'master')
    log.warn('stays_master', { reason: 'this node was promoted; its own role stands over --master', master: masterUrl });
  if (takeMastership)
    log.warn('mastership_not_taken', { reason: 'the file NODE is there, and the role that it names stands', role });
}

function readTraces({ dataDir, cacheBytes }: Folder, databasePath: string, manifestRole: Role | null): RoleTraces {
  const reads = openReader(databasePath, { cacheBytes });
  try {
    const { nodeId, epoch } = reads.state();
    const otherVoters = reads.voters().filter((voter) => voter.nodeId !== nodeId).length;
    return { epoch, otherVoters, manifestRole, hasRolledBack: existsSync(join(dataDir, ROLLBACK_FOLDER)) };
  } finally {
    reads.close();
  }
}
