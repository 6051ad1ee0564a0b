/** Measures of the care for the store: what was read, what is damaged, which repairs were tried. Read from status() when they are printed.
 *  Must not know: how damage is found or repaired. */

import type { Meter } from '../model/meter.js';
import type { RecoveryStatus } from '../model/recovery.js';
import { grown, grownCounter } from './grown-counter.js';

/** @param status null until the store is open */
export function measureRecovery(meter: Meter, status: () => RecoveryStatus | null): void {
  const gauge = (name: string, help: string) => meter.gauge({ name, help }).series();
  const rows = grownCounter(meter, 'scrub_rows_total', 'Rows that were read for their checksums.');
  const bytes = grownCounter(meter, 'scrub_bytes_total', 'Bytes that were read for their checksums.');
  const damaged = gauge('scrub_damaged_rows', 'Damaged rows that are known and not repaired.');
  const quarantined = gauge('scrub_quarantined_rows', 'Of those, the ones that nobody could repair.');
  const completed = gauge(
    'scrub_last_completed_timestamp_seconds',
    'When every row was read last; nothing before the first time.',
  );
  const kept = gauge('quarantine_bytes', 'Bytes in the folder quarantine.');
  const attempts = meter.counter({
    name: 'recovery_attempts_total',
    help: 'Tries to repair damage, by way and outcome.',
    labels: ['way', 'outcome'],
  });
  const series = new Map<string, (total: number) => void>();
  meter.beforePrinting(() => {
    const shown = status();
    if (shown === null) return;
    rows(shown.scrub.rowsTotal);
    bytes(shown.scrub.bytesTotal);
    damaged.set(shown.damaged);
    quarantined.set(shown.quarantined);
    const { lastCompletedAtMs } = shown.scrub;
    completed.set(lastCompletedAtMs === null ? null : lastCompletedAtMs / 1_000);
    kept.set(shown.quarantineBytes);
    for (const { way, outcome, count } of shown.counts) {
      const key = `${way}:${outcome}`;
      const total = series.get(key) ?? grown(attempts.series({ way, outcome }));
      series.set(key, total);
      total(count);
    }
  });
}
