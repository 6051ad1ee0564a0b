/** What routes show and change of how a node is observed: its log, its slow queries, its errors. Must not know: routes. */

import type { Config } from '../config/config.js';
import type { ObservingService } from '../http/http.js';
import { systemClock } from '../model/clock.js';
import type { Log, LogControl } from '../model/log.js';
import type { Meter } from '../model/meter.js';
import type { ErrorTracker } from '../observability/error-tracker.js';
import { measureLog } from '../observability/log-measures.js';
import { SlowQueries } from '../observability/slow-queries.js';
import { slowQuerySettings } from './node-settings.js';

export interface ObservingParts {
  readonly config: Config;
  readonly control: LogControl;
  readonly log: Log;
  readonly errors: ErrorTracker;
  readonly meter: Meter;
}

export function observingService({ config, control, log, errors, meter }: ObservingParts): ObservingService {
  measureLog(meter, control);
  return { log: control, slowQueries: new SlowQueries({ ...slowQuerySettings(config), log, meter, clock: systemClock }), errors };
}
