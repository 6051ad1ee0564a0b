/** When an index is saved and when it is rebuilt: pure rules over reports. Figures behind the numbers: docs/BENCHMARKS.md, "Churn". */

import type { IndexReport } from './index-messages.js';

/** A checkpoint is due when replaying what it lacks would take longer than this, and longer than a tenth of a rebuild. */
const REPLAY_MS_MAX = 2_000;
const REPLAY_SHARE_OF_REBUILD = 0.1;
/** When nothing was written for a while, a smaller gap is worth closing. */
const QUIET_REPLAY_MS_MAX = 500;
/** After a checkpoint that could not be written (a full disk), the next one is tried so much later. */
const RETRY_MS = 30_000;
const REBUILD_TOMBSTONE_RATIO_BUSY = 0.5;
const REBUILD_TOMBSTONE_RATIO_QUIET = 0.1;
const REBUILD_TOMBSTONES_MIN = 500;

export const QUIET_MS = 5_000;

export function tombstoneRatio(report: IndexReport): number {
  const { live, tombstones } = report.status;
  return tombstones === 0 ? 0 : tombstones / (live + tombstones);
}

/** @param sinceTriedMs how long ago the newest checkpoint was begun */
export function checkpointDue(report: IndexReport, quiet: boolean, sinceTriedMs: number): boolean {
  if (report.phase !== 'ready' || report.saving || report.replayMs === 0) return false;
  if (report.saveFailed && sinceTriedMs < RETRY_MS) return false;
  if (quiet) return report.replayMs > QUIET_REPLAY_MS_MAX;
  return report.replayMs > Math.max(REPLAY_MS_MAX, REPLAY_SHARE_OF_REBUILD * report.rebuildMs);
}

export function rebuildDue(report: IndexReport, quiet: boolean): boolean {
  if (report.phase !== 'ready' || report.status.kind !== 'graph' || report.status.tombstones < REBUILD_TOMBSTONES_MIN)
    return false;
  return tombstoneRatio(report) >= (quiet ? REBUILD_TOMBSTONE_RATIO_QUIET : REBUILD_TOMBSTONE_RATIO_BUSY);
}

/** What to begin now for an index; a rebuild that must wait for another one does not hold checkpoints up.
 *  @param rebuilderIdle whether a rebuild could begin  @param sinceTriedMs as for `checkpointDue` */
export function workDue(
  report: IndexReport,
  quiet: boolean,
  sinceTriedMs: number,
  rebuilderIdle: boolean,
): 'rebuild' | 'checkpoint' | null {
  if (rebuilderIdle && !report.saving && rebuildDue(report, quiet)) return 'rebuild';
  return checkpointDue(report, quiet, sinceTriedMs) ? 'checkpoint' : null;
}
