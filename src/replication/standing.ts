/** Where a node stands, in the plain form that hellos and welcomes carry. */

import type { LineageRow, ReplicatedLog } from '../engine/engine.js';
import { NO_EPOCH } from '../model/position.js';
import type { Hello, PlainLineage } from '../wire/frames.js';

const LINEAGE_ROWS_MAX = 1_000;

/** The newest rows. */
export function plainLineage(rows: readonly LineageRow[]): PlainLineage {
  return rows.slice(-LINEAGE_ROWS_MAX).map(({ epoch, historyId, startSeq, startHash }) => ({
    epoch,
    historyId,
    startSeq,
    startHash: hexOf(startHash),
  }));
}

/** Cluster and position are null for a store that has never joined anything. */
export function standingOf(log: ReplicatedLog): Pick<Hello, 'clusterId' | 'nodeId' | 'position' | 'lineage'> {
  const { clusterId, nodeId, historyId, epoch, seq, chainHash } = log.state();
  const isBlank = epoch === NO_EPOCH;
  return {
    clusterId: isBlank ? null : clusterId,
    nodeId,
    position: isBlank ? null : { historyId, epoch, seq, hash: hexOf(chainHash) },
    lineage: plainLineage(log.lineage()),
  };
}

/** A hash as it stands in control frames. */
export function hexOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
}
