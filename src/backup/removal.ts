/** Removal: may one backup go because somebody asks for it by its name, and what goes with it? Decisions only: it reads no target and no clock.
 *
 *    full A (4) ◄─ increment 5–9 ◄─ increment 10–20      full B (20) ◄─ increment 21–30
 *
 *  What can be restored afterwards is all that could be before, but for what the backup holds itself: an increment the states of its own stretch, a
 *  full one the state at its end. So A stays while the increments lead from it to states that B does not lead to, unless they are to go with it:
 *  then all that is lost lies in front of B. Nothing takes the way to the newest state, the last good full one, or what the log goes on from.
 *  One that is damaged leads nowhere, so nothing is lost by it. */

import type { Listing } from './archive.js';
import type { BackupHead } from './head.js';
import { isOn, keptBackups, type Running, standingOf } from './standing.js';
import { type Stretch, stretchesOf, without } from './stretches.js';

type Known = Pick<Listing, 'backups' | 'damaged'>;

/** Why one has to stay.
 *    last_full    no other good full one is there
 *    increments   those in `neededBy`, newest first, lead to less without it
 *    log          the log does not reach back to where the archive would end */
export interface Need {
  readonly reason: 'last_full' | 'increments' | 'log';
  readonly neededBy: readonly string[];
  /** Would they go with it, if that were asked for? */
  readonly couldGoToo: boolean;
}

/** Ids in the order in which to remove them: whenever that is broken off, nothing is left without what it hangs on. */
export type Removal = { readonly ids: readonly string[] } | { readonly need: Need };

/** What becomes of another one that leads to less. */
interface Loss {
  readonly head: BackupHead;
  /** What nothing leads to any more, beyond what the one that goes holds itself; it may be nothing. */
  readonly states: readonly Stretch[];
  readonly leadsNowhere: boolean;
}

/** @param withIncrements those that lead nowhere without it go as well, where a newer full one leads to all behind them
 *  Cost: as keptBackups, twice */
export function removalOf(known: Known, running: Running, head: BackupHead, withIncrements: boolean): Removal {
  const touched = touchedBy(known, running, head);
  const losses = touched.filter(({ states }) => states.length > 0);
  const couldGoToo = head.kind === 'full' && losses.every((loss) => isPassed(loss, known, head));
  const stay = (reason: Need['reason'], neededBy: readonly string[] = []) => ({ need: { reason, neededBy, couldGoToo } });
  const useless = withIncrements ? touched.filter(({ leadsNowhere }) => leadsNowhere).map((loss) => loss.head) : [];
  const gone = new Set([head, ...useless]);
  const others = { ...known, backups: known.backups.filter((one) => !gone.has(one)) };
  if (head.kind === 'full' && !hasFull(others, running, head)) return stay('last_full');
  if (losses.length > 0 && !(withIncrements && couldGoToo))
    return stay(
      'increments',
      losses.map((loss) => loss.head.id),
    );
  if (standingOf(known, running).continued && !standingOf(others, running).continued) return stay('log');
  return { ids: [...useless.sort((left, right) => right.end.seq - left.end.seq), head].map(({ id }) => id) };
}

/** The others that lead to more with it than without it. In the order of the listing: newest first. */
function touchedBy(known: Known, running: Running, head: BackupHead): Loss[] {
  const after = restorableBy({ ...known, backups: known.backups.filter((one) => one !== head) }, running);
  const left = [...[...after.values()].flat(), ...ownOf(head)];
  return [...restorableBy(known, running)]
    .filter(([one, states]) => one !== head && without(states, after.get(one) ?? []).length > 0)
    .map(([one, states]) => ({
      head: one,
      states: without(states, left),
      leadsNowhere: (after.get(one) ?? []).length === 0,
    }));
}

/** Does another full one lead to all that comes behind what is lost? */
function isPassed({ states }: Loss, { backups }: Known, without: BackupHead): boolean {
  const fulls = backups.filter((one) => one.kind === 'full' && one !== without);
  return states.every(({ historyId, last }) =>
    fulls.some(({ lineage, end }) => isOn({ lineage, seq: end.seq }, { historyId, seq: last })),
  );
}

/** Of the data that runs, where this one is of it. */
function hasFull({ backups }: Known, running: Running, like: BackupHead): boolean {
  const isRunning = isOn(running, like.end);
  return backups.some(({ kind, end }) => kind === 'full' && (!isRunning || isOn(running, end)));
}

/** The states that are its own, wherever it is replayed from. */
function ownOf(head: BackupHead): Stretch[] {
  const { historyId, seq } = head.end;
  if (head.kind === 'full') return [{ historyId, first: seq, last: seq }];
  return stretchesOf(head.lineage, head.fromSeq - 1, seq);
}

/** The states to which each one leads, behind the earliest that it can be replayed after; of those that lead nowhere none.
 *  In the order of the listing. */
function restorableBy(known: Known, running: Running): ReadonlyMap<BackupHead, readonly Stretch[]> {
  const before = new Map(keptBackups(known, running).map(({ id, continues }) => [id, continues]));
  const byId = new Map(known.backups.map((head) => [head.id, head]));
  const found = new Map<string, readonly Stretch[]>();
  // What an increment is replayed after ends before it does.
  for (const head of [...known.backups].sort((left, right) => left.end.seq - right.end.seq)) {
    if (head.kind === 'full') {
      found.set(head.id, ownOf(head));
      continue;
    }
    const ends = (before.get(head.id) ?? []).filter((id) => found.has(id)).map((id) => byId.get(id)?.end.seq ?? 0);
    if (ends.length > 0) found.set(head.id, stretchesOf(head.lineage, Math.min(...ends), head.end.seq));
  }
  return new Map(known.backups.map((head) => [head, found.get(head.id) ?? []]));
}
