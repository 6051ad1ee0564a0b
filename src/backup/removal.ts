/** Removal: may one backup go because somebody asks for it by its name, and what goes with it? Decisions only: it reads no target and no clock.
 *
 *    full A (4) ◄─ increment 5–9 ◄─ increment 10–20      full B (20) ◄─ increment 21–30
 *
 *  What can be restored afterwards is all that could be before, but for what the backup holds itself: an increment the states of its own stretch, a
 *  full one the state at its end. So A stays while the increments lead from it to states that B does not lead to, unless they are to go with it:
 *  then all that is lost lies in front of B. Nothing takes the last good full one, what the log goes on from, or, where that brings no newer
 *  one, the newest state. One that counts as damaged may be sound: it takes nothing's place, and what hangs on it stays as if it were. */

import type { BackupHead, FullHead } from './head.js';
import { isRestorable, type Leads, newestStates, ownOf, restorableBy } from './restorable.js';
import { isOn, type Running, standingOf } from './standing.js';
import { covered, type Stretch, without } from './stretches.js';

/** What is known of an archive. */
export interface Known {
  readonly backups: readonly BackupHead[];
  /** Those that count as damaged, and whose heads are right. */
  readonly doubted: readonly BackupHead[];
}

/** Why one has to stay.
 *    last_full    no other good full one is there
 *    increments   those in `neededBy`, the last one first, lead to less without it
 *    log          the log does not reach back to where the archive would end
 *    newest       it leads to the newest state that can be restored, and the log does not go on from the archive */
interface Stay {
  readonly reason: 'last_full' | 'increments' | 'log' | 'newest';
  readonly neededBy: readonly string[];
}

/** What lets it go: tried out, not guessed.
 *    with_increments    they go with it, where that is asked for
 *    increments_first   they go by themselves, the last one first, and then it does */
export type Way = 'with_increments' | 'increments_first';

export interface Need extends Stay {
  /** Any one of them helps. None: none of them does. */
  readonly ways: readonly Way[];
}

/** Ids in the order in which to remove them: whenever that is broken off, nothing is left without what it hangs on. */
interface Going {
  readonly ids: readonly string[];
}

export type Removal = Going | { readonly need: Need };

/** What becomes of another one that leads to less. */
interface Loss {
  readonly head: BackupHead;
  /** What nothing leads to any more, beyond what the one that goes holds itself; it may be nothing. */
  readonly states: readonly Stretch[];
  readonly leadsNowhere: boolean;
}

/** Whoever removes more than these one by one does not do it by hand. */
const ONE_BY_ONE_MAX = 32;

/** @param head one of `known` @param withIncrements those that lead nowhere without it go as well, where a newer full one leads to all behind them
 *  Cost: two looks at what each backup leads to; of a refusal some six, and two for each in `neededBy` */
export function removalOf(known: Known, running: Running, head: BackupHead, withIncrements: boolean): Removal {
  const found = decide(known, running, head, withIncrements);
  if ('ids' in found) return found;
  const ways: Way[] = [];
  if ('ids' in decide(known, running, head, true)) ways.push('with_increments');
  if (goesBehind(found.neededBy, known, running, head)) ways.push('increments_first');
  return { need: { ...found, ways } };
}

/** It goes where it may, whether those in doubt are sound or not. */
function decide({ backups, doubted }: Known, running: Running, head: BackupHead, withIncrements: boolean): Going | Stay {
  const sound = backups.includes(head) ? backups : [...backups, head];
  const helping = backups.filter((one): one is FullHead => one.kind === 'full' && one !== head);
  const asked = { running, head, withIncrements, helping };
  const found = judge({ ...asked, backups: sound });
  const others = doubted.filter((one) => one !== head);
  return 'reason' in found || others.length === 0 ? found : judge({ ...asked, backups: [...sound, ...others] });
}

interface Question {
  readonly running: Running;
  readonly backups: readonly BackupHead[];
  readonly head: BackupHead;
  readonly withIncrements: boolean;
  /** Full ones that can take the place of what goes. */
  readonly helping: readonly FullHead[];
}

function judge({ running, backups, head, withIncrements, helping }: Question): Going | Stay {
  const before = restorableBy(backups);
  const touched = touchedBy(before, head);
  const losses = touched.filter(({ states }) => states.length > 0);
  const useless = withIncrements ? touched.filter(({ leadsNowhere }) => leadsNowhere).map((loss) => loss.head) : [];
  const gone = new Set([head, ...useless]);
  const others = backups.filter((one) => !gone.has(one));
  if (head.kind === 'full' && !hasFull(helping, running, head)) return { reason: 'last_full', neededBy: [] };
  const mayGoToo = withIncrements && head.kind === 'full' && losses.every((loss) => isPassed(loss, helping));
  if (losses.length > 0 && !mayGoToo) return { reason: 'increments', neededBy: idsOf(losses.map((loss) => loss.head)) };
  const goesOn = standingOf({ backups: others }, running).continued;
  if (!goesOn && standingOf({ backups }, running).continued) return { reason: 'log', neededBy: [] };
  if (takesNewest(before, restorableBy(others), running, goesOn)) return { reason: 'newest', neededBy: [] };
  return { ids: [...idsOf(useless), head.id] };
}

/** The last one first. */
function idsOf(heads: readonly BackupHead[]): string[] {
  return [...heads].sort((left, right) => right.end.seq - left.end.seq).map(({ id }) => id);
}

/** The others that lead to more with it than without it. */
function touchedBy(before: Leads, head: BackupHead): Loss[] {
  const after = restorableBy([...before.keys()].filter((one) => one !== head));
  const left = covered([...[...after.values()].flat(), ...ownOf(head)]);
  return [...before]
    .filter(([one, states]) => one !== head && without(states, covered(after.get(one) ?? [])).length > 0)
    .map(([one, states]) => ({
      head: one,
      states: without(states, left),
      leadsNowhere: (after.get(one) ?? []).length === 0,
    }));
}

/** Does another full one lead to all that comes behind what is lost? */
function isPassed({ states }: Loss, fulls: readonly FullHead[]): boolean {
  return states.every(({ historyId, last }) =>
    fulls.some(({ lineage, end }) => isOn({ lineage, seq: end.seq }, { historyId, seq: last })),
  );
}

/** Of the data that runs, where this one is of it. */
function hasFull(fulls: readonly FullHead[], running: Running, like: BackupHead): boolean {
  const isRunning = isOn(running, like.end);
  return fulls.some(({ end }) => !isRunning || isOn(running, end));
}

/** @param goesOn the log still has what is newer than all that is left of the line that runs */
function takesNewest(before: Leads, after: Leads, running: Running, goesOn: boolean): boolean {
  const { ofRunning, ofArchive } = newestStates(before, running);
  return [goesOn ? null : ofRunning, ofArchive].some((state) => state !== null && !isRestorable(after, state));
}

function goesBehind(first: readonly string[], known: Known, running: Running, head: BackupHead): boolean {
  if (first.length === 0 || first.length > ONE_BY_ONE_MAX) return false;
  const all = [...known.backups, ...known.doubted];
  const steps = [...first.map((id) => all.find((one) => one.id === id)), head];
  let left = known;
  for (const one of steps) {
    if (one === undefined || !('ids' in decide(left, running, one, false))) return false;
    const isOther = (other: BackupHead): boolean => other !== one;
    left = { backups: left.backups.filter(isOther), doubted: left.doubted.filter(isOther) };
  }
  return true;
}
