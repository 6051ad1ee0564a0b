/** What health says of damage in the store and of its repair, for whoever looks closer: counts, and the first and newest of each by name.
 *  Must not know: how damage is found or repaired. */

import type { Damage } from '../model/damage.js';
import type { RecoveryStatus } from '../model/recovery.js';

/** Of the rows that are damaged, and of the tries to repair some: so many are named. */
const NAMED_MAX = 100;

/** @param status null: nobody cares for the store yet */
export function recoveryDetails(status: RecoveryStatus | null): Readonly<Record<string, unknown>> {
  if (status === null) return { last_verified: null };
  const { scrub, damaged, quarantined, known, attempts, quarantineBytes } = status;
  return {
    last_verified: instant(scrub.lastCompletedAtMs),
    scrub_running: scrub.running,
    damaged_rows: damaged,
    quarantined_rows: quarantined,
    quarantine_bytes: quarantineBytes,
    damage: known.slice(0, NAMED_MAX).map((one) => ({
      ...placeOf(one.damage),
      collection: one.collection,
      found_at: instant(one.foundAtMs),
      attempts: one.attempts,
      quarantined: one.quarantined,
    })),
    repairs: attempts.slice(0, NAMED_MAX).map(({ atMs, way, outcome, damage, error }) => ({
      at: instant(atMs),
      way,
      outcome,
      ...placeOf(damage),
      error,
    })),
  };
}

function placeOf({ kind, table, collectionUid, label, id, seq, page }: Damage) {
  return { kind, table, collection_uid: collectionUid, label, id, seq, page };
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
