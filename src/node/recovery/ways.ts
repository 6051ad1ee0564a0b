/** How damage is repaired: which ways there are for it, which is next, when. Decisions only.
 *
 *    found ─► way 1 (tries, with pauses) ─► way 2 … ─► quarantined        (any ─► repaired, gone)
 *
 *  Quarantine is no end: when a way opens that was not there (a replica links), it is tried; and a damage that a later pass finds again begins anew.
 *  Must not know: how a way is gone, clocks. */

import type { Damage } from '../../model/damage.js';
import type { Way } from '../../model/recovery.js';
import type { Role } from '../../model/replication.js';

/** What there is around the node now. */
export interface Surroundings {
  readonly role: Role;
  /** A replica that follows a master which has proven itself. */
  readonly linked: boolean;
  /** Replicas that are linked to this node. */
  readonly replicas: number;
  /** There is a place where this node's backups are kept. */
  readonly backups: boolean;
  /** A replica has not taken too many copies lately. */
  readonly mayTakeSnapshot: boolean;
  /** A copy of all data was asked for lately and may still come. */
  readonly copyBegun: boolean;
}

export interface RepairCase {
  readonly damage: Damage;
  readonly foundAtMs: number;
  /** When it was found last. */
  readonly seenAtMs: number;
  /** How often each way was gone; definite failures count as all tries. */
  readonly tries: Readonly<Partial<Record<Way, number>>>;
  /** Not before. */
  readonly nextAtMs: number;
  readonly lastError: string | null;
  readonly quarantined: boolean;
}

export type RepairStep =
  | { readonly kind: 'try'; readonly way: Way }
  | { readonly kind: 'wait' }
  | { readonly kind: 'quarantine'; readonly reason: string };

export const TRIES_MAX = 3;
const PAUSE_MS = 1_000;
const PAUSE_GROWTH = 5;

export function newCase(damage: Damage, nowMs: number): RepairCase {
  return { damage, foundAtMs: nowMs, seenAtMs: nowMs, tries: {}, nextAtMs: nowMs, lastError: null, quarantined: false };
}

/** The ways that are open, the cheapest first. */
export function waysFor({ kind }: Damage, around: Surroundings): Way[] {
  const snapshot: Way[] = around.role === 'replica' && around.linked && around.mayTakeSnapshot ? ['snapshot'] : [];
  const peers: Way[] = around.role === 'replica' ? (around.linked ? ['master'] : []) : around.replicas > 0 ? ['replica'] : [];
  const backup: Way[] = around.backups ? ['backup'] : [];
  switch (kind) {
    case 'payload':
    case 'vectors':
    case 'head':
      return ['log', ...peers, ...backup, ...snapshot];
    case 'log':
      return [...peers, ...backup, ...snapshot];
    case 'digest_page':
      return ['recount', ...snapshot];
    case 'table':
    case 'page':
      return snapshot;
  }
}

export function nextStep(known: RepairCase, around: Surroundings, nowMs: number): RepairStep {
  const ways = waysFor(known.damage, around);
  const way = ways.find((open) => (known.tries[open] ?? 0) < TRIES_MAX);
  if (way !== undefined) return nowMs < known.nextAtMs ? { kind: 'wait' } : { kind: 'try', way };
  if (known.quarantined || around.copyBegun) return { kind: 'wait' };
  const tried = Object.keys(known.tries);
  if (tried.length === 0) return { kind: 'quarantine', reason: 'there is no other node, and no backup, that could have it' };
  return { kind: 'quarantine', reason: `${tried.join(', ')}: ${known.lastError ?? 'no success'}` };
}

/** The case after a try that did not succeed. @param isFinal another try of this way would come to the same */
export function afterTry(known: RepairCase, way: Way, isFinal: boolean, error: string, nowMs: number): RepairCase {
  const tries = isFinal ? TRIES_MAX : (known.tries[way] ?? 0) + 1;
  const pauseMs = isFinal ? 0 : PAUSE_MS * PAUSE_GROWTH ** (tries - 1);
  return { ...known, tries: { ...known.tries, [way]: tries }, nextAtMs: nowMs + pauseMs, lastError: error };
}

/** The case when a pass or a read finds the damage once more. */
export function foundAgain(known: RepairCase, nowMs: number): RepairCase {
  const seen = { ...known, seenAtMs: nowMs };
  return known.quarantined ? { ...seen, tries: {}, nextAtMs: nowMs } : seen;
}

/** A place that cannot be looked at alone: only a pass that does not meet it any more says that it is whole. */
export function isUnlocated({ kind, table, label, seq, page }: Damage): boolean {
  return table === 'remembered' || (kind === 'page' && label === null && seq === null && page === null);
}
