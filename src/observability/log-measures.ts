/** The one measure of the log: lines that its destination did not take. Must not know: where lines go. */

import type { LogControl } from '../model/log.js';
import type { Meter } from '../model/meter.js';
import { grownCounter } from './grown-counter.js';

export function measureLog(meter: Meter, log: LogControl): void {
  const lost = grownCounter(meter, 'log_lines_lost_total', 'Lines of the log that their destination did not take.');
  meter.beforePrinting(() => lost(log.status().lostLines));
}
