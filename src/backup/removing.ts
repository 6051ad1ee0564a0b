/** Removes one backup that somebody names, if nothing else needs it (removal.ts).
 *
 *  Invariant: broken off at any moment, it leaves whole backups, none that hangs on what is gone, and objects without a head, which go a day
 *  later (tidying.ts). Must not know: who asks, when it is its turn. */

import type { ReplicatedLog } from '../engine/engine.js';
import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import type { Log } from '../model/log.js';
import { logOperation } from '../model/log-operation.js';
import type { Archive, Listing } from './archive.js';
import type { BrokenBackup } from './damaged.js';
import type { BackupHead } from './head.js';
import type { KnownArchive } from './known-archive.js';
import { type LogHold, runningOf } from './log-hold.js';
import { type Need, removalOf, type Way } from './removal.js';

/** So many are named in a refusal. */
const NAMED_MAX = 10;

const HELP: Readonly<Record<Way, string>> = {
  with_increments: 'remove them with it',
  increments_first: 'remove them first, beginning with the last one',
};

const AFTER_A_FULL_ONE = 'a full backup that is made now may take its place';

interface Wanted {
  readonly id: string;
  readonly withIncrements: boolean;
}

export interface RemovingParts {
  readonly log: Log;
  readonly clock: Clock;
  readonly hold: LogHold;
  /** A role may change while a removal waits for its turn, and while it reads. */
  isActive(): boolean;
}

/** Reads the target, and one that counts as damaged to its end where it would be needed if it were not.
 *  @returns the ids of what is gone, in the order of their going
 *  @throws BackupNotFound · BackupNeeded · NotMaster (also after some are gone) · BackupTargetFailed · the signal's reason */
export function removeBackup(
  parts: RemovingParts,
  archive: KnownArchive,
  feed: ReplicatedLog,
  { signal, ...wanted }: Wanted & { readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { log, clock, hold } = parts;
  return logOperation({ log, clock, name: 'backup_removal', fields: { backup: wanted.id } }, async (scope) => {
    mustBeMaker(parts.isActive());
    const ids = await idsToGo({ archive, feed, hold, signal }, wanted);
    scope.add({ removed: ids });
    try {
      for (const id of ids) {
        mustBeMaker(parts.isActive());
        await archive.of(feed).remove(id);
        archive.lost(id);
      }
    } catch (error) {
      archive.doubt();
      throw error;
    }
    // A look at what is due may have been under way, which did not know of it.
    if (archive.shown !== null) hold.keepFor(feed, archive.shown);
    return ids;
  });
}

/** What another node does not know to be gone it would go on from, and let go of the log in front of it.
 *  @param isActive is it for this node to make backups, now? @throws NotMaster */
export function mustBeMaker(isActive: boolean): void {
  if (!isActive) throw new SkeinError('NotMaster', 'Only the node that makes the backups removes any of them');
}

interface Place {
  readonly archive: KnownArchive;
  readonly feed: ReplicatedLog;
  readonly hold: LogHold;
  readonly signal: AbortSignal;
}

async function idsToGo({ archive, feed, hold, signal }: Place, { id, withIncrements }: Wanted): Promise<readonly string[]> {
  const first = lookUp(await archive.read(feed), id);
  // A place may give a wrong answer once: what was read of its head is read again.
  const { listing, broken, head } = first.head === undefined ? lookUp(await archive.read(feed), id) : first;
  if (head === undefined && broken === undefined) throw new SkeinError('BackupNotFound', `There is no backup ${id}`);
  if (head === undefined) {
    if (await archive.of(feed).hasWholeHead(id)) throw unknown(id, broken?.problem ?? '');
    return [id];
  }
  const removal = removalOf(listing, runningOf(feed), head, withIncrements);
  if ('ids' in removal) {
    // What the log still has of them was free to go until now, and the decision counts on it.
    hold.keepFor(feed, { ...listing, backups: listing.backups.filter((one) => !removal.ids.includes(one.id)) });
    return removal.ids;
  }
  if (broken === undefined) throw needed(head, removal.need, '');
  if (await isDamaged(head, archive.of(feed), signal)) return [id];
  const doubt = `. It counts as damaged (${broken.problem}), but was read to its end just now and is what was stored: verify it`;
  throw needed(head, removal.need, doubt);
}

/** Neither: it is not there. Both: it counts as damaged, and its head is right. */
function lookUp(
  listing: Listing,
  id: string,
): { listing: Listing; broken: BrokenBackup | undefined; head: BackupHead | undefined } {
  const isNamed = (one: { readonly id: string }): boolean => one.id === id;
  return {
    listing,
    broken: listing.damaged.find(isNamed),
    head: [...listing.backups, ...listing.doubted].find(isNamed),
  };
}

async function isDamaged(head: BackupHead, archive: Archive, signal: AbortSignal): Promise<boolean> {
  try {
    await archive.check(head, signal);
    return false;
  } catch (error) {
    if (error instanceof SkeinError && error.type === 'BackupDamaged') return true;
    throw error;
  }
}

/** Somebody wrote it so, and may be able to read it. */
function unknown(id: string, problem: string): SkeinError {
  const why = `has a whole head that this version of Skein does not understand (${problem}): a newer one may restore it, and remove it`;
  return new SkeinError('BackupNeeded', `Backup ${id} ${why}`, { backup: id, reason: 'unknown', needed_by: [] });
}

function needed({ id }: BackupHead, { reason, neededBy, ways }: Need, doubt: string): SkeinError {
  const named = neededBy.slice(0, NAMED_MAX);
  const more = neededBy.length > named.length ? ` and ${neededBy.length - named.length} more` : '';
  const why = {
    last_full: `is the only good full one of its data; ${AFTER_A_FULL_ONE}`,
    increments: `is what others lead on from: ${named.join(', ')}${more}`,
    log: `is where the log goes on, which does not reach further back; ${AFTER_A_FULL_ONE}`,
    newest: `leads to the newest state that can be restored; ${AFTER_A_FULL_ONE}`,
  };
  const help = ways.length === 0 ? '' : `; ${ways.map((way) => HELP[way]).join(', or ')}`;
  return new SkeinError('BackupNeeded', `Backup ${id} ${why[reason]}${help}${doubt}`, { backup: id, reason, needed_by: named });
}
