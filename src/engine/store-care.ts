/** Care for the store of a running engine, as others may ask for it: its pages are read, damage is looked at, and written over with what is proven.
 *  Must not know: how it is done. */

import type { Damage } from '../model/damage.js';
import type { PointVersion } from '../model/point.js';
import type { ScrubPage, ScrubPlace } from './care-reads.js';

/** A point in the form of compare.ts, or consecutive entries. */
export type MendedRow =
  | { readonly kind: 'point'; readonly uid: number; readonly label: number; readonly value: Uint8Array }
  | { readonly kind: 'log'; readonly fromSeq: number; readonly entries: readonly Uint8Array[] };

export interface StoreCare {
  /** Where a pass over the whole store begins, place by place; each goes on with what its page says. */
  places(): ScrubPlace[];
  /** One page: a few milliseconds of the scan thread. @throws as the scans of Engine */
  scrub(place: ScrubPlace): Promise<ScrubPage>;
  /** What is damaged there now, or null. @throws as the scans of Engine */
  look(damage: Damage): Promise<Damage | null>;
  /** A point of this version as the own log has it, in the form of compare.ts, or null. @throws CorruptData when its entry is damaged too */
  logged(point: PointVersion): Promise<Uint8Array | null>;
  /** Writes over a row with what is proven to have stood there; durable on return, and reads show it.
   *  Cost: one row; where the head of a point is damaged, one reading of the heads of its collection.
   *  @throws NotRepairable (nothing happened), CorruptData (of another row that would prove it; nothing happened), DiskLimitExceeded, ShuttingDown */
  mend(mending: MendedRow): Promise<void>;
  /** Searches show what was mended in the collection on return. Cost: where the index had passed over damaged rows, it is built anew. */
  show(uid: number): Promise<void>;
  /** Counts the digest pages of a collection anew and writes those that cannot be read. @throws as mend */
  recount(uid: number): Promise<void>;
  /** Uids of the collections of which an index had to pass over damaged rows. */
  unread(): number[];
  /** Null when there is no such collection (any more). */
  nameOf(uid: number): string | null;
  /** The listener is called with damage that a read or a write meets; what it is, a look tells. @returns how to end it */
  onDamage(listener: (damage: Damage) => void): () => void;
}
