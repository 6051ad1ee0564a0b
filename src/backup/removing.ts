/** Removes one backup that somebody names, if nothing else needs it (removal.ts).
 *
 *  Invariant: broken off at any moment, it leaves whole backups, none that hangs on what is gone, and objects without a head, which go a day
 *  later (tidying.ts). Must not know: who asks, when it is its turn. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import { logOperation } from '../model/log-operation.js';
import type { BackupHead } from './head.js';
import type { KnownArchive } from './known-archive.js';
import { type LogHold, runningOf } from './log-hold.js';
import { type Need, removalOf } from './removal.js';

/** So many are named in a refusal. */
const NAMED_MAX = 10;

interface Wanted {
  readonly id: string;
  readonly withIncrements: boolean;
}

/** @returns the ids of what is gone, in the order of their going @throws BackupNotFound · BackupNeeded · BackupTargetFailed */
export function removeBackup(
  { log, clock, hold }: { readonly log: Log; readonly clock: Clock; readonly hold: LogHold },
  archive: KnownArchive,
  feed: ReplicatedLog,
  wanted: Wanted,
): Promise<readonly string[]> {
  return logOperation({ log, clock, name: 'backup_removal', fields: { backup: wanted.id } }, async (scope) => {
    const ids = await idsToGo(archive, feed, wanted);
    scope.add({ removed: ids });
    try {
      for (const id of ids) {
        await archive.of(feed).remove(id);
        archive.lost(id);
      }
    } catch (error) {
      archive.doubt();
      throw error;
    }
    // What it still has of them is in no increment now.
    if (archive.shown !== null) hold.keepFor(feed, archive.shown);
    return ids;
  });
}

async function idsToGo(archive: KnownArchive, feed: ReplicatedLog, { id, withIncrements }: Wanted): Promise<readonly string[]> {
  const listing = await archive.read(feed);
  // It leads nowhere.
  if (listing.damaged.some((one) => one.id === id)) return [id];
  const head = listing.backups.find((one) => one.id === id);
  if (head === undefined) throw new SkeinError('BackupNotFound', `There is no backup ${id}`);
  const removal = removalOf(listing, runningOf(feed), head, withIncrements);
  if ('need' in removal) throw needed(head, removal.need);
  return removal.ids;
}

function needed({ id, kind }: BackupHead, { reason, neededBy, couldGoToo }: Need): SkeinError {
  const named = neededBy.slice(0, NAMED_MAX);
  const more = neededBy.length > named.length ? ` and ${neededBy.length - named.length} more` : '';
  const first = 'first, beginning with the last one';
  const help = couldGoToo
    ? `remove them with it, or ${first}`
    : kind === 'full'
      ? 'make a full backup first'
      : `remove them ${first}`;
  const why = {
    last_full: 'is the only good full one of its data: make another full one first',
    increments: `is what others lead on from: ${named.join(', ')}${more}; ${help}`,
    log: 'is where the log goes on, which does not reach further back: make a full backup first',
  };
  return new SkeinError('BackupNeeded', `Backup ${id} ${why[reason]}`, { backup: id, reason, needed_by: named });
}
