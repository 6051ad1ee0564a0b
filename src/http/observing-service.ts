/** What the HTTP room needs of whoever watches over the server: errors are told, slow queries kept, the log steered.
 *  `node` hands it in. */

import type { ErrorReport, ErrorSink } from '../model/error-report.js';
import type { LogControl } from '../model/log.js';
import type { SlowQueryBook } from '../model/slow-query.js';

export interface ObservingService {
  readonly log: LogControl;
  readonly slowQueries: SlowQueryBook;
  readonly errors: ErrorSink & { status(): ErrorReport };
}
