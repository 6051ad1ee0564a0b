/** Waiting for a position: is it in this data's past, may it still come, or will it never?
 *
 *    past    of a history of the lineage, within it
 *    ahead   behind the newest seq of the newest history, or of an epoch that is not here yet
 *    lost    of no history here, or beyond where its history ended
 *  Must not know: who asks, indexes. */

import type { Clock } from '../model/clock.js';
import { SkeinError } from '../model/errors.js';
import { historyEnd, type Position } from '../model/position.js';
import type { Role } from '../model/replication.js';
import type { LineageRow, StoreState } from '../storage/storage.js';
import type { Tail } from './tail.js';

/** A reader may see a commit a moment before its message arrives. */
export const MESSAGE_WAIT_MS = 1_000;

export interface PositionSource {
  state(): Pick<StoreState, 'epoch' | 'seq'>;
  lineage(): readonly LineageRow[];
  readonly role: Role;
  voters(): readonly unknown[];
}

export function placeOf(
  position: Position,
  state: Pick<StoreState, 'epoch' | 'seq'>,
  lineage: readonly LineageRow[],
): 'past' | 'ahead' | 'lost' {
  if (position.epoch > state.epoch) return 'ahead';
  const end = historyEnd(lineage, position.historyId, state.seq);
  if (end !== null && position.seq <= end) return 'past';
  return position.historyId === lineage.at(-1)?.historyId ? 'ahead' : 'lost';
}

/** Resolves when the store is at least at `position`; only a replica waits for what is ahead.
 *  @throws PositionLost · ReplicaBehind when maxWaitMs passes first, and at once on a master of others that is asked for a newer epoch */
export async function reachPosition(
  position: Position,
  source: PositionSource,
  durable: Tail,
  clock: Clock,
  maxWaitMs: number,
): Promise<void> {
  const startMs = clock.monotonicMs();
  for (;;) {
    const state = source.state();
    const place = placeOf(position, state, source.lineage());
    if (place === 'past') return;
    const follows = source.role === 'replica';
    // What is ahead in another epoch may come with any commit.
    const sameEpoch = position.epoch <= state.epoch;
    const waitMs = follows ? maxWaitMs : sameEpoch ? MESSAGE_WAIT_MS : 0;
    const leftMs = place === 'lost' ? 0 : waitMs - (clock.monotonicMs() - startMs);
    if (leftMs > 0 && (await durable.reach(sameEpoch ? position.seq : durable.seq + 1, leftMs))) continue;
    // A newer epoch than a master's own: another voter may be master by now, and this one has not heard of it.
    const mayBeElsewhere = !sameEpoch && source.voters().length > 1;
    if (place === 'ahead' && (follows || mayBeElsewhere)) throw behind(position, durable.seq, maxWaitMs);
    throw new SkeinError('PositionLost', 'The position belongs to a state that this data does not continue', {
      requested_seq: position.seq,
      last_seq: state.seq,
    });
  }
}

function behind(position: Position, applied: number, maxWaitMs: number): SkeinError {
  return new SkeinError('ReplicaBehind', `The replica has not reached the requested position within ${maxWaitMs} ms`, {
    requested: position.seq,
    applied,
    lag_ms: null,
  });
}
