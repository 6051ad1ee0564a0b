/** What one worker keeps of a collection: an index and, beside it, the payload index that answers filters.
 *
 *  Rows come in, change and go in the order of the log (index-upkeep.ts); in one turn both take the same step, so that a filter and the
 *  index always speak of the same labels. Must not know: the order of the log, threads. */

import type { LabelRow } from '../storage/storage.js';

export interface IndexedContent {
  /** Rows must be read with their payloads. */
  readonly needsPayload: boolean;
  has(label: number): boolean;
  /** Takes a row in, in place of another label. A row that has nothing for this index only takes the other out. */
  add(row: LabelRow, replaces: number | null): void;
  /** The payload of a label inside was changed in place. */
  update(label: number, payload: Uint8Array): void;
  /** A label that is not inside is ignored. */
  remove(label: number): void;
  /** Labels inside, ascending. */
  liveLabels(): Uint32Array;
  /** So much is pending that work() should go first. */
  readonly crowded: boolean;
  /** The measure of its work; grows with every row that is put into its slow structure. */
  readonly inserts: number;
  /** Does a slice of what is pending. @returns milliseconds until it should be called again (0: at once), null: not before the next change */
  work(budgetMs: number): number | null;
}
