/** Whether it is time to prove a backup by restoring it. Decisions only: it reads no clock and no target.
 *
 *  What this process did itself is timed by the clock that is never set; only what others noted is compared with the clock of the world, and
 *  an instant that is later than now is of unknown age. Must not know: how a drill is made. */

import { CLOCKS_APART_MS_MAX } from './standing.js';

export interface DrillProgress {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** Of this process; null: none yet. */
  readonly lastDrill: { readonly ok: boolean; readonly endedAtMs: number } | null;
  /** As they are noted beside the backups, by the clock of the world. */
  readonly provenAtMs: Iterable<number>;
  /** When the oldest backup was made, by the same. */
  readonly oldestAtMs: number;
}

/** Until the first proof, and from a proof that failed to the next try. */
const DRILL_AGAIN_MS = 3_600_000;

/** @param intervalMs 0: never */
export function isDrillDue(
  { wallMs, monotonicMs, lastDrill, provenAtMs, oldestAtMs }: DrillProgress,
  intervalMs: number,
): boolean {
  if (intervalMs === 0) return false;
  const againMs = Math.min(intervalMs, DRILL_AGAIN_MS);
  if (lastDrill !== null) {
    const sinceMs = monotonicMs - lastDrill.endedAtMs;
    if (lastDrill.ok) return sinceMs >= intervalMs;
    if (sinceMs < againMs) return false;
  }
  const proofs = [...provenAtMs].filter((timeMs) => isPast(timeMs, wallMs));
  if (proofs.length > 0) return wallMs - Math.max(...proofs) >= intervalMs;
  return !isPast(oldestAtMs, wallMs) || wallMs - oldestAtMs >= againMs;
}

/** Else it was noted before the clock was set back. */
function isPast(timeMs: number, wallMs: number): boolean {
  return timeMs <= wallMs + CLOCKS_APART_MS_MAX;
}
