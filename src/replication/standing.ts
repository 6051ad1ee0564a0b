/** Where a node stands, in the plain form that hellos and welcomes carry. */

import type { LineageRow, ReplicatedLog } from '../engine/engine.js';
import type { LinkPosition, PlainLineage } from '../wire/frames.js';

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

/** Null for a store that has never joined anything. */
export function linkPosition(log: ReplicatedLog): LinkPosition | null {
  const { historyId, epoch, seq, chainHash } = log.state();
  return epoch === 0 ? null : { historyId, epoch, seq, hash: hexOf(chainHash) };
}

/** A hash as it stands in control frames. */
export function hexOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
}
