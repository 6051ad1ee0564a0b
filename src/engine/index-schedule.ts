/** When an index is saved: a pure rule over its reports. */

import type { IndexReport } from './index-messages.js';

/** A checkpoint is due when replaying what it lacks would take longer than this, and longer than a tenth of a rebuild. */
const REPLAY_MS_MAX = 2_000;
const REPLAY_SHARE_OF_REBUILD = 0.1;
/** When nothing was written for a while, a smaller gap is worth closing; not while the graph still fills, or a rebuild widens it again. */
const QUIET_REPLAY_MS_MAX = 500;
/** After a checkpoint that could not be written (a full disk), the next one is tried so much later. */
const RETRY_MS = 30_000;

export const QUIET_MS = 5_000;

export function tombstoneRatio(report: IndexReport): number {
  const { live, tombstones } = report.status;
  return tombstones === 0 ? 0 : tombstones / (live + tombstones);
}

/** @param sinceTriedMs how long ago the newest checkpoint was begun */
export function checkpointDue(report: IndexReport, quiet: boolean, sinceTriedMs: number): boolean {
  if (report.phase !== 'ready' || report.saving || report.replayMs === 0) return false;
  if (report.saveFailed && sinceTriedMs < RETRY_MS) return false;
  const { growing, waiting } = report.status;
  if (quiet && growing + waiting === 0) return report.replayMs > QUIET_REPLAY_MS_MAX;
  return report.replayMs > Math.max(REPLAY_MS_MAX, REPLAY_SHARE_OF_REBUILD * report.rebuildMs);
}
