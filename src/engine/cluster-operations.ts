/** What replication itself puts into the log: the beginning of a history, and who counts for a majority.
 *
 *  Resolved like a client's operation, in the writer thread of a master, against the state that the effects will change.
 *  Must not know: points, clients, who asked. */

import type { Effect } from '../model/entry.js';
import { invalidRequest, SkeinError } from '../model/errors.js';
import type { Voter } from '../model/replication.js';
import type { StoreReads } from '../storage/storage.js';

export type ClusterOperation =
  /** The only operation of its unit. */
  | { readonly kind: 'begin_history'; readonly historyId: string; readonly epoch: number; readonly nodeId: string }
  | ({ readonly kind: 'put_voter' } & Voter)
  | { readonly kind: 'remove_voter'; readonly nodeId: string };

interface ResolvedCluster {
  readonly effects: readonly Effect[];
  /** No client asked. */
  readonly result: null;
  /** The epoch that begins with it. */
  readonly epoch?: number;
}

const NODE_ID = /^[0-9a-f]{32}$/;
const HOST_LENGTH_MAX = 255;
const PORT_MAX = 65_535;

/** A voter that is known at its address already, or is not there to be removed, is no change.
 *  @throws NotPromotable (a history in an epoch that is not later) · InvalidRequest (an id or an address that is none) */
export function resolveCluster(
  operation: ClusterOperation,
  reads: Pick<StoreReads, 'lineage' | 'voters'>,
  currentEpoch: number,
): ResolvedCluster {
  checkId('node_id', operation.nodeId);
  const before = reads.voters().find(({ nodeId }) => nodeId === operation.nodeId);
  switch (operation.kind) {
    case 'begin_history': {
      const { historyId, epoch, nodeId } = operation;
      checkId('history_id', historyId);
      if (reads.lineage().some((row) => row.historyId === historyId))
        throw invalidRequest('history_id', 'this history has begun before');
      if (!Number.isSafeInteger(epoch) || epoch <= currentEpoch)
        throw new SkeinError('NotPromotable', `Epoch ${epoch} does not follow epoch ${currentEpoch}`, { reason: 'epoch' });
      return { effects: [{ kind: 'begin_history', historyId, nodeId }], result: null, epoch };
    }
    case 'put_voter': {
      const { nodeId, host, port } = operation;
      if (host === '' || Buffer.byteLength(host) > HOST_LENGTH_MAX) throw invalidRequest('host', 'not the name of a host');
      if (!Number.isInteger(port) || port < 1 || port > PORT_MAX) throw invalidRequest('port', 'not a port');
      const same = before?.host === host && before.port === port;
      return { effects: same ? [] : [{ kind: 'put_voter', nodeId, host, port }], result: null };
    }
    case 'remove_voter':
      return {
        effects: before === undefined ? [] : [{ kind: 'remove_voter', nodeId: operation.nodeId }],
        result: null,
      };
  }
}

function checkId(path: string, id: string): void {
  if (!NODE_ID.test(id)) throw invalidRequest(path, 'not an id of 32 lower-case hex digits');
}
