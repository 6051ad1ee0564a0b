/** What is not needed in an archive any more goes: what the rules of retention let go, what a longer increment took the place of, and what is
 *  left of backups that never came to be.
 *
 *  Invariant: broken off at any moment, it leaves whole backups and nothing that hangs on what is gone.
 *  Must not know: when backups are made. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { KnownArchive } from './known-archive.js';
import { runningOf } from './log-hold.js';
import { expiredBackups, type RetentionRules } from './retention.js';
import { keptBackups, replacedIncrements } from './standing.js';

export interface TidyingParts {
  readonly archive: KnownArchive;
  readonly retention: RetentionRules;
  readonly clock: Clock;
  readonly log: Log;
}

/** Objects without a head are of a backup that is being made, until they are so old. */
const HEADLESS_AGE_MS_MAX = 24 * 3_600_000;

/** Reads the target, and removes. A failure is no failure of a backup: it is logged, and the rest goes another time. */
export async function tidy({ archive, retention, clock, log }: TidyingParts, feed: ReplicatedLog): Promise<void> {
  try {
    const listing = await archive.read(feed);
    const nowMs = clock.wallMs();
    const expired = expiredBackups(keptBackups(listing, runningOf(feed)), retention, nowMs);
    for (const id of new Set([...replacedIncrements(listing), ...expired])) {
      await archive.of(feed).remove(id);
      archive.lost(id);
    }
    const old = listing.headless.filter(({ modifiedAtMs }) => modifiedAtMs < nowMs - HEADLESS_AGE_MS_MAX);
    for (const { key } of old) await archive.of(feed).removeObject(key);
    if (expired.length > 0) log.info('backups_removed', { backups: expired });
  } catch (error) {
    archive.doubt();
    log.warn('backups_not_tidied', { error });
  }
}
