/** Measures of backups: read when they are printed, at no cost in between. What is not known has no series.
 *  Must not know: targets, routes. */

import type { BackupStatus } from '../model/backup.js';
import type { Meter } from '../model/meter.js';
import { grownCounter } from './grown-counter.js';

const MS_PER_S = 1_000;

/** @param status null: no target is configured, and nothing is shown */
export function measureBackups(meter: Meter, status: () => BackupStatus | null): void {
  const gauge = (name: string, help: string) => meter.gauge({ name: `backup_${name}`, help }).series();
  const counter = (name: string, help: string) => grownCounter(meter, `backup_${name}_total`, help);
  const newestAt = gauge('last_timestamp_seconds', 'When the newest backup in the target was made, in seconds since 1970.');
  const restorableFrom = gauge(
    'restorable_from_timestamp_seconds',
    'Every state from then to the newest backup can be restored, in seconds since 1970.',
  );
  const newestBytes = gauge('last_bytes', 'What the newest backup takes in the target.');
  const lastTook = gauge('last_duration_seconds', 'How long the last backup took that this node made.');
  const verifiedAt = gauge(
    'last_verified_timestamp_seconds',
    'When a backup was last restored for a check and found to be right.',
  );
  const since = gauge('operations_since', 'Operations that are in no backup yet.');
  const fulls = gauge('fulls', 'Full backups in the target.');
  const increments = gauge('increments', 'Increments in the target.');
  const damaged = gauge('damaged', 'Backups in the target that are not what was stored.');
  const stored = gauge('stored_bytes', 'What all backups take in the target.');
  const failing = gauge('failures_in_row', 'Backups that failed one after the other, up to now.');
  const running = gauge('running', '1 while a backup, a restore, a drill or a removal runs, else 0.');
  const made = counter('made', 'Backups that this node made.');
  const failed = counter('failed', 'Backups that failed.');
  const drillsFailed = counter('drills_failed', 'Restores for a check that failed.');
  meter.beforePrinting(() => {
    const now = status();
    const there = now?.stored ?? null;
    newestAt.set(secondsOf(there?.newestAtMs));
    restorableFrom.set(secondsOf(there?.restorableFrom?.timeMs));
    newestBytes.set(there?.newestBytes ?? null);
    lastTook.set(secondsOf(now?.lastTookMs));
    verifiedAt.set(secondsOf(there?.lastVerifiedAtMs));
    since.set(there?.operationsSince ?? null);
    fulls.set(there?.fulls ?? null);
    increments.set(there?.increments ?? null);
    damaged.set(there?.damaged ?? null);
    stored.set(there?.bytes ?? null);
    failing.set(now?.failuresInRow ?? null);
    running.set(now === null ? null : Number(now.running !== null));
    made(now === null ? 0 : now.made.full + now.made.incremental);
    failed(now?.failed ?? 0);
    drillsFailed(now?.drillsFailed ?? 0);
  });
}

function secondsOf(ms: number | null | undefined): number | null {
  return ms === null || ms === undefined ? null : ms / MS_PER_S;
}
