/** What an archive leads to: the states that can be restored by each backup, and the newest of all. Pure.
 *
 *    full A (4) ◄─ increment 5–9      (10–14 are lost)      increment 15–20        A leads to 4, the first increment to 5–9, the other nowhere
 *
 *  Must not know: what may go, targets, clocks. */

import { historyEnd } from '../model/position.js';
import type { BackupHead } from './head.js';
import { continuedBy, type Running } from './standing.js';
import { type Stretch, stretchesOf } from './stretches.js';

/** The states to which each backup leads, behind the earliest that it can be replayed after; of those that lead nowhere none.
 *  In the order of the listing. */
export type Leads = ReadonlyMap<BackupHead, readonly Stretch[]>;

interface State {
  readonly historyId: string;
  readonly seq: number;
}

/** Where a restore ends that goes as far as it can. */
export interface NewestStates {
  /** Of what runs. Null: nothing of it can be restored. */
  readonly ofRunning: State | null;
  /** Of all, of whatever line, while nothing of the history that runs can be restored: what is left if that is lost. Null: something can, or nothing at all. */
  readonly ofArchive: State | null;
}

/** Cost: sorting, and a look at the few that end inside each increment. */
export function restorableBy(backups: readonly BackupHead[]): Leads {
  const byEnd = [...backups].sort((left, right) => left.end.seq - right.end.seq);
  const ends = new Map<string, number>();
  const found = new Map<BackupHead, readonly Stretch[]>(backups.map((head) => [head, []]));
  // What an increment is replayed after ends before it does.
  for (const head of byEnd) {
    if (head.kind === 'full') found.set(head, ownOf(head));
    else {
      const before = continuedBy(head, byEnd).find((id) => ends.has(id));
      if (before === undefined) continue;
      found.set(head, stretchesOf(head.lineage, ends.get(before) ?? 0, head.end.seq));
    }
    ends.set(head.id, head.end.seq);
  }
  return found;
}

/** The states that are its own, wherever it is replayed from: of an increment its stretch, of a full one its end. */
export function ownOf(head: BackupHead): Stretch[] {
  const { historyId, seq } = head.end;
  if (head.kind === 'full') return [{ historyId, first: seq, last: seq }];
  return stretchesOf(head.lineage, head.fromSeq - 1, seq);
}

export function newestStates(leads: Leads, running: Running): NewestStates {
  const ofRunning = furthestOn(leads, running);
  const isHeld =
    ofRunning !== null && (ofRunning.historyId === running.lineage.at(-1)?.historyId || ofRunning.seq >= running.seq);
  return { ofRunning, ofArchive: isHeld ? null : furthestOf(leads) };
}

export function isRestorable(leads: Leads, { historyId, seq }: State): boolean {
  for (const stretches of leads.values())
    if (stretches.some((one) => one.historyId === historyId && one.first <= seq && seq <= one.last)) return true;
  return false;
}

/** On a line of data a later state has a greater seq. */
function furthestOn(leads: Leads, { lineage, seq }: Running): State | null {
  let furthest: State | null = null;
  for (const { historyId, first, last } of [...leads.values()].flat()) {
    const reach = Math.min(last, historyEnd(lineage, historyId, seq) ?? 0);
    if (reach >= first && reach > (furthest?.seq ?? -1)) furthest = { historyId, seq: reach };
  }
  return furthest;
}

/** Of the latest epoch, and there of the greatest seq: as a restore takes it that is asked for nothing but the newest. */
function furthestOf(leads: Leads): State | null {
  let furthest: BackupHead['end'] | null = null;
  for (const [{ end }, stretches] of leads) {
    const isFurther = furthest === null || end.epoch > furthest.epoch || (end.epoch === furthest.epoch && end.seq > furthest.seq);
    if (stretches.length > 0 && isFurther) furthest = end;
  }
  return furthest;
}
