/** How a search by groups goes on when its groups are not full: pure decisions.
 *
 *    full, all that match seen, or cut by the threshold ─► done
 *    else: four times as many candidates, and none of groups that are full
 *
 *  Leaving out what is full costs a filter. Where a payload index answers that, it is done from the second round on; else only when there
 *  are as many candidates as there may be, because rows must be read for it. Hits of both engines are ranked by their places in both
 *  lists, which a filter changes, so there all is looked up anew with more candidates.
 *  Must not know: labels, rows, how candidates are found. */

import type { FacetScalar } from '../model/facet.js';
import type { Condition } from '../model/filter.js';
import { FIXED } from '../model/limits.js';

/** So many candidates for each hit that is wanted, at first; one page of them is read at once up to 128 (reader.ts). */
const FIRST_FACTOR = 4;
const GROWTH = 4;
/** Each round behind the largest page fills a group or finds one; there may be many, and no answer is worth more rounds than this. */
const ROUNDS_MAX = 24;
const TRIES_MAX = 3;

export interface GroupsWanted {
  readonly path: string;
  readonly limit: number;
  readonly groupSize: number;
  /** Only texts and integers are groups. */
  readonly keysOnly: boolean;
  /** Does a payload index know the values of the field? */
  readonly indexed: boolean;
  /** Are hits ranked by their places in the lists of two engines? */
  readonly fused: boolean;
  /** Candidates to begin with at least. */
  readonly candidatesMin: number;
}

export interface RoundPlan {
  readonly round: number;
  readonly candidates: number;
  /** What candidates must pass beside the filter of the request. */
  readonly condition: Condition | null;
  /** How often rows that were gone made it look again. */
  readonly tries: number;
}

export interface RoundFound {
  readonly groups: readonly { readonly value: FacetScalar; readonly hits: readonly unknown[] }[];
  /** There were no more candidates. */
  readonly seenAll: boolean;
  /** A candidate did not pass the threshold, so nothing behind it does. */
  readonly cut: boolean;
  /** Candidates whose rows were removed or changed meanwhile. */
  readonly gone: number;
}

/** `reason`: the groups are not full, and why it ends all the same. */
export type NextRound = RoundPlan | { readonly done: true; readonly reason: string | null };

export function firstRound({ limit, groupSize, candidatesMin }: GroupsWanted): RoundPlan {
  const candidates = boundedCandidates(limit * groupSize * FIRST_FACTOR, Math.max(candidatesMin, limit * groupSize));
  return { round: 1, candidates, condition: null, tries: 0 };
}

export function nextRound(wanted: GroupsWanted, plan: RoundPlan, found: RoundFound): NextRound {
  const { groups, seenAll, cut, gone } = found;
  const round = plan.round + 1;
  const open = groups.filter(({ hits }) => hits.length < wanted.groupSize);
  if (groups.length === wanted.limit && open.length === 0) return DONE;
  if (seenAll && gone > 0) {
    if (plan.tries === TRIES_MAX) return { done: true, reason: `${gone} hits were removed or changed while the search ran` };
    return { ...plan, round, tries: plan.tries + 1 };
  }
  if (seenAll || (cut && !wanted.fused)) return DONE;
  if (round > ROUNDS_MAX) return { done: true, reason: `the groups were not full after ${ROUNDS_MAX} rounds` };
  const candidates = boundedCandidates(plan.candidates * GROWTH, plan.candidates);
  const grows = candidates > plan.candidates;
  if (wanted.fused && !grows) return { done: true, reason: `the ${candidates} best hits of each engine fill no more groups` };
  const condition = wanted.fused || (grows && !wanted.indexed) ? null : leaveOut(wanted, found);
  return { round, candidates, condition, tries: 0 };
}

const DONE = { done: true, reason: null } as const;

function boundedCandidates(wanted: number, least: number): number {
  return Math.max(least, Math.min(FIXED.searchCandidatesMax, wanted));
}

/** When all groups are known, only points of those that are not full; else all points with a value whose group is not full. */
function leaveOut({ path, limit, groupSize, keysOnly }: GroupsWanted, { groups }: RoundFound): Condition {
  const valuesOf = (full: boolean) => groups.filter(({ hits }) => (hits.length === groupSize) === full).map(({ value }) => value);
  if (groups.length === limit) return { kind: 'match_any', key: path, values: valuesOf(false) };
  const others = keysOnly ? [true, false] : [];
  return { kind: 'match_except', key: path, values: [...valuesOf(true), ...others] };
}
