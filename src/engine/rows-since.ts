/** Which rows of a collection an index does not know as they are: those that came, changed in place or died after what it holds.
 *
 *  An index takes in labels in their order and is at a seq when it has everything up to it; of what is later it may have some already.
 *  Must not know: which index, what is asked of it. */

import type { PointHead, StoreReads } from '../storage/storage.js';

const CHANGED_BYTES_MAX = 8 * 1024 * 1024;

/** How far an index was when it answered. */
export interface IndexState {
  /** Nothing up to this seq is missing. */
  readonly seq: number;
  /** Labels from this one on were not inside. */
  readonly nextLabel: number;
}

/** Was this live row inside, as it is now? */
export function isAsIndexed({ label, version }: Pick<PointHead, 'label' | 'version'>, { seq, nextLabel }: IndexState): boolean {
  return version <= seq && label < nextLabel;
}

/** Labels of the rows that came or changed in place, each once, some of them dead by now. For one snapshot of the reads.
 *  @returns null: more than rowsMax, or long ones. Cost: a row each */
export function changedSince(reads: StoreReads, uid: number, { seq, nextLabel }: IndexState, rowsMax: number): number[] | null {
  const end = reads.collection(uid)?.nextLabel ?? nextLabel;
  const added = Math.max(0, end - nextLabel);
  if (added > rowsMax) return null;
  const changed = changedInPlace(reads, uid, { seq, nextLabel }, rowsMax - added);
  if (changed === null) return null;
  // A correction gives labels and no seq, so also when the store is at the seq of the index.
  for (let label = nextLabel; label < end; label++) changed.push(label);
  return changed.length > rowsMax ? null : changed;
}

/** Of the labels that were inside. @returns as changedSince */
function changedInPlace(reads: StoreReads, uid: number, { seq, nextLabel }: IndexState, rowsMax: number): number[] | null {
  const throughSeq = reads.state().seq;
  if (throughSeq <= seq) return [];
  const page = reads.changedBetween(uid, seq, throughSeq, rowsMax + 1, CHANGED_BYTES_MAX);
  if (page.throughSeq < throughSeq) return null;
  // Whoever looks at a damaged one is refused.
  return [...page.rows.map(({ label }) => label), ...page.damaged].filter((label) => label < nextLabel);
}

/** Labels of the rows that died and were not reaped since. @returns null: more than rowsMax */
export function diedSince(reads: StoreReads, uid: number, { seq }: IndexState, rowsMax: number): number[] | null {
  const deaths = reads.deadBetween(uid, seq, reads.state().seq, rowsMax + 1);
  return deaths.length > rowsMax ? null : deaths.map(({ label }) => label);
}
